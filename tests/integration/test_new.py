"""`python -m ballast new`: a strategy that trades and a test that passes, or one sentence."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ballast.__main__ import main
from ballast.commands import new
from ballast.research.backtests import TaskError
from ballast.research.rehearsal import rehearse, walks
from ballast.tooling.typed import typed
from tests.engine import ROOT

EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("[A-Z]*.py"))


def command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """As a person types it, with the layer in the strategies' folder or installed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "strategies")}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize("more", [[], ["--like", "weeklyrank"]], ids=["template", "example"])
def test_the_strategy_backtests_and_its_test_passes(more: list[str], tmp_path: Path) -> None:
    """
    The test that is written runs Freqtrade's own backtest of the strategy; of one that compares
    pairs of a basket, too.
    """
    answer = command("ballast", "new", "Fresh", "--strategy-path", "mine", *more, folder=tmp_path)
    assert answer.returncode == 0, answer.stderr
    written = [path.relative_to(tmp_path) for path in tmp_path.rglob("*.py")]
    assert sorted(map(str, written)) == ["mine/Fresh.py", "tests/test_fresh.py"]
    (line,) = re.findall(r"python -m (pytest .*)", answer.stdout)
    tested = command(*line.split(), folder=tmp_path)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "2 passed" in tested.stdout


def test_the_written_test_names_a_rule_that_is_never_met(tmp_path: Path) -> None:
    main(["new", "Fresh", "--strategy-path", str(tmp_path / "mine")])
    path = tmp_path / "mine" / "Fresh.py"
    never = path.read_text(encoding="utf-8").replace('pair.rsi("14h"), 80', 'pair.rsi("14h"), -1')
    path.write_text(never, encoding="utf-8")
    found = rehearse(path)
    assert [name for name, met in found.met.items() if not 0 < met < 1] == ["not_overheated"]
    assert not found.entries


@pytest.mark.parametrize("timeframe", ["5m", "4h", "1d", "1w"])
def test_made_up_candles_have_prices_that_an_exchange_quotes(timeframe: str) -> None:
    """Years of daily ones led to a price of nothing, which Freqtrade cannot round an amount by."""
    for frame in walks(timeframe, 7_000 if timeframe != "1w" else 5_000, 2, seed=7):
        assert frame["low"].min() > 0.01
        assert frame["high"].max() < 1e6
        jumps = (frame["close"] / frame["open"] - 1).abs()
        assert 0 < jumps.median() < jumps.max() < 1.5


def test_a_strategy_that_fails_is_told_in_a_sentence(tmp_path: Path) -> None:
    main(["new", "Fresh", "--strategy-path", str(tmp_path / "mine")])
    path = tmp_path / "mine" / "Fresh.py"
    wrong = path.read_text(encoding="utf-8").replace('at="4R"', 'at="4 ATR"')
    path.write_text(wrong, encoding="utf-8")
    sentence = r"^Fresh cannot run on timeframe 1h: sell\(at='4 ATR'\): expected a profit"
    with pytest.raises(TaskError, match=sentence):
        rehearse(path)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_can_be_begun_with(example: str, tmp_path: Path) -> None:
    assert (
        main(["new", "Fresh", "--like", example.lower(), "--strategy-path", str(tmp_path / "mine")])
        == 0
    )
    text = (tmp_path / "mine" / "Fresh.py").read_text(encoding="utf-8")
    compile(text, "Fresh.py", "exec")
    assert "class Fresh(GuardedStrategy)" in text
    assert not re.search(rf"\b{example}\b", text)


@pytest.mark.parametrize("name", ["my-trend", "2fast", "class", "_hidden", "", "a b"])
def test_what_names_no_class_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", name, "--strategy-path", str(tmp_path / "mine")]) == 2
    assert capsys.readouterr().err == (
        f"ballast: {name!r} names no class: expected letters, digits and underscores, such as "
        "Momentum\n"
    )
    assert not list(tmp_path.iterdir())


def test_a_class_of_a_small_letter_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "lower", "--strategy-path", str(tmp_path / "mine")]) == 2
    assert capsys.readouterr().err == (
        "ballast: 'lower' begins with a small letter: expected the name of a class, such as Lower\n"
    )
    assert not list(tmp_path.iterdir())


def test_the_backtest_that_is_named_is_one_that_there_are_candles_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the repository, without an exchange's candles: on the generated market."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text(
        '{"strategy_path": "mine", "exchange": {"name": "binance"}}', encoding="utf-8"
    )
    main(["new", "First"])
    assert "freqtrade backtesting -c config.json --strategy First\n" in capsys.readouterr().out
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "run_backtest.py").touch()
    main(["new", "Second"])
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith("python -m tools.run_backtest --strategies Second")
    candles = tmp_path / "user_data" / "data" / "binance" / "BTC_USDT-1h.feather"
    candles.parent.mkdir(parents=True)
    candles.touch()
    main(["new", "Third"])
    assert "freqtrade backtesting" in capsys.readouterr().out


def test_what_is_printed_to_be_run_leads_to_this_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its folder is not on the path, `python` is another one, or none."""
    monkeypatch.chdir(tmp_path)
    own = Path(sys.executable)
    monkeypatch.setenv("PATH", str(own.parent))
    assert typed(own.name) == own.name
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(typed(own.name)) == own
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    assert typed("python") == ".venv/bin/python"


@pytest.mark.parametrize("there", ["mine/Fresh.py", "tests/test_fresh.py"])
def test_what_is_there_is_left_as_it_is(
    there: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / there
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine", encoding="utf-8")
    assert main(["new", "Fresh", "--strategy-path", str(tmp_path / "mine")]) == 2
    sentence = f"ballast: {path} is there already: choose another name, or move it\n"
    assert capsys.readouterr().err == sentence
    assert [found.name for found in tmp_path.rglob("*.py")] == [path.name]
    assert path.read_text(encoding="utf-8") == "mine"


def test_an_unknown_example_is_answered_with_those_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "Fresh", "--like", "trend", "--strategy-path", str(tmp_path / "mine")]) == 2
    assert capsys.readouterr().err == (
        f"ballast: --like trend is no example: expected one of {', '.join(EXAMPLES)}\n"
    )
    assert not list(tmp_path.iterdir())


def test_examples_are_said_to_be_in_the_repository_where_there_are_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the layer was copied beside other strategies."""
    monkeypatch.setattr(new, "_EXAMPLES", tmp_path / "examples")
    folder = str(tmp_path / "mine")
    assert main(["new", "Fresh", "--like", "supertrend", "--strategy-path", folder]) == 2
    assert capsys.readouterr().err == (
        "ballast: --like supertrend is no example: expected one of those of the repository, and "
        f"{tmp_path / 'examples'} has none\n"
    )
    assert main(["new", "Fresh", "--strategy-path", folder]) == 0
