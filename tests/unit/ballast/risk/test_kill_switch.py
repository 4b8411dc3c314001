"""The kill file: nothing is entered while it is there, or while that cannot be told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ballast.core.verdict import ALLOW
from ballast.risk.kill_switch import KillSwitch


def test_file_blocks_and_flattens_until_it_is_gone(tmp_path: Path) -> None:
    told: list[str] = []
    path = tmp_path / "KILL"
    kill = KillSwitch(path, True, told.append)
    assert (kill.verdict(), kill.flattens) == (ALLOW, None)
    path.touch()
    assert kill.verdict().code == "KILL_FILE"
    assert kill.verdict().blocks
    assert kill.flattens == "KILL_FILE"
    path.unlink()
    assert (kill.verdict(), kill.flattens) == (ALLOW, None)
    assert [text.split(": ")[-1] for text in told] == [
        "no entries, positions are sold",
        "entries are allowed again",
    ]


def test_policy_halt_keeps_positions(tmp_path: Path) -> None:
    (tmp_path / "KILL").touch()
    kill = KillSwitch(tmp_path / "KILL", False, lambda text: None)
    assert kill.verdict().blocks
    assert kill.flattens is None


def test_link_to_nowhere_is_there(tmp_path: Path) -> None:
    (tmp_path / "KILL").symlink_to(tmp_path / "gone")
    assert KillSwitch(tmp_path / "KILL", True, lambda text: None).verdict().code == "KILL_FILE"


@pytest.mark.parametrize("name", ["gone/KILL", "file/KILL"])
def test_folder_that_cannot_be_looked_into_blocks_and_sells_nothing(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    kill = KillSwitch(tmp_path / name, True, lambda text: None)
    assert kill.verdict().code == "KILL_FILE_UNREADABLE"
    assert kill.verdict().blocks
    assert kill.flattens is None


def test_refused_access_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "refused")

    monkeypatch.setattr(os, "lstat", refuse)
    kill = KillSwitch(tmp_path / "KILL", True, lambda text: None)
    assert kill.verdict().code == "KILL_FILE_UNREADABLE"


def test_operator_who_cannot_be_told_opens_nothing(tmp_path: Path) -> None:
    def fail(text: str) -> None:
        raise OSError("no line")

    (tmp_path / "KILL").touch()
    assert KillSwitch(tmp_path / "KILL", True, fail).verdict().blocks


def test_backtest_has_no_switch() -> None:
    kill = KillSwitch(None, True, lambda text: None)
    assert (kill.verdict(), kill.flattens) == (ALLOW, None)
