"""What FreqUI and `freqtrade plot-dataframe` draw when told to take the strategy's own chart."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from freqtrade.persistence import PairLocks, Trade
from freqtrade.persistence.models import PairLock
from sqlalchemy import select

from ballast.charts import annotations
from ballast.charts.annotations import Block, StopPath
from ballast.core.data_quality import DataQuality
from ballast.core.reasons import Reason
from ballast.core.signals import Setup, entry_rules, first_stops, setup_name
from ballast.core.stops import StopPlan, StopRules
from ballast.core.windows import minutes

# Column: where an entry would have its first stop.
FIRST_STOP = "first_stop"
_TO_COME = 4
# Of the height of a lane.
_STEP = 0.7
# Freqtrade's own lock of one candle after an exit, and one of ours that the columns show already.
_NOT_SHOWN = ("Auto lock", Reason.VOLATILITY)

_STOP_COLOUR = "#8d99ae"
_LINE_COLOURS = ("#2a9d8f", "#e9c46a", "#8ecae6", "#b5838d")
_RULE_COLOURS = ("#2a9d8f", "#e9c46a", "#f4a261", "#e76f51", "#8ecae6", "#b5838d", "#6d6875")


def plot_config(lines: Iterable[str], setups: Sequence[Setup]) -> dict[str, Any]:
    """
    Freqtrade's `plot_config`: prices over the candles, and below them regimes, shocks and rules.

    Parameters
    ----------
    lines : iterable of str
        Columns that are prices.
    setups : sequence of Setup
        Whose entry rules are drawn, each in a lane of its own (see `add_columns`).
    """
    rules = {
        _lane(column): {"color": _RULE_COLOURS[number % len(_RULE_COLOURS)]}
        for number, column in enumerate(entry_rules(setups))
    }
    return {
        "main_plot": {
            FIRST_STOP: {"color": _STOP_COLOUR},
            **{
                name: {"color": _LINE_COLOURS[number % len(_LINE_COLOURS)]}
                for number, name in enumerate(lines)
            },
        },
        "subplots": {
            "regime": {
                "regime": {"color": "#2a9d8f"},
                "market_regime": {"color": "#e9c46a"},
            },
            "shock": {"intensity": {"color": "#e76f51"}},
            "rules": rules,
        },
    }


def add_columns(frame: pd.DataFrame, setups: Sequence[Setup], disaster_ratio: float) -> None:
    """
    Add columns that are there to be drawn alone; a backtest goes without.

    Columns added: first_stop (see `signals.first_stops`), and met_<rule> for each entry rule, in a
    lane of its own: the first rule on top, each a step up where it is met. As 0 and 1 they would
    all be one line.
    """
    frame[FIRST_STOP] = first_stops(frame, setups, disaster_ratio)
    columns = list(entry_rules(setups))
    for number, column in enumerate(columns, start=1):
        lane = len(columns) - number
        frame[_lane(column)] = lane + _STEP * frame[column].to_numpy()


def _lane(column: str) -> str:
    return column.replace("rule_", "met_", 1)


@dataclass(frozen=True)
class AccountOverlay:
    """
    What a running bot adds to a chart: its locks, its trades and their stops.

    Parameters
    ----------
    candles : DataFrame
        All that the pair's last analysis left, with `atr` and `trust`.
    stop_rules : mapping of str to StopRules
        By the name of the setup.
    cost_ratio : float
        Round-trip cost that a break-even stop covers.
    """

    candles: pd.DataFrame
    stop_rules: Mapping[str, StopRules]
    cost_ratio: float


def annotated(
    pair: str, frame: pd.DataFrame, timeframe: str, account: AccountOverlay | None
) -> list[dict[str, Any]]:
    """
    Annotations of a pair's chart (see `ballast.charts.annotations`), oldest first within each kind.

    Parameters
    ----------
    frame : DataFrame
        What the chart shows, with every column of the strategy.
    account : AccountOverlay or None
        None where no bot runs: in the webserver's charts the tables of locks and trades are another
        run's.
    """
    candle = timedelta(minutes=minutes(timeframe))
    marks = annotations.of_frame(frame, candle)
    if account is None or not PairLocks.use_db:
        return marks
    start = frame["date"].iloc[0].to_pydatetime()
    # FreqUI shows a few candles to come: a halt that has just begun lies there.
    end = frame["date"].iloc[-1].to_pydatetime() + (1 + _TO_COME) * candle
    marks += annotations.of_blocks(_blocks(pair, start, end), start, end)
    for trade in _trades(pair, start):
        rules = _rules(account.stop_rules, trade)
        path = stop_path(trade, account.candles, rules, account.cost_ratio, candle)
        marks += annotations.of_stop(path)
    return marks


def stop_path(
    trade: Trade, frame: pd.DataFrame, rules: StopRules, cost_ratio: float, candle: timedelta
) -> StopPath:
    """
    How the stop of a trade moved, worked out from the candles since its entry.

    Parameters
    ----------
    frame : DataFrame
        Candles with `atr` and `trust`, as far back as they are known.
    rules : StopRules
        Of the trade's setup.
    cost_ratio : float
        Round-trip cost that a break-even stop covers.
    """
    stored = trade.get_custom_data("initial_stop")
    initial = float(stored) if stored is not None else trade.initial_stop_loss
    plan = StopPlan(trade.open_rate, initial, rules, cost_ratio)
    ended = trade.close_date_utc or datetime.now(UTC)
    times, levels = [trade.open_date_utc], [plan.stop]
    ends = frame["date"] + candle
    held = frame[(ends > trade.open_date_utc) & (ends <= ended)]
    for row in held[["date", "close", "atr", "trust"]].itertuples(index=False):
        if row.trust < DataQuality.FILLED_HOLE and plan.advance(row.close, row.atr) > levels[-1]:
            times.append(row.date.to_pydatetime() + candle)
            levels.append(plan.stop)
    # What Freqtrade holds may be closer still: the heat limit draws stops closer.
    if trade.is_open and trade.stop_loss > levels[-1]:
        times.append(max(times[-1], held["date"].max().to_pydatetime() if len(held) else ended))
        levels.append(trade.stop_loss)
    return StopPath([*times, max(ended, times[-1])], levels)


def _rules(rules: Mapping[str, StopRules], trade: Trade) -> StopRules:
    return rules.get(setup_name(trade.enter_tag)) or next(iter(rules.values()))


def _trades(pair: str, since: datetime) -> list[Trade]:
    """Trades of a pair that were open at some time since a moment and have been filled."""
    found = [
        *Trade.get_trades_proxy(pair=pair, is_open=True),
        *Trade.get_trades_proxy(pair=pair, is_open=False, close_date=since),
    ]
    return [trade for trade in found if trade.amount]


def _blocks(pair: str, start: datetime, end: datetime) -> Iterator[Block]:
    """Locks of a pair, and of all pairs, that held at some time between two moments."""
    query = select(PairLock).filter(
        PairLock.pair.in_((pair, "*")),
        PairLock.lock_end_time > start.replace(tzinfo=None),
        PairLock.lock_time < end.replace(tzinfo=None),
    )
    for lock in PairLock.session.scalars(query):
        reason = lock.reason or "locked"
        if not reason.startswith(_NOT_SHOWN):
            begun = lock.lock_time.replace(tzinfo=UTC)
            yield Block(begun, lock.lock_end_time_utc, reason)
