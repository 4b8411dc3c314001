"""The traded pairs side by side: what guards ask of them, worked out for all candles at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from ballast.core.columns import CandleColumns
from ballast.core.trust import DataQuality

# A plain number: comparing with a member of an enumeration is slow.
_TRUSTED = int(DataQuality.OK)


class CrossSection:
    """
    Trust, cooldown and fall of several pairs on one time axis.

    A pair that lacks a candle of the axis is untrusted there (`DataQuality.DISORDER`).

    Parameters
    ----------
    axis : CandleColumns
        Whose candles are the axis.
    columns_by_pair : mapping of str to CandleColumns
        By pair; with columns trust, cooldown, intensity and fall.

    Attributes
    ----------
    untrusted_count, cooling_count : ndarray of int
        By candle of the axis, pairs that are not trusted or missing, and that cool down.
    """

    def __init__(self, axis: CandleColumns, columns_by_pair: Mapping[str, CandleColumns]) -> None:
        self.axis = axis
        self.pairs = tuple(columns_by_pair)
        self.columns_by_pair = dict(columns_by_pair)
        known = [_found(axis, columns) for columns in columns_by_pair.values()]
        self._trust = _table(axis, known, "trust", float(DataQuality.DISORDER))
        self._cooldown = _table(axis, known, "cooldown", 0.0)
        self._intensity = _table(axis, known, "intensity", np.nan)
        self._fall = _table(axis, known, "fall", np.nan)
        # One look-up a candle tells that there is nothing to see, which is the usual case.
        self.untrusted_count = (self._trust != DataQuality.OK).sum(axis=0)
        self.cooling_count = (self._cooldown > 0).sum(axis=0)
        self._shares_fallen: dict[float, np.ndarray] = {}

    def trust_changes(self) -> np.ndarray:
        """By candle of the axis, whether another pair is trusted than at the candle before."""
        return changes(self._trust == _TRUSTED)

    def cooldown_changes(self) -> np.ndarray:
        """
        Likewise, whether another pair cools down, or the intensity of one that does is known for
        the first time.
        """
        cooling, known = self._cooldown > 0, np.isfinite(self._intensity)
        if known[cooling].all():
            return changes(cooling)
        position = np.arange(len(self.axis))
        begins = cooling.copy()
        # What was known before a candle that the axis lacks is known no longer.
        begins[:, 1:] &= ~cooling[:, :-1] | (np.diff(self.axis.opened) != self.axis.span)
        begun = np.maximum.accumulate(np.where(begins, position, 0), axis=1)
        told = np.maximum.accumulate(np.where(cooling & known, position, -1), axis=1)
        return changes(np.vstack((cooling, cooling & (told >= begun))))

    def share_fallen(self, by: float) -> np.ndarray:
        """
        By candle of the axis, share (0 to 1), of the pairs known, that are at least `by` (ratio)
        below their high; 0 where none is known.
        """
        if by not in self._shares_fallen:
            fallen, known = (self._fall >= by).sum(axis=0), np.isfinite(self._fall).sum(axis=0)
            shares = np.divide(fallen, known, out=np.zeros(len(self.axis)), where=known > 0)
            self._shares_fallen[by] = shares
        return self._shares_fallen[by]

    def at(self, now: datetime) -> "CrossSectionRow | None":
        """The row of the candle that ended at `now`; None where the axis lacks it."""
        position = self.axis.newest_at(now)
        return CrossSectionRow(self, position) if position >= 0 else None


class CrossSectionRow:
    """One candle of a cross-section."""

    __slots__ = ("_cross_section", "_position")

    def __init__(self, cross_section: CrossSection, position: int) -> None:
        self._cross_section = cross_section
        self._position = position

    @property
    def untrusted_count(self) -> int:
        """Number of pairs whose candle is not trusted or missing."""
        return int(self._cross_section.untrusted_count[self._position])

    def untrusted(self) -> dict[str, int]:
        """Trust code of every pair whose candle is not trusted or missing."""
        cross_section, position = self._cross_section, self._position
        if not cross_section.untrusted_count[position]:
            return {}
        codes = cross_section._trust[:, position].tolist()
        coded = zip(cross_section.pairs, codes, strict=True)
        return {pair: int(code) for pair, code in coded if code != _TRUSTED}

    def cooling(self) -> dict[str, tuple[float, float]]:
        """By pair that cools down after a shock: candles still to run at least, and intensity."""
        cross_section, position = self._cross_section, self._position
        if not cross_section.cooling_count[position]:
            return {}
        rows = zip(
            cross_section.pairs,
            cross_section._cooldown[:, position],
            cross_section._intensity[:, position],
            strict=True,
        )
        return {pair: (float(left), float(level)) for pair, left, level in rows if left > 0}

    def share_fallen(self, by: float) -> float:
        """See `CrossSection.share_fallen`."""
        return float(self._cross_section.share_fallen(by)[self._position])


def changes(flags: np.ndarray) -> np.ndarray:
    """By candle (the last axis), whether any flag is another than before; on the first it is."""
    changed = np.ones(flags.shape[-1], dtype=bool)
    differs = flags[..., 1:] != flags[..., :-1]
    changed[1:] = differs.any(axis=0) if flags.ndim > 1 else differs
    return changed


# A pair's columns, which candles of the axis it has, and where they are.
_Found = tuple[CandleColumns, np.ndarray, np.ndarray]


def _found(axis: CandleColumns, columns: CandleColumns) -> _Found:
    """Where the candles of an axis are in a pair's columns."""
    if not len(columns):
        nowhere = np.zeros(len(axis), dtype=bool)
        return columns, nowhere, np.empty(0, dtype=np.intp)
    at = np.minimum(np.searchsorted(columns.opened, axis.opened), len(columns) - 1)
    there = columns.opened[at] == axis.opened
    return columns, there, at[there]


def _table(axis: CandleColumns, known: Sequence[_Found], column: str, missing: float) -> np.ndarray:
    """Values by pair (rows) and candle of the axis (columns)."""
    table = np.full((len(known), len(axis)), missing, dtype=np.float32)
    for row, (columns, there, at) in enumerate(known):
        if len(at):
            table[row, there] = columns[column][at]
    return table
