"""What follows from a first difference of the accounts is grouped under it."""

from datetime import UTC, datetime, timedelta

from ballast.research.drift.consequences import first_of_account, separated
from ballast.research.drift.layers import Difference, DriftLayer

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def difference(layer: DriftLayer, hour: int, what: str, pair: str = "ETH/USDT") -> Difference:
    return Difference(layer, pair, NOON + timedelta(hours=hour), what, "1", "0")


SETTING = Difference(DriftLayer.SETTINGS, "", None, "risk.per_trade_pct", "1", "2")
SHOCK = difference(DriftLayer.GUARDS, 1, "VolatilityCooldown")
MISSED = difference(DriftLayer.FILLS, 2, "position")
SLIPPED = difference(DriftLayer.FILLS, 3, "worse entry fill")
LADDER = difference(DriftLayer.GUARDS, 4, "DrawdownLadder")
SIZED = difference(DriftLayer.SIZING, 5, "outcome", "BTC/USDT")
TRADED = difference(DriftLayer.FILLS, 6, "traded")
CANDLE = difference(DriftLayer.CANDLES, 7, "close")


def test_account_differences_after_the_first_follow_from_it() -> None:
    found = [SETTING, SHOCK, MISSED, SLIPPED, LADDER, SIZED, TRADED, CANDLE]
    own, following = separated(found)
    assert own == (SETTING, SHOCK, MISSED, SLIPPED, CANDLE)
    assert following == (LADDER, SIZED, TRADED)
    assert first_of_account(own) is MISSED


def test_without_one_of_the_accounts_nothing_follows() -> None:
    assert separated([SETTING, SHOCK, SLIPPED, CANDLE])[1] == ()
    assert first_of_account([SETTING, SHOCK, SLIPPED, CANDLE]) is None
