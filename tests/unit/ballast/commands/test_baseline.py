"""`python -m ballast baseline`: a backtest becomes what live results are compared with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ballast.__main__ import main
from ballast.config import settings
from tests.unit.ballast.research.report.made import trade, write_zip


def test_section_is_printed_as_the_settings_take_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stops at 95 of 100: a profit of 10 is 2 R, a loss of 5 is 1 R."""
    trades = [trade(10.0, day) if day % 2 else trade(-5.0, day) for day in range(1, 41)]
    path = write_zip(tmp_path / "a.zip", trades, days=60)
    assert main(["baseline", str(path)]) == 0
    section = json.loads(capsys.readouterr().out)["ballast"]
    figures = {"mean_r": 0.5, "sd_r": 1.5191, "trades": 40, "strategy": "Made"}
    assert section["guards"]["EdgeDecay"] == figures
    assert settings.load(section).guards.is_on("EdgeDecay")


@pytest.mark.parametrize(
    ("profits", "sentence"),
    [
        (
            [10.0, -5.0, -4.0] * 12,
            "36 trades of this backtest made +0.07 R each, where luck alone makes 0.23 R",
        ),
        ([10.0, 10.0], "this backtest is no baseline"),
        ([10.0], "this backtest has 1 trade with a result in R: expected two or more"),
    ],
)
def test_backtest_that_shows_nothing_is_refused(
    profits: list[float], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trades = [trade(profit, day + 1.0) for day, profit in enumerate(profits)]
    assert main(["baseline", str(write_zip(tmp_path / "a.zip", trades, days=60))]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said


def test_strategy_must_be_one_of_the_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_zip(tmp_path / "a.zip", [trade(1.0)])
    assert main(["baseline", str(path), "--strategy", "Nobody"]) == 2
    assert "--strategy is 'Nobody': expected one of Made" in capsys.readouterr().err
