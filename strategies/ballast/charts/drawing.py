"""What FreqUI and `freqtrade plot-dataframe` draw when told to take the strategy's own chart."""

import functools
import logging
import math
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from freqtrade.persistence import PairLocks, Trade
from freqtrade.persistence.models import PairLock
from sqlalchemy import select

from ballast.charts import annotations
from ballast.charts.account_lanes import DRAWDOWN, HEAT, SIZE
from ballast.charts.annotations import Block, StopPath
from ballast.core.events import Event
from ballast.core.reasons import Reason
from ballast.core.setups import Setup
from ballast.core.signals import first_stops, setup_name
from ballast.core.stops import one_r
from ballast.core.windows import minutes

logger = logging.getLogger(__name__)

# By the number of the trade, the moves of its stop in order.
StopMoves = Callable[[Sequence[int]], Mapping[int, Sequence[Event]]]
# Of a setup, an entry and one R (both quote currency): closes that sell, by name.
Targets = Callable[[str, float, float], Mapping[str, float]]

# Column: where an entry would have its first stop.
FIRST_STOP = "first_stop"
# Column: how strong a shock is, in as many digits as a chart has room for.
SHOCK = "shock"
# Column of noughts: what is filled down to it is shown from nought on, whatever its values are.
ZERO = "zero"
# FreqUI joins the points of a line; bars show steps.
_ACCOUNT = {
    "size %": {SIZE: {"color": "#22d3ee", "type": "bar", "fill_to": ZERO}},
    "account %": {HEAT: {"color": "#ca8a04", "fill_to": ZERO}, DRAWDOWN: {"color": "#ef4444"}},
}
_TO_COME = 4
# Freqtrade's own lock of one candle after an exit, and one of ours that the columns show already.
_NOT_SHOWN = ("Auto lock", Reason.VOLATILITY)
# FreqUI writes fifteen digits of a number that has them.
_DIGITS = 6
_SHOCK_DECIMALS = 2

_STOP_COLOUR, _SHOCK_COLOUR, _ZERO_COLOUR = "#8d99ae", "#e76f51", "#475569"
# Of prices; of the lanes of setups. A chart has both, so that none is in the other.
_LINE_COLOURS = ("#c9952b", "#4a9fc4", "#b5838d", "#6d6875")
_LANE_COLOURS = ("#2a9d8f", "#f4a261", "#a78bfa", "#f472b6", "#84cc16", "#38bdf8")
# FreqUI writes the name of a lane along its height, which has room for so many letters.
_LONGEST_NAME = 10


def plot_config(
    lines: Iterable[str], setups: Sequence[Setup], *, account: bool = False
) -> dict[str, Any]:
    """
    Freqtrade's `plot_config`: prices over the candles; below them the account, shocks and setups.

    Parameters
    ----------
    lines : iterable of str
        Columns that are prices.
    setups : sequence of Setup
        How many of their entry rules are not met is drawn, each in a lane of its own.
    account : bool
        Draw the account of a bot (see `charts.account_lanes`).
    """
    lanes: dict[str, Any] = dict(_ACCOUNT) if account else {}
    # FreqUI fetches only columns that are drawn somewhere.
    lanes["shock"] = {SHOCK: {"color": _SHOCK_COLOUR}, ZERO: {"color": _ZERO_COLOUR}}
    for number, name in enumerate(_short_names(setups)):
        colour = _LANE_COLOURS[number % len(_LANE_COLOURS)]
        lanes[name] = {f"unmet_{name}": {"color": colour, "type": "bar", "fill_to": ZERO}}
    return {
        "main_plot": {
            FIRST_STOP: {"color": _STOP_COLOUR},
            **{
                name: {"color": _LINE_COLOURS[number % len(_LINE_COLOURS)]}
                for number, name in enumerate(lines)
            },
        },
        "subplots": lanes,
    }


def columns(
    close: np.ndarray,
    state: Mapping[str, np.ndarray],
    chosen: np.ndarray,
    setups: Sequence[Setup],
    disaster_ratio: float,
) -> dict[str, np.ndarray]:
    """
    Columns that are there to be drawn alone; a backtest goes without.

    Columns: first_stop (see `signals.first_stops`), shock (intensity), zero and, for each setup,
    unmet_<name>: how many of its entry rules are not met, 0 to all of them.

    Parameters
    ----------
    state : mapping of str to ndarray
        The columns of `signals.state_columns`.
    chosen : array
        Position in `setups` of the one that signals (see `signals.signal_columns`).
    """
    unmet = {
        f"unmet_{name}": sum(
            (~rule.met for rule in setup.entry.values()), np.zeros(len(close), dtype=np.int8)
        )
        for name, setup in zip(_short_names(setups), setups, strict=True)
    }
    first = first_stops(close, state["atr"], chosen, setups, disaster_ratio)
    shock = np.round(state["intensity"], _SHOCK_DECIMALS)
    return {FIRST_STOP: shown(first), SHOCK: shock, ZERO: np.zeros(len(close)), **unmet}


def shown(prices: np.ndarray) -> np.ndarray:
    """Prices in as many digits as a chart has room for."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 10.0 ** (_DIGITS - 1 - np.floor(np.log10(np.abs(prices))))
        return np.where(np.isfinite(scale), np.round(prices * scale) / scale, prices)


def _short_names(setups: Sequence[Setup]) -> tuple[str, ...]:
    """The first words of the setups' names, as far as they tell them apart."""
    return _shortened(tuple(setup.name for setup in setups))


@functools.lru_cache(maxsize=64)
def _shortened(names: tuple[str, ...]) -> tuple[str, ...]:
    firsts = [re.split(r"(?<=[a-z0-9])(?=[A-Z])", name)[0] for name in names]
    return tuple(
        first[:_LONGEST_NAME] if firsts.count(first) == 1 else name
        for first, name in zip(firsts, names, strict=True)
    )


def annotated(
    pair: str,
    frame: pd.DataFrame,
    timeframe: str,
    stop_moves: StopMoves | None,
    targets: Targets,
) -> list[dict[str, Any]]:
    """
    Annotations of a pair's chart (see `ballast.charts.annotations`), oldest first within each kind.

    Parameters
    ----------
    frame : DataFrame
        What the chart shows, with every column of the strategy.
    stop_moves : callable or None
        Gives the moves of trades' stops, from the journal. None where no bot runs: in the
        webserver's charts the tables of locks and trades are another run's.
    targets : callable
        Gives the prices at which a trade is sold.
    """
    candle = timedelta(minutes=minutes(timeframe))
    areas = annotations.of_frame(frame, candle)
    start = frame["date"].iloc[0].to_pydatetime()
    # FreqUI shows a few candles to come: a halt that has just begun lies there.
    end = frame["date"].iloc[-1].to_pydatetime() + (1 + _TO_COME) * candle
    if stop_moves is None or not PairLocks.use_db:
        return annotations.labelled(areas, candle, end)
    areas += annotations.of_blocks(_blocks(pair, start, end), start, end)
    marks = annotations.labelled(areas, candle, end)
    return marks + _stops(_trades(pair, start), stop_moves, targets)


def _stops(
    trades: Sequence[Trade], stop_moves: StopMoves, targets: Targets
) -> list[dict[str, Any]]:
    """Stops of trades, and where they are sold; none where the journal cannot be read."""
    try:
        moves = stop_moves([trade.id for trade in trades])
    except sqlite3.Error as error:
        logger.warning("stops are not drawn: the journal cannot be read: %s", error)
        return []
    lines: list[dict[str, Any]] = []
    for trade in trades:
        path = stop_path(trade, moves.get(trade.id, ()))
        if path is not None:
            # FreqUI names that of an open trade itself.
            lines += annotations.of_stop(path, named=not trade.is_open)
            lines += target_lines(trade, path, targets)
    return lines


def target_lines(trade: Trade, path: StopPath, targets: Targets) -> list[dict[str, Any]]:
    """Closes from which on a trade is sold, whose stop has moved as in `path`."""
    entry, start, end = trade.open_rate, path.times[0], path.times[-1]
    prices = targets(setup_name(trade.enter_tag), entry, one_r(entry, path.levels[0]))
    return [annotations.of_target(start, end, price, name) for name, price in prices.items()]


def stop_path(trade: Trade, moves: Sequence[Event]) -> StopPath | None:
    """
    How the stop of a trade moved, as the journal tells it; None where it tells nothing.

    Parameters
    ----------
    moves : sequence of Event
        Of the trade's stop, in order. Value: where it went; limit: where it was.
    """
    if not moves:
        return None
    times, levels = [], []
    if math.isfinite(moves[0].limit):
        # A trade from before first stops were written down.
        times, levels = [trade.open_date_utc], [moves[0].limit]
    for move in moves:
        # A stop is never loosened: the highest of plan and strategy holds.
        if not levels or move.value > levels[-1]:
            times.append(max([move.at, *times[-1:]]))
            levels.append(move.value)
    ended = trade.close_date_utc or datetime.now(UTC)
    return StopPath([*times, max(ended, times[-1])], levels)


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
