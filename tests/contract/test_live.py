"""What the live bot does that no backtest shows: old signals, locks, prices and minimums.

The bot is Freqtrade's own, in dry-run, on an exchange that answers from memory.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest
from freqtrade.exchange import timeframe_to_next_date
from freqtrade.persistence import PairLocks, Trade

from tests.contract.live_bot import PAIR, PRICE, candles_opened, enter, feed, live_bot
from tests.engine import ScriptedStrategy


class LastRow(ScriptedStrategy):
    """Wants to buy on every candle."""

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["enter_long"] = 1
        return dataframe


class Fresh(LastRow):
    ignore_buying_expired_candle_after = 60


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


@pytest.mark.usefixtures("any_hour")
@pytest.mark.parametrize(("opened", "bought"), [(61, True), (124, True), (126, False)])
def test_signal_is_traded_until_two_timeframes_and_five_minutes_old(
    opened: int, bought: bool, tmp_path: Path
) -> None:
    """An hour after the close, at a price nobody checked: Ballast has a limit of its own."""
    with live_bot(LastRow, tmp_path) as bot:
        feed(bot, candles_opened(minutes(opened)))
        assert bot.create_trade(PAIR) is bought


@pytest.mark.usefixtures("any_hour")
@pytest.mark.parametrize(("opened", "bought"), [(60, True), (62, False)])
def test_ignore_buying_expired_candle_after_refuses_an_old_signal(
    opened: int, bought: bool, tmp_path: Path
) -> None:
    """The setting that Ballast's strategies carry: seconds after the candle's close."""
    with live_bot(Fresh, tmp_path) as bot:
        feed(bot, candles_opened(minutes(opened)))
        assert bot.create_trade(PAIR) is bought


@pytest.mark.usefixtures("any_hour")
@pytest.mark.parametrize(("hours", "bought"), [(0, True), (1, False)])
def test_pair_lock_is_checked_at_the_last_analysed_candle(
    hours: int, bought: bool, tmp_path: Path
) -> None:
    """A lock that has ended by the clock still holds while the newest candle is from before."""
    with live_bot(LastRow, tmp_path) as bot:
        frame = candles_opened(minutes(124))
        feed(bot, frame)
        newest = frame["date"].iloc[-1].to_pydatetime()
        end = timeframe_to_next_date("1h", newest) + timedelta(hours=hours)
        PairLocks.lock_pair(PAIR, end - timedelta(seconds=1), "COOLDOWN", now=newest)
        assert not PairLocks.is_pair_locked(PAIR)
        assert bot.create_trade(PAIR) is bought


@pytest.mark.usefixtures("any_hour")
def test_lock_is_kept_in_the_database(tmp_path: Path) -> None:
    """A restart does not lift what protects money."""
    url = f"sqlite:///{tmp_path}/trades.sqlite"
    until = datetime.now(UTC) + timedelta(hours=5)
    with live_bot(LastRow, tmp_path, db_url=url):
        PairLocks.lock_pair("*", until, "HALTED")
    with live_bot(LastRow, tmp_path, db_url=url):
        assert PairLocks.is_global_lock()
        (lock,) = PairLocks.get_all_locks()
        assert lock.reason == "HALTED"


def test_entry_price_is_held_within_two_percent(tmp_path: Path) -> None:
    """A slippage model that moves prices in backtests cannot run away live."""

    class Paying(LastRow):
        def custom_entry_price(self, **_: Any) -> float:
            return PRICE * 1.5

    with live_bot(Paying, tmp_path) as bot:
        (trade,) = enter(bot)
        assert trade.open_rate_requested == pytest.approx(PRICE * 1.02)


def test_minimum_stake_counts_the_strategys_own_stop(tmp_path: Path) -> None:
    """Wider than the 5 % that backtests assume: the sizer must ask live, not remember."""

    class Wide(LastRow):
        stoploss = -0.30
        offered: ClassVar[dict[str, Any]] = {}

        def custom_stake_amount(self, **offered: Any) -> float:
            self.offered.update(offered)
            return 500.0

    with live_bot(Wide, tmp_path) as bot:
        enter(bot)
    assert Wide.offered["min_stake"] == pytest.approx(5.0 * 1.05 / 0.70)


def test_custom_data_of_a_trade_is_kept_in_the_database(tmp_path: Path) -> None:
    """Each trade carries its explanation, for `/list_custom_data` and for later questions."""
    url = f"sqlite:///{tmp_path}/trades.sqlite"
    with live_bot(LastRow, tmp_path, db_url=url) as bot:
        (trade,) = enter(bot)
        trade.set_custom_data("why", {"rule": "breakout"})
    with live_bot(LastRow, tmp_path, db_url=url):
        (trade,) = Trade.get_open_trades()
        assert trade.get_custom_data("why") == {"rule": "breakout"}
