"""What the recorder of a run looks at."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ballast.core.account import Account
from ballast.core.columns import CandleColumns
from ballast.core.decision import Position
from ballast.core.rulebook import Rulebook


@dataclass(frozen=True)
class Sources:
    """
    What the recorder looks at.

    Parameters
    ----------
    columns_of, rulebook_of : callable
        Give what a pair's analysis left, or None.
    pairs : callable
        Pairs that are traded now.
    positions : callable
        What the account has, by pair, at a candle's end.
    obstacle : callable
        Why Freqtrade would not ask for an entry of a pair at a moment: code, value, limit; or None.
    account : callable
        The account at a candle's end.
    is_last : callable
        Whether a moment is the end of a backtest.
    """

    columns_of: Callable[[str], CandleColumns | None]
    rulebook_of: Callable[[str], Rulebook | None]
    pairs: Callable[[], Iterable[str]]
    positions: Callable[[datetime], Mapping[str, Position]]
    obstacle: Callable[[str, datetime], tuple[str, float, float] | None]
    account: Callable[[datetime], Account]
    is_last: Callable[[datetime], bool]
