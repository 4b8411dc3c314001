"""Where a bot of a test has kept its journal: its name has the identity of the bot's database."""

from __future__ import annotations

from pathlib import Path


def journals_in(folder: Path) -> list[Path]:
    """Every bot's journal in a folder, by name."""
    found = folder.glob("ballast_journal*.sqlite")
    return sorted(path for path in found if path.name != "ballast_journal.backtest.sqlite")


def journal_in(folder: Path) -> Path:
    """The only one."""
    (path,) = journals_in(folder)
    return path
