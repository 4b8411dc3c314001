"""Codes of trust in a candle, apart from what gives them: a reader of the journal needs no more."""

from enum import IntEnum


class DataQuality(IntEnum):
    """
    Why a candle is or is not trusted; the larger code is the graver finding.

    From FILLED_HOLE on the candle itself is at fault, below it only what came before it.
    """

    OK = 0
    SHORT_HISTORY = 1
    AFTER_HOLE = 2
    AFTER_ABSURD_BAR = 3
    FILLED_HOLE = 4
    ABSURD_BAR = 5
    BAD_BAR = 6
    DISORDER = 7
