"""Differences in a terminal: every code whole, where there is room for it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from ballast.commands.drift import differences

ROWS = [
    ("fills", "SOL/USDT", "2024-10-20 17:00", "worse stop fill", "21.7 bps", "3.0 bps"),
    (
        "fills",
        "BTC/USDT",
        "2024-10-24 14:00",
        "exit",
        "chandelier_exit 10-25 05:00",
        "trailing_stop_loss 10-24 14:00",
    ),
]


LONG = [
    (
        "sizing and gate",
        "WAN/USDT",
        "2024-10-21 10:00",
        "outcome",
        "REFUSED PRICE_MOVED",
        "ENTERED",
    ),
    (
        "fills",
        "SUI/USDT",
        "2024-10-23 09:00",
        "exit",
        "stop_through_market 10-23 09:40",
        "trailing_stop_loss 10-23 09:00",
    ),
]


@pytest.mark.parametrize("rows", [ROWS, [*ROWS, *LONG]])
@pytest.mark.parametrize("width", [80, 120])
def test_codes_are_whole_and_no_line_is_cut(
    width: int, rows: list[tuple[str, str, str, str, str, str]]
) -> None:
    """'stop_throu' and 'gh_market' stood below one another: it can be looked up as neither."""
    written = io.StringIO()
    Console(width=width, file=written).print(differences(rows, width))
    shown = written.getvalue()
    assert all(word in shown for row in rows for cell in row for word in cell.split())


def test_where_there_is_no_room_words_go_on_in_the_next_line() -> None:
    written = io.StringIO()
    Console(width=60, file=written).print(differences(ROWS, 60))
    rule = "\N{BOX DRAWINGS LIGHT HORIZONTAL}"
    letters = "".join(written.getvalue().replace(rule, "").split())
    told = "".join("".join(cell.split()) for row in ROWS for cell in row)
    assert len(letters) == len("layerpaircandle(UTC)whatbotreplay") + len(told)
