"""What a chart marks beside its lines: regimes, cooldowns, halts, bad data, and stops of trades.

Areas follow from the columns of the frame, so that they are there in a backtest's chart too; halts
and stops of trades are those of a live or paper run, from Freqtrade's own locks and trades.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ballast.core import regime
from ballast.core.measures import measure
from ballast.core.reasons import Reason
from ballast.core.trust import DataQuality

UP, DOWN = "rgba(42, 157, 143, 0.10)", "rgba(231, 111, 81, 0.10)"
COOLDOWN, HALT = "rgba(233, 196, 106, 0.22)", "rgba(214, 40, 40, 0.20)"
UNTRUSTED, STOP = "rgba(160, 160, 160, 0.30)", "#f4a261"
TARGET = "#2a9d8f"
# A label on a narrower area would lie over its neighbours'.
_LABELLED_CANDLES = 24
# FreqUI shows some two hundred candles at first: a longer area is labelled once for so many.
_CANDLES_A_LABEL = 120
# Labels are written at the top of their areas, in rows: regimes', and below it the others'.
_LINES_APART, _ROWS = 3, 6
# What a letter is wide then, in the narrower chart beside the list of pairs.
_CANDLES_A_LETTER = 1.6
# FreqUI writes an area's label in light grey whatever lies behind it, with an outline in the
# area's colour where that is white: on one that is dark and opaque both are read.
_INK = "#333333"
# Drawn over one another in this order.
_REGIME_Z, _DATA_Z, _COOLDOWN_Z, _HALT_Z, _LABEL_Z = 1, 2, 3, 4, 5

Annotation = dict[str, Any]


class Block(NamedTuple):
    """A lock: from when to when, and why."""

    start: datetime
    end: datetime
    reason: str


@dataclass(frozen=True)
class StopPath:
    """
    How the stop of a trade moved.

    Parameters
    ----------
    times : sequence of datetime
        When each level came into force, ascending; the last entry is when the path ends.
    levels : sequence of float
        Prices, one fewer than times.
    """

    times: Sequence[datetime]
    levels: Sequence[float]


def of_frame(frame: pd.DataFrame, candle: timedelta) -> list[Annotation]:
    """
    Areas that follow from the columns of a frame: regimes, data that is not trusted, cooldowns.

    Parameters
    ----------
    frame : DataFrame
        With `date` and the columns of `signals.state_columns`.
    candle : timedelta
        Length of one candle.
    """
    return [*_regimes(frame, candle), *_untrusted(frame, candle), *_cooldowns(frame, candle)]


def of_blocks(blocks: Iterable[Block], start: datetime, end: datetime) -> list[Annotation]:
    """Areas of locks between two moments; those of one code that touch are one area."""
    areas: list[Annotation] = []
    shown = [b for b in _joined(blocks) if b.end > start and b.start < end]
    for block in sorted(shown):
        begin, until = max(block.start, start), min(block.end, end)
        areas.append(_area(begin, until, HALT, _HALT_Z, _label(block.reason)))
    return areas


def labelled(areas: Iterable[Annotation], candle: timedelta, end: datetime) -> list[Annotation]:
    """
    The areas, and their labels as areas without width, where they do not lie over one another.

    Parameters
    ----------
    candle : timedelta
        Length of one candle.
    end : datetime
        Where the chart ends: a label that would reach beyond it stands before it.
    """
    bare, labels = [], []
    for area in areas:
        if label := str(area.get("label", "")):
            half = len(label) * _CANDLES_A_LETTER / 2 * candle
            is_regime = area["z_level"] == _REGIME_Z
            parts = -(-(area["end"] - area["start"]) // (_CANDLES_A_LABEL * candle))
            wide = (area["end"] - area["start"]) / parts
            for number in range(parts if is_regime else 1):
                middle = area["start"] + (number + 0.5) * wide
                labels.append((min(middle, max(end - half, area["start"])), half, label, is_regime))
        bare.append({key: value for key, value in area.items() if key != "label"})
    return bare + list(_in_rows(sorted(labels)))


def _in_rows(
    labels: Iterable[tuple[datetime, timedelta, str, bool]],
) -> Iterator[Annotation]:
    """Middle, half width, text and whether it is a regime's, in the first row with room for it."""
    taken: list[datetime | None] = [None] * _ROWS
    for middle, half, text, is_regime in labels:
        free = (n for n, to in enumerate(taken) if n and (to is None or to <= middle - half))
        row = 0 if is_regime else next(free, _ROWS - 1)
        taken[row] = middle + half
        lowered = "\n" * (_LINES_APART * row) + text
        yield _area(middle, middle, _INK, _LABEL_Z, lowered)


def of_stop(path: StopPath, *, named: bool = True) -> list[Annotation]:
    """A stop as steps; where it is last is labelled, if it is to be named."""
    steps = list(zip(path.times, path.times[1:], path.levels, strict=False))
    lines = []
    for number, (start, end, level) in enumerate(steps):
        if number:
            lines.append(_line(start, start, path.levels[number - 1], level))
        lines.append(_line(start, end, level, level))
    if named:
        lines[-1]["label"] = "stop"
    return lines


def of_target(start: datetime, end: datetime, price: float, name: str) -> Annotation:
    """A close from which on a trade sells, over the trade's time."""
    line = _line(start, end, price, price)
    return line | {"color": TARGET, "line_style": "dashed", "label": name}


def _line(start: datetime, end: datetime, from_price: float, to_price: float) -> Annotation:
    return {
        "type": "line",
        "start": start,
        "end": end,
        "y_start": from_price,
        "y_end": to_price,
        "color": STOP,
        "width": 2,
        "line_style": "solid",
    }


def _regimes(frame: pd.DataFrame, candle: timedelta) -> Iterator[Annotation]:
    pair, market = frame["regime"].to_numpy(), frame["market_regime"].to_numpy()
    up = (pair == regime.UP) & (market == regime.UP)
    codes = np.where(market == regime.DOWN, 3, np.where(pair == regime.DOWN, 2, np.where(up, 1, 0)))
    looks = {1: (UP, "up"), 2: (DOWN, "pair down"), 3: (DOWN, "market down")}
    for first, last, code in _runs(codes):
        if code in looks:
            color, name = looks[code]
            label = name if last - first >= _LABELLED_CANDLES else ""
            yield _between(frame, first, last, candle, color, _REGIME_Z, label)


def _untrusted(frame: pd.DataFrame, candle: timedelta) -> Iterator[Annotation]:
    codes = frame["trust"].to_numpy()
    for first, last, _ in _runs(codes != DataQuality.OK):
        gravest = DataQuality(int(codes[first:last].max()))
        if gravest != DataQuality.OK:
            label = gravest.name.lower().replace("_", " ")
            yield _between(frame, first, last, candle, UNTRUSTED, _DATA_Z, label)


def _cooldowns(frame: pd.DataFrame, candle: timedelta) -> Iterator[Annotation]:
    intensity = frame["intensity"].to_numpy()
    for first, last, paused in _runs(frame["cooldown"].to_numpy() > 0):
        if paused:
            strongest = float(np.nanmax(intensity[first:last]))
            label = f"{Reason.VOLATILITY} {measure(Reason.VOLATILITY, strongest)}"
            yield _between(frame, first, last, candle, COOLDOWN, _COOLDOWN_Z, label)


def _runs(values: np.ndarray) -> Iterator[tuple[int, int, Any]]:
    """First position, the one after the last, and the value, of equal values in a row."""
    if not len(values):
        return
    borders = np.flatnonzero(values[1:] != values[:-1]) + 1
    starts = [0, *borders.tolist()]
    for first, last in zip(starts, [*starts[1:], len(values)], strict=True):
        yield first, last, values[first].item()


def _between(
    frame: pd.DataFrame,
    first: int,
    last: int,
    candle: timedelta,
    color: str,
    z: int,
    label: str,
) -> Annotation:
    dates = frame["date"]
    start, end = dates.iloc[first].to_pydatetime(), dates.iloc[last - 1].to_pydatetime()
    return _area(start, end + candle, color, z, label)


def _area(start: datetime, end: datetime, color: str, z: int, label: str) -> Annotation:
    area = {"type": "area", "start": start, "end": end, "color": color, "z_level": z}
    return area | ({"label": label} if label else {})


def _joined(blocks: Iterable[Block]) -> list[Block]:
    """Blocks of the same code that touch or overlap, as one with the first's reason."""
    joined: dict[str, list[Block]] = {}
    for block in sorted(blocks):
        known = joined.setdefault(block.reason.partition(" ")[0], [])
        if known and block.start <= known[-1].end:
            known[-1] = known[-1]._replace(end=max(known[-1].end, block.end))
        else:
            known.append(block)
    return [block for known in joined.values() for block in known]


def _label(reason: str) -> str:
    """A lock's reason without its end, which the area shows: 'DAILY_LOSS began at 3.1 % ...'."""
    return reason.partition(", until ")[0]
