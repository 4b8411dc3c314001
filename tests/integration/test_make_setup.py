"""How the Makefile sets itself up, and that what it installs is pinned."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.engine import ROOT


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def install(folder: Path, pythons: str) -> subprocess.CompletedProcess[str]:
    environment = folder / "environment"
    return make(f"VENV={environment}", f"PYTHONS={pythons}", f"{environment}/.installed")


def test_bare_make_lists_the_commands() -> None:
    """Nobody has to read the Makefile."""
    listed = re.findall(r"^  make (\w+) ", make().stdout, re.MULTILINE)
    assert {"backtest", "test", "lint", "format", "clean"} <= set(listed)


def test_machine_without_a_recent_python_is_told_so(tmp_path: Path) -> None:
    """An old `python3` is passed over; when nothing is left, one sentence says what is needed."""
    old = script(tmp_path / "python3.9", "exit 1")
    done = install(tmp_path, f"{old} no-such-python")
    assert done.returncode != 0
    assert "Python 3.11 or later is needed" in done.stderr
    assert not (tmp_path / "environment").exists()


def test_python_without_ensurepip_is_told_what_to_install(tmp_path: Path) -> None:
    """Debian and Ubuntu split it off."""
    bare = script(tmp_path / "python3", 'case "$2" in *ensurepip*) exit 1 ;; esac')
    done = install(tmp_path, str(bare))
    assert done.returncode != 0
    assert "python3-venv" in done.stderr


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def lock() -> str:
    return (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_every_locked_package_is_pinned_and_hashed() -> None:
    """What is installed is what was tried, byte for byte."""
    entries = re.split(r"\n(?=\S)", lock().strip())
    wrong = [
        entry.partition(" ")[0]
        for entry in entries
        if not re.match(r"[\w.-]+==\S+", entry) or "--hash=sha256:" not in entry
    ]
    assert wrong == []


@pytest.mark.parametrize("word", ["://", "--index", "--extra-index", "--find-links"])
def test_lock_names_no_place_to_download_from(word: str) -> None:
    """Where packages come from is the machine's affair."""
    assert word not in lock()


def test_everything_that_pyproject_asks_for_is_locked() -> None:
    """A dependency added without locking it again would be missing after `make`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = {re.match(r"[\w-]+", line)[0] for line in asked}  # type: ignore[index]
    locked = set(re.findall(r"^([\w.-]+)==", lock(), re.MULTILINE))
    assert names - locked == set()
