"""`make compare` as it runs: a real sandbox, Freqtrade's own download, real backtests of both."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine import ROOT
from tests.html_page import Shown
from tools.run_backtest import find_strategies
from tools.run_compare import SAMPLES


@pytest.mark.slow
def test_samples_are_shown_alone_and_under_the_layer(tmp_path: Path) -> None:
    """Without an account, and without a line in the samples that knows of the layer."""
    page = tmp_path / "compare.html"
    command = [sys.executable, "-m", "tools.run_compare", "--days", "60", "--port", "0"]
    done = subprocess.run(
        [*command, "--userdir", str(tmp_path), "--html", str(page)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.partition("==> Running")[2]
    names = find_strategies(SAMPLES)
    assert len(names) == 2
    assert all(name in told for name in names)
    assert told.count("under the layer") >= len(names)
    assert len(Shown(page.read_text(encoding="utf-8")).charts) == len(names)


def test_samples_know_nothing_of_the_layer() -> None:
    for path in SAMPLES.glob("*.py"):
        assert "ballast" not in path.read_text(encoding="utf-8")
