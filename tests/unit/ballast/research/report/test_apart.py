"""What trades imports no tool: a broken report cannot stop a bot, nor slow its start."""

from __future__ import annotations

import ast

from tests.engine import ROOT

STRATEGIES = ROOT / "strategies"
# Folders of tools; everything else is beside or below a strategy.
TOOLS = ("research", "commands", "ops", "tooling")


def imported(text: str) -> set[str]:
    """Names of the modules that a source imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_nothing_that_trades_imports_the_report() -> None:
    tools = [STRATEGIES / "ballast" / tool for tool in TOOLS]
    sources = [
        path
        for path in STRATEGIES.rglob("*.py")
        if not any(path.is_relative_to(tool) for tool in tools)
    ]
    guilty = {
        path.name
        for path in sources
        for name in imported(path.read_text(encoding="utf-8"))
        if name.startswith(("ballast.research", "plotly"))
    }
    assert len(sources) > 60
    assert guilty == set()
