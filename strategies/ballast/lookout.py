"""The lookout: the candles of the traded pairs and of the market leader, as guards look at them."""

import math
from collections.abc import Callable
from datetime import datetime

import numpy as np
import pandas as pd

from ballast.core.board import Board, BoardRow
from ballast.core.tape import Tape, Tapes
from ballast.core.trust import Trust
from ballast.core.warden import Warden

MARKET = "market"
_NO_CANDLES = Tape(pd.Series([], dtype="datetime64[ns, UTC]"), "1h", {})


class Lookout:
    """
    Sets the pairs side by side on one board, which is made anew when any has new candles.

    Parameters
    ----------
    tapes : Tapes
        By pair; that of the market leader under `MARKET`.
    pairs : callable
        Pairs that are traded now.
    warden : Warden
        Whose guards say which candles could stir them.
    """

    def __init__(self, tapes: Tapes, pairs: Callable[[], list[str]], warden: Warden) -> None:
        self._tapes = tapes
        self._traded = pairs
        self._warden = warden
        self._board: Board | None = None
        self._edition = -1
        self._stirring = np.zeros(0, dtype=bool)

    @property
    def pairs(self) -> tuple[str, ...]:
        """Pairs that are traded now."""
        return tuple(self._traded())

    def row(self, end: datetime) -> BoardRow | None:
        """The candles of all pairs that ended at `end`; None where the leader's is missing."""
        board = self._present()
        return board.at(end) if board is not None else None

    def leader(self, end: datetime) -> tuple[int, float]:
        """Trust code and fall (ratio) of the leader's candle that ended at `end`."""
        tape = self._tapes.get(MARKET)
        position = tape.completed_at(end) if tape is not None else -1
        if tape is None or not tape.is_fresh(position, end):
            return int(Trust.DISORDER), math.nan
        return int(tape["trust"][position]), float(tape["fall"][position])

    def is_calm(self, end: datetime) -> bool:
        """Whether the candles that ended at `end` cannot stir any guard that is calm itself."""
        board = self._present()
        if board is None:
            return False
        position = board.axis.completed_at(end)
        return board.axis.is_fresh(position, end) and not self._stirring[position]

    def all_arrived(self, end: datetime) -> bool:
        """Whether every pair and the leader have the candle that ended at `end`."""
        tapes = [self._tapes.get(name) for name in (MARKET, *self._traded())]
        return all(t is not None and t.is_fresh(t.completed_at(end), end) for t in tapes)

    def is_last(self, end: datetime) -> bool:
        """Whether no candle of the leader is known that ends after `end`."""
        tape = self._tapes.get(MARKET)
        return tape is not None and tape.ends_by(end)

    def _present(self) -> Board | None:
        axis = self._tapes.get(MARKET)
        if axis is None:
            return None
        pairs = self.pairs
        board = self._board
        if board is None or self._edition != self._tapes.edition or board.pairs != pairs:
            tapes = {pair: self._tapes.get(pair) or _NO_CANDLES for pair in pairs}
            board = self._board = Board(axis, tapes)
            self._edition = self._tapes.edition
            self._stirring = self._warden.stirred_by(board)
        return board
