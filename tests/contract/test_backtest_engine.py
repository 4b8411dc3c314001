"""The order of events in a backtest, and what its data look like."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import CandleType
from freqtrade.exceptions import ConfigurationError

from tests.engine import START, ScriptedStrategy, flat, run_backtest

PAIR = "BTC/USDT"
HOUR = timedelta(hours=1)


def test_entry_happens_at_the_open_of_the_candle_after_the_signal() -> None:
    """Row 2's signal is known when row 2 has closed: no look-ahead in the engine itself."""

    class AtRowTwo(ScriptedStrategy):
        enter_rows: ClassVar[set[int]] = {2}

    rows = [*flat(3), (103, 104, 102, 103), *flat(2, 103)]
    (trade,) = run_backtest(AtRowTwo, {PAIR: rows}).trades.itertuples()
    assert (trade.open_date, trade.open_rate) == (START + 3 * HOUR, 103)


def test_current_time_is_the_open_of_the_candle_being_traded() -> None:
    """A guard asked at 03:00 may use what closed by 03:00, and nothing of that candle."""
    seen = []

    class Watching(ScriptedStrategy):
        def confirm_trade_entry(self, current_time: Any, **_: Any) -> bool:
            frame, _date = self.dp.get_analyzed_dataframe(PAIR, "1h")
            seen.append((current_time, frame["date"].iloc[-1]))
            return True

    run_backtest(Watching, {PAIR: flat(4)})
    assert seen == [(START + HOUR, START)]


def test_bot_loop_start_runs_every_candle_before_the_frames_are_cut() -> None:
    """On the first candle the data provider shows the future: Ballast cuts every frame itself."""
    seen = []

    class Watching(ScriptedStrategy):
        def bot_loop_start(self, current_time: Any, **_: Any) -> None:
            frame = self.dp.get_pair_dataframe(PAIR, "1h")
            seen.append((current_time, frame["date"].iloc[-1]))

    run_backtest(Watching, {PAIR: flat(5)})
    assert [now for now, _ in seen] == [START + number * HOUR for number in range(1, 5)]
    now, newest = seen[0]
    assert newest > now


def test_missing_candles_arrive_flat_and_without_volume() -> None:
    """A hole looks like a calm market; Ballast's trust checks recognise it by the volume."""
    frame = run_backtest(ScriptedStrategy, {PAIR: [*flat(2), None, *flat(2, 105)]}).frames[PAIR]
    hole = frame.iloc[2]
    assert list(hole[["open", "high", "low", "close", "volume"]]) == [100, 100, 100, 100, 0]
    assert len(frame) == 5


def test_backtest_adds_helper_columns_with_gaps_in_them() -> None:
    """Hence no `dropna` over a whole frame anywhere in Ballast."""
    frame = run_backtest(ScriptedStrategy, {PAIR: flat(5)}).frames[PAIR]
    helpers = {"open_count", "high_count", "low_count", "close_count", "max_count"}
    assert helpers <= set(frame.columns), f"has {sorted(frame.columns)}"


def test_startup_candles_are_cut_off_before_trading() -> None:
    """Nothing is traded while indicators warm up, in a backtest."""

    class WarmingUp(ScriptedStrategy):
        startup_candle_count = 3
        enter_rows: ClassVar[set[int]] = {0, 1, 2, 3}

    outcome = run_backtest(WarmingUp, {PAIR: flat(8)})
    assert outcome.frames[PAIR]["date"].iloc[0] == START + 3 * HOUR
    assert list(outcome.trades["open_date"]) == [START + 4 * HOUR]


def test_startup_candle_count_may_be_a_property() -> None:
    """Ballast derives the warm-up from the windows in time and the timeframe in force."""

    class Derived(ScriptedStrategy):
        @property
        def startup_candle_count(self) -> int:  # type: ignore[override]
            return 48 if self.timeframe == "1h" else 12

    for timeframe, expected in (("1h", 48), ("4h", 12)):
        outcome = run_backtest(Derived, {PAIR: flat(60)}, timeframe=timeframe)
        assert outcome.result["config"]["startup_candle_count"] == expected
        assert len(outcome.frames[PAIR]) == 60 - expected


def test_warm_up_of_more_than_five_calls_is_refused() -> None:
    """The longest window a timeframe can carry: five calls of a thousand candles on Binance."""

    class TooLong(ScriptedStrategy):
        startup_candle_count = 5_000

    with pytest.raises(ConfigurationError, match="more than 5x"):
        run_backtest(TooLong, {PAIR: flat(10)})


def test_order_filled_may_move_the_price_of_an_exit() -> None:
    """Slippage of exits is modelled there: the order is the engine's own, not a copy."""

    class Slipping(ScriptedStrategy):
        def order_filled(self, order: Any, trade: Any, **_: Any) -> None:
            if order.ft_order_side == trade.exit_side:
                order.ft_price = order.price = order.average = order.ft_price * 0.99

    rows = [*flat(3), (100, 100, 80, 82), *flat(2, 82)]
    (trade,) = run_backtest(Slipping, {PAIR: rows}).trades.itertuples()
    assert trade.close_rate == pytest.approx(90 * 0.99)
    assert trade.profit_ratio == pytest.approx(0.9 * 0.99 - 1)


def test_custom_entry_price_moves_entries_up_to_the_candles_high() -> None:
    """Slippage of entries is modelled there, and the engine clips it at the high."""

    class Paying(ScriptedStrategy):
        price: ClassVar[float] = 100.2

        def custom_entry_price(self, **_: Any) -> float:
            return self.price

    class PayingTooMuch(Paying):
        price: ClassVar[float] = 200.0

    for strategy, expected in ((Paying, 100.2), (PayingTooMuch, 100.5)):
        (trade,) = run_backtest(strategy, {PAIR: flat(4)}).trades.itertuples()
        assert trade.open_rate == pytest.approx(expected)


def test_custom_data_of_a_trade_survives_the_copy() -> None:
    """The explanation of a trade is kept there, the only thing a callback can leave behind."""

    class Explaining(ScriptedStrategy):
        def order_filled(self, trade: Any, **_: Any) -> None:
            trade.set_custom_data("why", {"rule": "breakout"})

    assert run_backtest(Explaining, {PAIR: flat(4)}).custom_data == {
        1: {"why": {"rule": "breakout"}}
    }


def test_frames_of_other_timeframes_are_merged_one_candle_late() -> None:
    """`merge_informative_pair` gives 01:00's candle to rows that close after 04:00, not before."""
    from freqtrade.strategy import merge_informative_pair

    class Informed(ScriptedStrategy):
        def informative_pairs(self) -> list[tuple[str, str]]:
            return [(PAIR, "4h")]

        def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
            higher = self.dp.get_pair_dataframe(PAIR, "4h")
            return merge_informative_pair(dataframe, higher, "1h", "4h", ffill=True)

    higher = [(100, 111, 99, 100), (100, 122, 99, 100), (100, 133, 99, 100)]
    outcome = run_backtest(Informed, {PAIR: flat(12), (PAIR, "4h"): higher})
    highs = list(outcome.frames[PAIR]["high_4h"])
    assert highs[3:7] == [111] * 4
    assert highs[7:11] == [122] * 4


def test_the_provider_gives_copies_of_the_history_it_keeps_under_this_name(tmp_path: Path) -> None:
    """Stress shares it between runs: what one strategy does to a frame must not reach another."""
    frame = pd.DataFrame({"close": [1.0, 2.0]})
    config = {"candle_type_def": CandleType.SPOT, "timerange": None, "datadir": tmp_path}
    provider = DataProvider(config, None)
    kept = {("BTC/USDT", "1h", CandleType.SPOT): frame}
    assert vars(provider)["_DataProvider__cached_pairs_backtesting"] == {}
    vars(provider)["_DataProvider__cached_pairs_backtesting"] = kept
    given = provider.historic_ohlcv("BTC/USDT", "1h")
    given["close"] = 0.0
    assert list(frame["close"]) == [1.0, 2.0]
