"""Tables of a page: cells are text or ready HTML, with a tone where a colour helps to read."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass


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


Row = Sequence[str | Cell]
# What it is, what it came to, and a remark.
Fact = tuple[str, str, str]


def table(heads: Sequence[str], rows: Sequence[Row], caption: str = "") -> str:
    """A table whose first column names the row; it scrolls sideways where it is too wide."""
    head = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in heads)
    body = "".join(_row(row) for row in rows)
    title = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    name = html.escape(caption or heads[0] or "table", quote=True)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{name}"><table>{title}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def facts(rows: Sequence[Fact]) -> str:
    """Facts below one another."""
    lines = (
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}"
        + (f"<span>{html.escape(remark)}</span>" if remark else "")
        + "</dd></div>"
        for name, value, remark in rows
    )
    return f"<dl>{''.join(lines)}</dl>"


def tone(value: float, full: float) -> float:
    """How strongly a value is tinted that deserves the full colour at `full`."""
    if not math.isfinite(value) or full <= 0:
        return 0.0
    return max(-1.0, min(1.0, value / full))


def _row(row: Row) -> str:
    first, *others = row
    return f'<tr><th scope="row">{_content(first)}</th>{"".join(map(_data, others))}</tr>'


def _data(cell: str | Cell) -> str:
    if isinstance(cell, str):
        return f"<td>{html.escape(cell)}</td>"
    style = ""
    if abs(cell.tone) > 0.02 and not cell.grey:
        colour = "--good" if cell.tone > 0 else "--bad"
        strength = round(38 * abs(cell.tone))
        style = f' style="background:color-mix(in srgb,var({colour}) {strength}%,transparent)"'
    grey = ' class="grey"' if cell.grey else ""
    return f"<td{grey}{style}>{html.escape(cell.text)}</td>"


def _content(cell: str | Cell) -> str:
    """Text of a row's head; dotted names may break at their dots on a narrow screen."""
    text = html.escape(cell if isinstance(cell, str) else cell.text)
    return text.replace(".", ".<wbr>").replace("_", "_<wbr>")
