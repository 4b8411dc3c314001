"""The traded pairs side by side: what guards ask of them, worked out for all candles at once."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np

from ballast.core.tape import Tape
from ballast.core.trust import Trust

# A plain number: comparing with a member of an enumeration is slow.
_TRUSTED = int(Trust.OK)


class Board:
    """
    Trust, cooldown and fall of several pairs on one time axis.

    A pair that lacks a candle of the axis is untrusted there (`Trust.DISORDER`).

    Parameters
    ----------
    axis : Tape
        Whose candles are the axis.
    tapes : mapping of str to Tape
        By pair; with columns trust, cooldown, intensity and fall.

    Attributes
    ----------
    untrusted_count, cooling_count : ndarray of int
        By candle of the axis, pairs that are not trusted or missing, and that cool down.
    deepest_fall : ndarray of float
        By candle of the axis, of all pairs (ratio); 0 where none is known.
    """

    def __init__(self, axis: Tape, tapes: Mapping[str, Tape]) -> None:
        self.axis = axis
        self.pairs = tuple(tapes)
        self.tapes = dict(tapes)
        self._trust = _table(axis, tapes, "trust", float(Trust.DISORDER))
        self._cooldown = _table(axis, tapes, "cooldown", 0.0)
        self._intensity = _table(axis, tapes, "intensity", np.nan)
        self._fall = _table(axis, tapes, "fall", np.nan)
        # One look-up a candle tells that there is nothing to see, which is the usual case.
        self.untrusted_count = (self._trust != Trust.OK).sum(axis=0)
        self.cooling_count = (self._cooldown > 0).sum(axis=0)
        self.deepest_fall = np.fmax.reduce(self._fall, axis=0, initial=0.0)

    def at(self, now: datetime) -> "BoardRow | None":
        """The row of the candle that ended at `now`; None where the axis lacks it."""
        position = self.axis.completed_at(now)
        return BoardRow(self, position) if self.axis.is_fresh(position, now) else None


class BoardRow:
    """One candle of a board."""

    __slots__ = ("_board", "_position")

    def __init__(self, board: Board, position: int) -> None:
        self._board = board
        self._position = position

    @property
    def untrusted_count(self) -> int:
        """Number of pairs whose candle is not trusted or missing."""
        return int(self._board.untrusted_count[self._position])

    def untrusted(self) -> dict[str, int]:
        """Trust code of every pair whose candle is not trusted or missing."""
        board, position = self._board, self._position
        if not board.untrusted_count[position]:
            return {}
        codes = board._trust[:, position]
        return {board.pairs[row]: int(codes[row]) for row in np.flatnonzero(codes != _TRUSTED)}

    def cooling(self) -> dict[str, tuple[float, float]]:
        """By pair that cools down after a shock: candles still to run at least, and intensity."""
        board, position = self._board, self._position
        if not board.cooling_count[position]:
            return {}
        rows = zip(
            board.pairs, board._cooldown[:, position], board._intensity[:, position], strict=True
        )
        return {pair: (float(left), float(level)) for pair, left, level in rows if left > 0}

    def share_fallen(self, by: float) -> float:
        """Share (0 to 1), of the pairs known, that are at least `by` (ratio) below their high."""
        board, position = self._board, self._position
        if board.deepest_fall[position] < by:
            return 0.0
        falls = board._fall[:, position]
        return float((falls >= by).sum() / np.isfinite(falls).sum())


def _table(axis: Tape, tapes: Mapping[str, Tape], column: str, missing: float) -> np.ndarray:
    """Values by pair (rows) and candle of the axis (columns)."""
    table = np.full((len(tapes), len(axis)), missing, dtype=np.float32)
    for row, tape in enumerate(tapes.values()):
        if not len(tape):
            continue
        at = np.searchsorted(tape.opened, axis.opened)
        at = np.minimum(at, len(tape) - 1)
        there = tape.opened[at] == axis.opened
        table[row, there] = tape[column][at[there]]
    return table
