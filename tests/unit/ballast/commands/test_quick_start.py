"""A question to the journal is answered before anything is imported that takes time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ballast.config.settings import JournalSettings
from ballast.journal.store import Journal
from tests.engine import ROOT
from tests.processes import python_path
from tests.unit.ballast.commands.test_journal import VERSION, written

# Each costs more than the whole answer may.
HEAVY = ("pandas", "numpy", "freqtrade.exchange", "sqlalchemy", "pydantic", "ccxt", "talib")
# Twice what is imported now; a module of the standard library more is no matter.
MOST_MODULES = 600
PROGRAM = """
import json, sys
from ballast.__main__ import main
code = main(sys.argv[1:])
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bot's folder with a journal."""
    (tmp_path / "config.json").write_text(json.dumps({"dry_run": True}))
    journal = Journal(tmp_path / "user_data" / "ballast_journal.dryrun.sqlite", JournalSettings())
    journal.write(VERSION, *written())
    journal.file.engine.dispose()
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["why", "ETH/USDT"],
        ["why", "--trade", "4"],
        ["review", "--since", "2024-03-01"],
        ["--help"],
    ],
)
def test_it_imports_neither_pandas_nor_freqtrades_exchange(
    folder: Path, arguments: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**os.environ, "PYTHONPATH": python_path(ROOT / "strategies")},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if arguments == ["--help"]:
        assert done.returncode == 0
        return
    assert done.returncode == 0, done.stderr
    imported = set(json.loads(done.stderr.splitlines()[-1]))
    assert not imported & set(HEAVY)
    assert len(imported) < MOST_MODULES
