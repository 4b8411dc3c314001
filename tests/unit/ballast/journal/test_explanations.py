"""`/why` answers in the journal's words, briefly, and about pairs as people type them."""

import math
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ballast.core.decision import Decision, Outcome, Reading
from ballast.core.verdict import Verdict
from ballast.journal.explanations import lines_of, why

CANDLE = datetime(2024, 1, 1, 12, tzinfo=UTC)
TRADED = ["BTC/USDT", "ETH/USDT"]


def decision(**changed: Any) -> Decision:
    made: dict[str, Any] = {
        "pair": "BTC/USDT",
        "candle": CANDLE,
        "outcome": Outcome.NO_SIGNAL,
        "code": "breakout",
        "value": 101.0,
        "limit": 104.0,
        "close": 101.0,
        "atr": 1.5,
        "setup": "DonchianTrend",
        "rules": {
            "market_up": Reading(True, "is", True, True),
            "breakout": Reading(101.0, ">", 104.0, False),
        },
        "setups": {"DonchianTrend": ("market_up", "breakout")},
    }
    return Decision(**(made | changed))


def recorder(known: Decision | None) -> Any:
    return SimpleNamespace(
        signal_candle=lambda now: CANDLE,
        newest=lambda pair, candle: known if known and pair == known.pair else None,
    )


@pytest.mark.parametrize("asked", ["BTC/USDT", "BTC"])
def test_a_pair_is_known_by_its_name_and_by_its_currency(asked: str) -> None:
    assert why(recorder(decision()), TRADED, asked).startswith("BTC/USDT, candle of 2024-01-01")


def test_each_rule_is_said_with_how_far_it_was_away() -> None:
    lines = why(recorder(decision()), TRADED, "BTC").splitlines()
    assert "+ market_up" in lines
    assert "- breakout 101 > 104 (-2.88 %, -2.0 ATR)" in lines


def test_a_guard_that_objected_is_said_with_its_numbers() -> None:
    verdict = Verdict("DRAWDOWN", 2.1, 2.0, 0.78)
    text = "\n".join(lines_of(decision(guards={"DrawdownLadder": verdict})))
    assert "DrawdownLadder size x0.78: DRAWDOWN value=2.1 limit=2" in text


def test_a_candle_without_anything_is_said_in_two_lines() -> None:
    seen = Decision("BTC/USDT", CANDLE, Outcome.UNSEEN, "CANDLE_MISSING", close=math.nan)
    assert len(list(lines_of(seen))) == 2


def test_what_is_not_known_is_said() -> None:
    assert "XYZ is not traded. Traded now: BTC/USDT" in why(recorder(None), TRADED, "XYZ")
    assert "nothing has been decided yet" in why(recorder(None), TRADED, "BTC")
    assert "not recorded" in why(None, TRADED, "BTC")
