"""Where commands look for candles: where they are, and said where that is not the usual place."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from ballast.commands.backtest_options import candle_folder, is_generated

CONFIG = {"exchange": {"name": "binance"}}


def options(userdir: Path, datadir: str | None = None) -> argparse.Namespace:
    return argparse.Namespace(userdir=str(userdir), datadir=datadir)


def candles(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "BTC_USDT-1h.feather").touch()
    return folder


def test_after_make_backtest_its_candles_are_found_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Freqtrade makes the exchange's folder wherever it looks: an empty one is none."""
    own, generated = tmp_path / "data" / "binance", candles(tmp_path / "data" / "sandbox")
    own.mkdir()
    assert candle_folder(options(tmp_path), CONFIG) == generated
    said = f"no candles are in {own}: those of the generated market, {generated}\n"
    assert capsys.readouterr().err == said


def test_an_exchanges_own_candles_and_a_folder_that_is_named_go_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    candles(tmp_path / "data" / "sandbox")
    own = candles(tmp_path / "data" / "binance")
    assert candle_folder(options(tmp_path), CONFIG) == own
    named = str(tmp_path / "none")
    assert candle_folder(options(tmp_path, named), CONFIG) == Path(named)
    assert capsys.readouterr().err == ""


def test_an_exchanges_folder_is_in_small_letters_as_freqtrade_makes_it(tmp_path: Path) -> None:
    own = candles(tmp_path / "data" / "binance")
    candles(tmp_path / "data" / "sandbox")
    assert candle_folder(options(tmp_path), {"exchange": {"name": "Binance"}}) == own


def test_generated_candles_are_known_for_what_they_are(tmp_path: Path) -> None:
    """`why` says so with its answer, `adopt` with figures that a bot would be held to."""
    generated = candles(tmp_path / "data" / "sandbox")
    assert is_generated(candle_folder(options(tmp_path), CONFIG))
    assert is_generated(generated)
    assert not is_generated(tmp_path / "data" / "binance")
