"""What `adopt` says of columns that do not peek and are worth a word, and of where it wrote."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ballast.commands import adopt
from ballast.research.backtests import Task, TaskError
from ballast.research.foreign.lookahead import Examined, Peek
from ballast.research.foreign.proof import Proof
from ballast.research.foreign.source import Source

PAIRS = ("BTC/USDT", "ETH/USDT")


def words(console: Console) -> str:
    """What was printed, in one line; the frames of tables left out."""
    return " ".join(console.export_text().replace("─", " ").split())


def shown(tmp_path: Path, **examined: Any) -> str:
    console = Console(record=True, width=200, file=StringIO())
    source = Source("Some", "Some", tmp_path / "Some.py", tmp_path)
    adopt._show(source, Proof(Examined(14, **examined), PAIRS), console)
    return words(console)


def test_a_column_that_differs_on_the_same_candles_is_no_proof_of_anything(tmp_path: Path) -> None:
    text = shown(tmp_path, unstable=frozenset({"noise", "clock"}))
    assert "No column of Some peeks: in 14 cuts of 2 pairs none changed when later candles" in text
    assert "Not comparable, different on the very same candles: clock, noise." in text


def test_what_depends_on_the_history_is_a_warm_up_or_tied_to_the_first_candle(
    tmp_path: Path,
) -> None:
    history = {"ema": (0.2, 0.01, 1e-6), "since": (0.5, 0.5, 0.5), "rsi": (1e-5, 1e-6, 1e-7)}
    text = shown(tmp_path, histories=(100, 400, 1600), history=history)
    assert "Depends on the history, which is no look-ahead" in text
    assert "ema 20 % 1 % under 0.001 % warm-up" in text
    assert "since 50 % 50 % 50 % tied to the first candle" in text
    assert "1 more column settled to within 0.01 % after the warm-up." in text
    assert "rsi" not in text


def test_columns_that_peek_are_shown_with_signals_first_and_the_rest_counted(
    tmp_path: Path,
) -> None:
    opened = datetime(2024, 3, 1, tzinfo=UTC)
    names = [*(f"c{n:02}" for n in range(41)), "enter_long"]
    peeks = {name: Peek("BTC/USDT", opened, 0.0, 1.0, 3) for name in names}
    text = shown(tmp_path, peeks=peeks)
    assert text.index("enter_long BTC/USDT 2024-03-01 00:00 0 1 3 of 14") < text.index("c00")
    assert "and 2 more" in text
    assert text.endswith(
        "Some peeks: 42 columns of it changed when later candles came, in 14 cuts of 2 pairs; so "
        "did its signals (enter_long)."
    )


@pytest.mark.parametrize(("beside", "installed"), [(True, False), (False, True), (False, False)])
def test_where_freqtrade_finds_no_layer_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: bool, installed: bool
) -> None:
    def version(name: str) -> str:
        if installed:
            return "0.2.0"
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", version)
    if beside:
        (tmp_path / "ballast").mkdir()
    console = Console(record=True, width=400, file=StringIO())
    adopt._write(Source("Some", "Some", tmp_path / "Some.py", tmp_path), console)
    text = words(console)
    assert text.startswith(f"{tmp_path / 'GuardedSome.py'} is written: run GuardedSome as you ")
    assert ("Freqtrade finds no ballast there: copy" in text) is not (beside or installed)


def test_a_baseline_that_cannot_be_measured_says_why_the_guard_stays_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(task: Task) -> Any:
        raise TaskError("nothing was traded")

    monkeypatch.setattr(adopt, "run_backtest", fails)
    console = Console(record=True, width=200, file=StringIO())
    task = Task({}, {}, "GuardedSome", "", str(tmp_path / "sandbox"), "", PAIRS)
    adopt._show_baseline(task, console)
    assert words(console) == ("The guard EdgeDecay stays off under GuardedSome: nothing was traded")
