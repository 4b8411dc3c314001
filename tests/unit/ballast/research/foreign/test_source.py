"""A strategy's class is found by its name, and imported by where its file is."""

from __future__ import annotations

from pathlib import Path

import pytest

from ballast.research.foreign.source import SourceError, find

CLASS = "from freqtrade.strategy import IStrategy\n\n\nclass {}(IStrategy):\n    pass\n"


def write(path: Path, name: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CLASS.format(name))
    return path


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("MACDStrategy.py", "from MACDStrategy import MACDStrategy"),
        ("other.py", "from other import MACDStrategy"),
        ("deep/shelf/macd.py", "from deep.shelf.macd import MACDStrategy"),
    ],
)
def test_import_line_says_file_and_class(tmp_path: Path, file: str, line: str) -> None:
    path = write(tmp_path / file, "MACDStrategy")
    source = find("MACDStrategy", tmp_path)
    assert source.path == path
    assert source.guarded_path == tmp_path / "GuardedMACDStrategy.py"
    text = source.two_lines()
    assert text.splitlines()[:2] == ["from ballast import guarded", line]
    assert "class GuardedMACDStrategy(guarded(MACDStrategy)):" in text
    compile(text, "GuardedMACDStrategy.py", "exec")


def test_what_lies_there_already_is_what_runs(tmp_path: Path) -> None:
    write(tmp_path / "Some.py", "Some")
    source = find("Some", tmp_path)
    assert source.guarded_text() == source.two_lines()
    source.guarded_path.write_text("# with stops of its own\n")
    assert source.guarded_text() == "# with stops of its own\n"


@pytest.mark.parametrize("name", ["1st", "My-Strategy", "class", "a.b", "", "../Some"])
def test_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="is not the name of a class"):
        find(name, tmp_path)


@pytest.mark.parametrize(
    ("file", "part", "better"),
    [("my-macd.py", "my-macd", "my_macd"), ("2024/Some.py", "2024", "_2024")],
)
def test_file_that_cannot_be_imported_is_refused(
    tmp_path: Path, file: str, part: str, better: str
) -> None:
    write(tmp_path / file, "Some")
    with pytest.raises(SourceError) as refused:
        find("Some", tmp_path)
    assert str(refused.value) == (
        f"{file} cannot be imported because {part!r} is no name in Python: rename it, to "
        f"{better!r} for instance"
    )


def test_name_that_is_near_is_offered(tmp_path: Path) -> None:
    write(tmp_path / "deep" / "MACDStrategy.py", "MACDStrategy")
    with pytest.raises(SourceError, match=r"has no class MacdStrategy.*mean MACDStrategy\?"):
        find("MacdStrategy", tmp_path)


def test_class_in_two_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "one.py", "Some")
    write(tmp_path / "deep" / "two.py", "Some")
    with pytest.raises(SourceError, match=r"Some is in several files of .*: deep/two.py, one.py"):
        find("Some", tmp_path)


def test_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not a folder"):
        find("Some", tmp_path / "gone")


def test_file_that_is_no_python_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("class Some(IStrategy\n")
    with pytest.raises(SourceError, match=r"broken.py, line 1 cannot be read as Python: '\(' was"):
        find("Some", tmp_path)


def test_broken_files_and_the_layer_itself_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "Some.py", "Some")
    write(tmp_path / "ballast" / "Some.py", "Some")
    write(tmp_path / ".git" / "Some.py", "Some")
    (tmp_path / "broken.py").write_text("class Other(IStrategy\n")
    assert find("Some", tmp_path).path == tmp_path / "Some.py"
