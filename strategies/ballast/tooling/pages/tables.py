"""Tables of a page: cells are text, with a tone where a colour helps to read."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ballast.tooling.pages.rendering import render

# Percent of the colour in the background of a cell with full tone, and from where it is seen.
_FULL_TINT, _LEAST_TONE = 38, 0.02


@dataclass(frozen=True)
class Cell:
    """
    One cell.

    Parameters
    ----------
    tone : float
        -1 (bad) to 1 (good): how strongly it is tinted.
    grey : bool
        There is too little behind it.
    """

    text: str
    tone: float = 0.0
    grey: bool = False

    @property
    def tint(self) -> int:
        """Percent of the colour; 0 where it has none."""
        plain = self.grey or abs(self.tone) <= _LEAST_TONE
        return 0 if plain else round(_FULL_TINT * abs(self.tone))


Row = Sequence[str | Cell]
# What it is, what it came to, and a remark.
Fact = tuple[str, str, str]


def table(
    heads: Sequence[str], rows: Sequence[Row], caption: str = "", words: Collection[str] = ()
) -> Markup:
    """
    A table whose first column names the row; it scrolls sideways where it is too wide.

    Parameters
    ----------
    words : collection of str
        Heads of columns that hold words, not numbers.
    """
    cells = [[Cell(each) if isinstance(each, str) else each for each in row] for row in rows]
    return render("table.html", heads=heads, rows=cells, caption=caption, words=words)


def facts(rows: Sequence[Fact]) -> Markup:
    """Facts below one another."""
    return render("facts.html", rows=rows)


def tone(value: float, full: float) -> float:
    """How strongly a value is tinted that deserves the full colour at `full`."""
    if not math.isfinite(value) or full <= 0:
        return 0.0
    return max(-1.0, min(1.0, value / full))
