"""Custom data of trades is reached through one module, which lets its session go."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.engine import ROOT

SOURCE = ROOT / "strategies" / "ballast"
FREQTRADES = {
    "get_custom_data",
    "set_custom_data",
    "get_custom_data_entry",
    "get_all_custom_data",
    "delete_custom_data",
}


def users() -> set[Path]:
    """Modules that call one of Freqtrade's functions for custom data."""
    return {
        path.relative_to(SOURCE)
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in FREQTRADES
    }


def test_nobody_else_opens_a_session_of_custom_data() -> None:
    """A callback that does may be asked in a request, and leaves a connection behind there."""
    assert users() == {Path("risk/custom_data.py")}
