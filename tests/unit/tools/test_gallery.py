"""The gallery shows what its command makes, all of it, in little room."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools import gallery
from tools.run_backtest import ROOT

PAGE = ROOT / "docs" / "gallery.md"
MOST_BYTES = 300_000


def test_each_picture_is_made_by_the_command_and_shown_on_the_page() -> None:
    shown = re.findall(r"\]\(gallery/([\w-]+)\.png\)", PAGE.read_text(encoding="utf-8"))
    kept = [path.stem for path in (ROOT / "docs" / "gallery").iterdir()]
    assert sorted(shown) == sorted(kept) == sorted(each.name for each in gallery.PICTURES)


def test_the_pictures_take_little_room_and_are_as_wide_as_said() -> None:
    paths = {each: ROOT / "docs" / "gallery" / f"{each.name}.png" for each in gallery.PICTURES}
    assert sum(path.stat().st_size for path in paths.values()) < MOST_BYTES
    for each, path in paths.items():
        # A PNG begins with its size.
        head = path.read_bytes()[:24]
        width, height = (int.from_bytes(head[at : at + 4], "big") for at in (16, 20))
        assert (width, height) == (each.width, each.height - each.top)


def test_without_a_run_of_make_paper_it_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "/bin/true")
    assert gallery.main(["--userdir", str(tmp_path), "--pictures", str(tmp_path / "out")]) == 2
    journal = tmp_path / "paper" / "journal.sqlite"
    assert capsys.readouterr().err == f"gallery: {journal} is not there: run make paper first\n"
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert gallery.main(["--userdir", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("gallery: there is no browser: expected one of ")
