"""`python -m ballast adopt` on strategies of others: the file it writes, the columns it names."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ballast.__main__ import main
from sandbox.files import export
from sandbox.sources import GeneratedSource
from tests.engine import ROOT
from tests.processes import run

PAIRS = ("BTC/USDT", "ETH/USDT")
HEAD = """\
import pandas as pd
import talib.abstract as ta
from freqtrade.strategy import IStrategy, informative


class {name}(IStrategy):
    timeframe = "1h"
    stoploss = -0.3
    minimal_roi = {{"0": 0.1}}
    startup_candle_count = 40
    can_short = {shorts}

"""
INDICATORS = """\
    @informative("4h")
    def populate_indicators_4h(self, dataframe, metadata):
        dataframe["sound"] = ta.EMA(dataframe, timeperiod=10)
        {informative}
        return dataframe

    def populate_indicators(self, dataframe, metadata):
        print("strategies of others print")
        dataframe["sound_ema"] = ta.EMA(dataframe, timeperiod=200)
        dataframe["sound_rsi"] = ta.RSI(dataframe)
        dataframe["sound_atr"] = ta.ATR(dataframe)
        {columns}
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe.loc[{entry}, ["enter_long", "enter_tag"]] = (1, "found")
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        dataframe.loc[dataframe["sound_rsi"] > 70, "exit_long"] = 1
        return dataframe
"""
PEEKS = {
    "peek_shift": 'dataframe["close"].shift(-1)',
    "peek_centred": 'dataframe["close"].rolling(7, center=True).mean()',
    "peek_mean": 'dataframe["close"] - dataframe["close"].mean()',
    "peek_scaled": 'dataframe["close"] / dataframe["close"].max()',
    "peek_last": 'dataframe["close"].iloc[-1]',
}
DIP = 'dataframe["sound_rsi"] < 35'


def strategy(
    name: str,
    columns: dict[str, str] | None = None,
    entry: str = DIP,
    informative: str = "",
    shorts: bool = False,
) -> str:
    made = [f'dataframe["{column}"] = {formula}' for column, formula in (columns or {}).items()]
    lines = "\n        ".join(made)
    body = INDICATORS.format(columns=lines, entry=entry, informative=informative)
    return HEAD.format(name=name, shorts=shorts) + body


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("candles")
    export(GeneratedSource(7, days=120, pairs=PAIRS), folder, {"1h": None, "4h": None})
    return folder


@pytest.fixture
def strategies(tmp_path: Path) -> Path:
    folder = tmp_path / "user_data" / "strategies"
    folder.mkdir(parents=True)
    return folder


def adopt(strategies: Path, data: Path, name: str, *more: str) -> int:
    config = json.loads((ROOT / "config.json").read_text(encoding="utf-8"))
    # The folder is found by `--userdir`, as Freqtrade finds it.
    del config["strategy_path"], config["timeframe"]
    path = strategies.parent / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    places = ["-c", str(path), "--userdir", str(strategies.parent), "--datadir", str(data)]
    return main(["adopt", name, *places, "-p", *PAIRS, "--jobs", "1", "--cuts", "14", *more])


def plain(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


def test_columns_that_peek_are_named_and_no_sound_one_is(
    strategies: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (strategies / "Peeker.py").write_text(strategy("Peeker", PEEKS))
    assert adopt(strategies, data, "Peeker") == 1
    told = plain(capsys)
    table = told.partition("Columns that peek")[2].partition("Peeker peeks")[0]
    assert all(name in table for name in PEEKS)
    assert "sound" not in table
    assert "Peeker peeks: 5 columns of it changed when later candles came, in 28 cuts of 2" in told
    assert "of 28" in table
    assert "so did its signals" not in told


def test_what_edge_decay_compares_with_is_measured_where_nothing_peeks(
    strategies: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a backtest that has seen the future there is nothing to compare with."""
    (strategies / "Sound.py").write_text(strategy("Sound"))
    adopt(strategies, data, "Sound")
    assert "The guard EdgeDecay stays off under GuardedSound" in plain(capsys)
    adopt(strategies, data, "Sound", "--no-baseline")
    assert "EdgeDecay" not in plain(capsys)
    (strategies / "Peeker.py").write_text(strategy("Peeker", PEEKS))
    adopt(strategies, data, "Peeker")
    assert "EdgeDecay" not in plain(capsys)


def test_signal_that_peeks_is_said(
    strategies: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Through no column of its own."""
    entry = 'dataframe["close"].shift(-1) > 1.01 * dataframe["close"]'
    (strategies / "Rare.py").write_text(strategy("Rare", entry=entry))
    assert adopt(strategies, data, "Rare") == 1
    assert "so did its signals (enter_long)" in plain(capsys)


def test_warm_ups_are_told_apart_with_their_number(
    strategies: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (strategies / "Sound.py").write_text(strategy("Sound", shorts=True))
    assert adopt(strategies, data, "Sound") == 0
    told = plain(capsys)
    assert "No column of Sound peeks: in 28 cuts of 2 pairs" in told
    history = told.partition("which is no look-ahead")[2]
    assert "40 candles" in history
    assert "573 candles" in history
    assert "sound_ema" in history
    assert "warm-up" in history
    assert "strategies of others print" not in told
    assert "short signals" in told


def test_frames_of_other_timeframes_are_cut_too(
    strategies: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peek = 'dataframe["peek"] = dataframe["close"].shift(-1)'
    (strategies / "Above.py").write_text(strategy("Above", informative=peek))
    assert adopt(strategies, data, "Above") == 1
    told = plain(capsys).partition("Columns that peek")[2].partition("Above peeks")[0]
    assert "peek_4h" in told
    assert "sound" not in told


def test_file_is_written_that_freqtrade_loads(
    strategies: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a folder below, in a file of another name."""
    deep = strategies / "deep" / "shelf"
    deep.mkdir(parents=True)
    (deep / "macd.py").write_text(strategy("Theirs"))
    assert adopt(strategies, data, "Theirs", "--cuts", "0") == 0
    written = (strategies / "GuardedTheirs.py").read_text()
    assert written.splitlines()[:2] == [
        "from ballast import guarded",
        "from deep.shelf.macd import Theirs",
    ]
    command = ["list-strategies", "--userdir", str(strategies.parent), "-1"]
    done = run(strategies.parent, "freqtrade", *command)
    assert done.returncode == 0, done.stderr
    assert "GuardedTheirs" in done.stdout.split()


def test_file_that_differs_is_never_overwritten(
    strategies: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (strategies / "Theirs.py").write_text(strategy("Theirs"))
    assert adopt(strategies, data, "Theirs", "--cuts", "0") == 0
    path = strategies / "GuardedTheirs.py"
    first = path.read_text()
    assert adopt(strategies, data, "Theirs", "--cuts", "0") == 0
    assert "is there already." in plain(capsys)
    own = first.replace("pass", "size = 0.5") + "\n# mine\n"
    path.write_text(own)
    assert adopt(strategies, data, "Theirs", "--cuts", "0") == 0
    assert path.read_text() == own
    assert "with lines of its own: left so." in plain(capsys)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import nobody_has_this\n" + strategy("Theirs"), "No module named 'nobody_has_this'"),
        ("import helper\n" + strategy("Theirs"), "it lies in {folder}/deep, where it is not"),
        (strategy("Theirs").replace("ta.RSI", "ta.RSI(") + "    x = y\n", "was never closed"),
        (strategy("Theirs") + "    x = y\n", "NameError: name 'y' is not defined"),
        (strategy("Theirs").replace("(IStrategy)", "(object)"), "expected a class of Freqtrade"),
        (
            "from ballast import GuardedStrategy\n"
            + strategy("Theirs").replace("(IStrategy)", "(GuardedStrategy)"),
            "the risk controls live there",
        ),
    ],
)
def test_what_cannot_be_held_is_refused_and_nothing_is_written(
    strategies: Path, data: Path, capsys: pytest.CaptureFixture[str], text: str, sentence: str
) -> None:
    (strategies / "deep").mkdir()
    (strategies / "deep" / "helper.py").touch()
    (strategies / "Theirs.py").write_text(text)
    assert adopt(strategies, data, "Theirs") == 2
    assert not (strategies / "GuardedTheirs.py").exists()
    told = capsys.readouterr().err
    assert sentence.format(folder=strategies) in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "more", "sentence"),
    [
        ("My-Strategy", (), "'My-Strategy' is not the name of a class"),
        ("Nobody", (), "has no class Nobody"),
        ("Theirs", ("--cuts", "-1"), "--cuts is -1: expected a whole number from 0"),
        ("Theirs", ("--timerange", "soon"), "--timerange soon: expected a time range"),
        ("Theirs", ("-c", "gone.json"), "--config gone.json is not a file"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    strategies: Path,
    data: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    more: tuple[str, ...],
    sentence: str,
) -> None:
    (strategies / "Theirs.py").write_text(strategy("Theirs"))
    assert adopt(strategies, data, name, *more) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert not (strategies / "GuardedTheirs.py").exists()


def test_pair_without_candles_is_named_and_the_others_are_judged(
    strategies: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (strategies / "Sound.py").write_text(strategy("Sound"))
    assert adopt(strategies, data, "Sound", "-p", "BTC/USDT", "NONE/USDT", "--cuts", "4") == 0
    told = plain(capsys)
    assert "NONE/USDT could not be compared" in told
    assert "No column of Sound peeks: in 4 cuts of 1 pair" in told
    assert adopt(strategies, data, "Sound", "-p", "NONE/USDT", "--cuts", "4") == 1
    told = plain(capsys)
    assert "Nothing could be compared." in told
    assert f"{data} has no candles of NONE/USDT on 1h: try freqtrade download-data -p NONE" in told


def test_baseline_is_measured_on_the_pairs_that_have_candles(
    strategies: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half of the pairs without candles is a market in disorder: nothing was bought, it said."""
    (strategies / "Sound.py").write_text(strategy("Sound"))
    adopt(strategies, data, "Sound", "--cuts", "2")
    figures = plain(capsys).partition("EdgeDecay stays off under GuardedSound: ")[2]
    assert "trades" in figures
    missing = ("NONE/USDT", "NADA/USDT", "NIL/USDT")
    adopt(strategies, data, "Sound", "--cuts", "2", "-p", *PAIRS, *missing)
    told = plain(capsys).partition("EdgeDecay stays off under GuardedSound: ")[2]
    assert told == figures


def test_candles_of_another_timeframe_that_are_missing_are_named_with_what_downloads_them(
    strategies: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the strategy makes of an empty frame is said after it, and nothing of full ones."""
    hourly = tmp_path / "hourly"
    shutil.copytree(data, hourly, ignore=shutil.ignore_patterns("*-4h.feather"))
    (strategies / "Sound.py").write_text(strategy("Sound"))
    assert adopt(strategies, hourly, "Sound", "--cuts", "4") == 1
    told = plain(capsys)
    for pair in PAIRS:
        assert (
            f"{pair} could not be compared: GuardedSound: {hourly} has no candles of {pair} on 4h: "
            f"try freqtrade download-data -p {pair} -t 4h, or another --datadir (ValueError: Inf"
        ) in told
    fails = {"x": 'dataframe["gone"]'}
    (strategies / "Wrong.py").write_text(strategy("Wrong", fails))
    assert adopt(strategies, data, "Wrong", "--cuts", "4") == 1
    told = plain(capsys)
    assert "GuardedWrong: KeyError: 'gone'" in told
    assert "download-data" not in told
