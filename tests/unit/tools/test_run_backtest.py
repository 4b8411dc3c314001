"""What `make backtest` decides before it starts anything."""

from pathlib import Path

import pytest

from tools.run_backtest import BacktestError, find_strategies, main


def test_every_file_beside_the_packages_is_a_strategy(tmp_path: Path) -> None:
    """A new strategy cannot be forgotten: its file is enough."""
    for name in ("Zeta.py", "Alpha.py", "_draft.py", "Alpha.json"):
        (tmp_path / name).touch()
    (tmp_path / "ballast").mkdir()
    assert find_strategies(tmp_path) == ["Alpha", "Zeta"]


def test_folder_without_strategies_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is started when there is nothing to test."""
    with pytest.raises(BacktestError, match="No strategy found in"):
        find_strategies(tmp_path)
    assert main(["--strategy-path", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"make backtest: No strategy found in {tmp_path}.\n"
