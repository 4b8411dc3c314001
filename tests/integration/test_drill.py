"""Switching off, rehearsed: a bot that trades live on the sandbox sells all it holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ballast.ops.drill import rehearse
from tests.processes import ROOT

# Loops are five seconds apart; the first that sees the file sells.
WITHIN_S = 30.0


@pytest.mark.slow
def test_kill_file_leaves_no_exposure_on_the_exchanges_books(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    config = json.loads((ROOT / "config.json").read_text(encoding="utf-8"))
    ways = rehearse(config, ROOT / "strategies", tmp_path)
    result = next(ways)
    ways.close()
    assert (result.held, result.stops) == (0, 0)
    assert result.seconds is not None
    assert result.seconds < WITHIN_S
    log = (tmp_path / "bot.log").read_text(encoding="utf-8")
    assert "KILL is there: no entries, positions are sold" in " ".join(log.split())
    assert "flatten: KILL_FILE" in log
