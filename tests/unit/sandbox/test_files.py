"""Candle files: what is exported can be replayed, and an unusable folder is named as such."""

import logging
from pathlib import Path

import pandas as pd
import pytest
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType

from sandbox.errors import SandboxError
from sandbox.files import FileSource, export
from sandbox.sources import GeneratedSource, frame

PAIRS = ("BTC/USDT", "DOGE/USDT")


@pytest.fixture(scope="module")
def source() -> GeneratedSource:
    return GeneratedSource(7, days=30, pairs=PAIRS)


@pytest.fixture(scope="module")
def folder(source: GeneratedSource, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("data") / "binance"
    export(source, directory, ["5m", "1h"])
    return directory


def test_freqtrade_reads_the_export_as_it_was_generated(
    source: GeneratedSource, folder: Path
) -> None:
    handler = get_datahandler(folder, "feather")
    for timeframe in ("5m", "1h"):
        read = handler.ohlcv_load("BTC/USDT", timeframe, CandleType.SPOT, fill_missing=False)
        pd.testing.assert_frame_equal(read, frame(source, "BTC/USDT", timeframe))


def test_a_replayed_export_has_the_same_candles_holes_ticks_and_lots(
    source: GeneratedSource, folder: Path
) -> None:
    replayed = FileSource(folder)
    assert [market.pair for market in replayed.markets()] == list(PAIRS)
    for original, market in zip(source.markets(), replayed.markets(), strict=True):
        assert float(market.tick) == pytest.approx(original.tick_size)
        assert float(market.lot) == pytest.approx(original.lot_size)
        pd.testing.assert_frame_equal(
            replayed.candles(market.pair).to_frame(), source.candles(market.pair).to_frame()
        )


def test_the_finest_timeframe_is_taken_unless_one_is_named(folder: Path) -> None:
    assert FileSource(folder).candles("BTC/USDT").timeframe_ms == 300_000
    assert FileSource(folder, timeframe="1h").candles("BTC/USDT").timeframe_ms == 3_600_000


def test_json_files_are_read_too(source: GeneratedSource, tmp_path: Path) -> None:
    handler = get_datahandler(tmp_path, "json")
    handler.ohlcv_store("BTC/USDT", "1h", frame(source, "BTC/USDT", "1h"), CandleType.SPOT)
    read = FileSource(tmp_path).candles("BTC/USDT").to_frame()
    pd.testing.assert_frame_equal(read, frame(source, "BTC/USDT", "1h"))


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="nowhere is not a directory"):
        FileSource(tmp_path / "nowhere")


def test_a_folder_without_candles_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.feather").write_bytes(b"")
    with pytest.raises(SandboxError, match="holds no candle files"):
        FileSource(tmp_path)


def test_a_pair_without_a_file_is_named(folder: Path) -> None:
    with pytest.raises(SandboxError, match="'ETH/USDT' is not among the files"):
        FileSource(folder, ["ETH/USDT"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("BTC_USDT-5m.feather", b"ARROW1 no more"),
        ("BTC_USDT-5m.feather", b""),
        ("BTC_USDT-5m.json", b'{"x":'),
        ("BTC_USDT-5m.json", b"[]"),
    ],
)
def test_a_file_that_is_no_candle_file_is_named_without_a_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SandboxError, match=f"{name} is empty or cannot be read"):
        FileSource(tmp_path)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_timeframe_finer_than_the_candles_cannot_be_exported(
    source: GeneratedSource, tmp_path: Path
) -> None:
    with pytest.raises(SandboxError, match="no candles to make '1m' from"):
        export(source, tmp_path, ["1m"])
