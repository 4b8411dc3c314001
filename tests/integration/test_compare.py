"""`python -m ballast compare`: strategies of others alone and under the layer, in backtests."""

from __future__ import annotations

import json
import shutil
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest

from ballast.__main__ import main
from ballast.research.backtests import Task, TaskError, run
from ballast.research.foreign.pairing import pairing
from ballast.research.foreign.replay import priced
from ballast.research.foreign.source import find
from ballast.research.recordings import entries_of
from ballast.research.report.results import RunResult, read_folder, read_zip
from ballast.research.stress import plan, runner
from sandbox.files import export
from sandbox.sources import GeneratedSource
from tests.engine import ROOT, base_config, offline_exchange
from tests.html_page import Shown
from tools.run_compare import SAMPLES

PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
NAMES = ("EmaCross", "RsiDip")
WARMUP = 573
HIGHER = """
from EmaCross import EmaCross
from freqtrade.strategy import informative


class Higher(EmaCross):
    @informative("4h")
    def populate_indicators_4h(self, dataframe, metadata):
        return dataframe
"""
# What decides nothing about a trade.
TRADE = ["pair", "open_date", "close_date", "open_rate", "close_rate", "stake_amount", "profit_abs"]


class Desk:
    """A folder with strategies, candles and a configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.strategies = folder / "user_data" / "strategies"
        self.page = folder / "page.html"
        self.output = folder / "results"
        shutil.copytree(SAMPLES, self.strategies)
        export(GeneratedSource(7, days=75, pairs=PAIRS), folder / "data", {"1h": None})
        self.config = json.loads((ROOT / "config.json").read_text(encoding="utf-8"))
        self.config["ballast"]["market"]["basket"] = list(PAIRS)
        self.config["exchange"] = {"name": "binance", "pair_whitelist": list(PAIRS)}
        self.config.pop("strategy_path")
        (folder / "config.json").write_text(json.dumps(self.config), encoding="utf-8")

    def compare(self, *arguments: str) -> int:
        places = ["-c", str(self.folder / "config.json"), "--datadir", str(self.folder / "data")]
        places += ["--userdir", str(self.folder / "user_data"), "--offline", "--jobs", "1"]
        places += ["--html", str(self.page), "--output", str(self.output)]
        return main(["compare", *places, *arguments])

    def task(self, **changes: Any) -> Task:
        exchange = offline_exchange(base_config(self.folder, PAIRS), PAIRS)
        markets = dict(exchange.markets)
        exchange.close()
        data, strategies = str(self.folder / "data"), str(self.strategies)
        given = {"strategy": "EmaCross", "strategy_path": strategies, "datadir": data} | changes
        config = given.pop("config", self.config)
        return Task(config=config, markets=markets, timerange="", pairs=PAIRS, **given)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("compare"))


@pytest.fixture(scope="module")
def told(desk: Desk) -> str:
    with redirect_stdout(StringIO()) as out:
        assert desk.compare(*NAMES) == 0
    return " ".join(out.getvalue().split())


def results(desk: Desk, told: str) -> dict[str, RunResult]:
    assert told
    return {each.strategy: each for each in read_folder(desk.output)}


def test_both_sides_of_each_strategy_are_shown(desk: Desk, told: str) -> None:
    runs = results(desk, told)
    assert set(runs) == {f"{side}{name}" for name in NAMES for side in ("Alone", "Guarded")}
    for name in NAMES:
        alone, under = runs[f"Alone{name}"], runs[f"Guarded{name}"]
        assert (alone.start, alone.end, alone.pairs) == (under.start, under.end, under.pairs)
        assert len(alone.trades) > 5
        assert len(under.trades) > 5
        assert f"{100 * alone.total_return:+.1f} %" in told
        assert f"{100 * under.total_return:+.1f} %" in told
    assert "bound by RISK_AT_STOP" in told


def test_alone_is_what_freqtrade_makes_of_the_strategy_itself(desk: Desk, tmp_path: Path) -> None:
    """To the last digit, where no costs are charged and the warm-up is the same."""
    without = {**desk.config["ballast"], "costs": {"enabled": False}}
    config = {**desk.config, "ballast": without, "startup_candle_count": WARMUP}
    source = find("EmaCross", desk.strategies)
    made = {"strategy": source.alone, "source": source.alone_text()}
    tables = []
    for number, what in enumerate(({}, made)):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(run(desk.task(config=config, **what)).zipped)
        tables.append(read_zip(path)[0].trades[TRADE])
    assert len(tables[0]) > 5
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_adopt_counts_the_trades_that_compare_counts(desk: Desk, tmp_path: Path) -> None:
    """`adopt` asks no exchange; in an account where some sizes are below its smallest order."""
    source = find("EmaCross", desk.strategies)
    under = {"strategy": source.guarded, "source": source.guarded_text()}
    asked = desk.task(config={**desk.config, "dry_run_wallet": 60}, **under)
    tables = []
    for number, task in enumerate((asked, priced(asked, 0.001))):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(run(task).zipped)
        tables.append(read_zip(path)[0].trades)
    assert tables[1]["stake_amount"].min() > 4.9
    assert 5 < len(tables[0]) == len(tables[1])


@pytest.mark.parametrize(("pair", "least"), [("A/USDT", 5.0), ("A/EUR", 5.0), ("A/BTC", 0.0001)])
def test_the_smallest_order_follows_from_what_pays_for_it(
    desk: Desk, pair: str, least: float
) -> None:
    made = priced(replace(desk.task(), pairs=(pair,)), 0.001).markets[pair]
    assert made["limits"]["cost"]["min"] == least


def test_both_sides_bear_the_costs(desk: Desk, told: str, tmp_path: Path) -> None:
    source = find("EmaCross", desk.strategies)
    without = {**desk.config["ballast"], "costs": {"enabled": False}}
    task = desk.task(
        config={**desk.config, "ballast": without},
        strategy=source.alone,
        source=source.alone_text(),
    )
    path = tmp_path / "free.zip"
    path.write_bytes(run(task).zipped)
    free, charged = read_zip(path)[0], results(desk, told)["AloneEmaCross"]
    assert charged.total_return < free.total_return
    assert list(charged.trades["open_date"])[:3] == list(free.trades["open_date"])[:3]


def test_page_shows_curves_of_both_and_opens_offline(desk: Desk, told: str) -> None:
    assert told
    shown = Shown(desk.page.read_text(encoding="utf-8"))
    assert len(shown.charts) == len(NAMES)
    assert {line["name"] for line in shown.charts[0]["data"]} == {"alone", "under the layer"}
    assert shown.digests == shown.allowed
    for words in ("All strategies", "Crash windows", "What made the difference", *NAMES):
        assert words in shown.text


def test_what_became_of_entries_is_kept_with_the_result(desk: Desk, told: str) -> None:
    runs = results(desk, told)
    under, alone = (
        entries_of(desk.output / runs[f"{side}RsiDip"].source) for side in ("Guarded", "Alone")
    )
    assert sum(under.bound.values()) >= len(runs["GuardedRsiDip"].trades)
    assert not alone.bound
    assert not alone.refused


def test_what_is_there_is_not_run_again(desk: Desk, told: str) -> None:
    assert told
    with patch.object(runner, "run", side_effect=AssertionError):
        assert desk.compare(*NAMES) == 0


def test_strategy_that_has_changed_is_run_anew(desk: Desk, told: str) -> None:
    """Both sides of it, though what is run is a file that only imports it."""
    assert told
    path = desk.strategies / "RsiDip.py"
    before = path.read_text(encoding="utf-8")
    path.write_text(before + "# changed\n", encoding="utf-8")
    ran: list[str] = []

    def counting(task: Task) -> Any:
        ran.append(task.strategy)
        raise TaskError("enough")

    plan._sources.cache_clear()
    try:
        with patch.object(runner, "run", counting):
            assert desk.compare("RsiDip") == 2
    finally:
        path.write_text(before, encoding="utf-8")
    assert ran == ["AloneRsiDip"]


def test_file_that_adopt_wrote_and_its_owner_changed_is_what_is_compared(desk: Desk) -> None:
    path = desk.strategies / "GuardedEmaCross.py"
    lines = find("EmaCross", desk.strategies).two_lines()
    path.write_text(lines + "\n    size = 0.25\n", encoding="utf-8")
    try:
        made = pairing(desk.task(), find("EmaCross", desk.strategies), "base", [])
    finally:
        path.unlink()
    assert "size = 0.25" in made.jobs[1].task.source
    assert "size" not in made.jobs[0].task.source


def test_each_guard_is_left_out_once(desk: Desk) -> None:
    guards = plan.guards_on(desk.config)
    made = pairing(desk.task(), find("EmaCross", desk.strategies), "worst", guards)
    assert [job.without_guard for job in made.jobs] == ["", "", *guards]
    assert {job.level for job in made.jobs} == {"worst"}
    assert made.timeframe == "1h"


def test_candles_of_another_timeframe_that_are_missing_are_named_with_what_downloads_them(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    path = desk.strategies / "Higher.py"
    path.write_text(HIGHER, encoding="utf-8")
    try:
        assert desk.compare("Higher", "-p", "ETH/USDT", "--output", str(desk.folder / "more")) == 2
    finally:
        path.unlink()
    told = capsys.readouterr().err
    assert (
        f"AloneHigher: {desk.folder / 'data'} has no candles of ETH/USDT on 4h: try freqtrade "
        "download-data -p ETH/USDT -t 4h, or another --datadir (Higher, ETH/USDT: populate_ind"
    ) in told
    assert told.count("\n") == 1


def test_candles_downloaded_between_two_runs_of_a_process_are_seen(
    desk: Desk, tmp_path: Path
) -> None:
    """A worker that waits for tasks outlives them: it must not keep what it found empty."""
    data = tmp_path / "data"
    shutil.copytree(desk.folder / "data", data)
    task = replace(desk.task(datadir=str(data), strategy="Higher"), source=HIGHER)
    with pytest.raises(TaskError, match="has no candles of BTC/USDT on 4h"):
        run(task)
    export(GeneratedSource(7, days=75, pairs=PAIRS), data, {"4h": None})
    (tmp_path / "run.zip").write_bytes(run(task).zipped)
    assert len(read_zip(tmp_path / "run.zip")[0].trades)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["Nobody"], "has no class Nobody"),
        (["EmaCross", "--timerange", "20200101-20200201"], "has no candles"),
        (["EmaCross", "--jobs", "0"], "--jobs is 0: expected a whole number from 1"),
        (["EmaCross", "-p", "NONE/USDT"], "NONE/USDT"),
        (["EmaCross", "--scheduler", "tcp://127.0.0.1:1"], "does not answer"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    desk: Desk, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert desk.compare(*arguments) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
