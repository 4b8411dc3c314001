"""Tables of a terminal: whole at eighty columns, and no word of them cut."""

from collections.abc import Collection

from rich.box import SIMPLE_HEAD
from rich.table import Table


def table(*heads: str, numbers: Collection[str] = (), title: str = "", style: str = "") -> Table:
    """
    A table to add rows to.

    Parameters
    ----------
    numbers : collection of str
        Heads of columns that hold numbers.
    title : str
        Above it; rich's markup is read.
    style : str
        Of the title.
    """
    made = Table(box=SIMPLE_HEAD, pad_edge=False, title=title or None, title_justify="left")
    made.title_style = style or "bold"
    for head in heads:
        # What is too long goes on in the next line: a code that is cut cannot be looked up.
        made.add_column(head, overflow="fold", justify="right" if head in numbers else "left")
    return made
