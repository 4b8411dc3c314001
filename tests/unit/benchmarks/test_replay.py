"""The floor of the benchmark: the same trades without a risk layer, or no figure at all."""

from typing import Any

import pandas as pd
import pytest

from benchmarks.loop import differences
from benchmarks.strategies import Replay, ReplayAsked, ReplayWithStop
from tests.engine import START, flat, run_backtest

HOUR = pd.Timedelta(hours=1)
PAIR = "BTC/USDT"


def trade(opened: int, closed: int, pair: str = PAIR) -> dict[str, Any]:
    """A trade between the opens of two rows."""
    start = pd.Timestamp(START)
    return {
        "pair": pair,
        "open_date": start + opened * HOUR,
        "close_date": start + closed * HOUR,
    }


def replayed(kind: type[Replay], trades: list[dict[str, Any]], rows: int = 30) -> list[Any]:
    """What a replay of the trades on uneventful candles does, in the same form."""
    members = {"trades": pd.DataFrame(trades), "timeframe": "1h", "startup_candle_count": 0}
    strategy = type(kind.__name__, (kind,), members)
    settings = {"exit_pricing": {"price_side": "other"}}
    outcome = run_backtest(strategy, {PAIR: flat(rows), "ETH/USDT": flat(rows)}, config=settings)
    columns = ["pair", "open_date", "close_date"]
    return outcome.trades.sort_values(["open_date", "pair"])[columns].to_dict("records")


@pytest.mark.parametrize("kind", [Replay, ReplayAsked, ReplayWithStop])
def test_replay_enters_and_leaves_on_the_candles_of_the_record(kind: type[Replay]) -> None:
    trades = [trade(3, 7), trade(4, 5, "ETH/USDT"), trade(8, 9), trade(10, 20)]
    assert differences(trades, replayed(kind, trades)) == ""


def test_trade_that_ended_on_its_entry_candle_is_left_on_the_next() -> None:
    (made,) = replayed(Replay, [trade(5, 5)])
    assert made["close_date"] == trade(5, 6)["close_date"]
    assert differences([trade(5, 5)], [made]) == ""


def test_trade_still_open_at_the_end_is_closed_by_freqtrade_in_both() -> None:
    assert differences([trade(5, 29)], replayed(Replay, [trade(5, 29)], rows=30)) == ""


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ([], "0 trades, not 1"),
        ([trade(3, 8)], "close_date"),
        ([trade(4, 7)], "open_date"),
        ([trade(3, 7, "ETH/USDT")], "pair"),
    ],
)
def test_every_disagreement_is_named(other: list[dict[str, Any]], said: str) -> None:
    assert said in differences([trade(3, 7)], other)
