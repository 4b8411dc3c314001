"""Tables are whole at eighty columns, and no code in them is cut."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from ballast import commands
from ballast.commands.tables import table
from ballast.core.reasons import Reason


@pytest.mark.parametrize("width", [8, 16, 80])
def test_a_word_too_long_goes_on_in_the_next_line(width: int) -> None:
    longest = max(Reason, key=len)
    shown = table("code")
    shown.add_row(longest)
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(shown)
    _, _, _, *lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= width
    assert "".join(line.strip() for line in lines) == longest


def test_every_command_makes_its_tables_in_one_way() -> None:
    folder = Path(commands.__file__).parent
    others = {
        path.name
        for path in folder.glob("*.py")
        if path.name != "tables.py" and re.search(r"\bTable\(", path.read_text(encoding="utf-8"))
    }
    assert others == set()
