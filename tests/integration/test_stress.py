"""`python -m ballast stress`: real backtests, run once each, the same wherever they are run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from distributed import LocalCluster
from freqtrade.data.history.datahandlers.featherdatahandler import FeatherDataHandler

from ballast import __main__ as commands
from ballast.commands import backtest_options
from ballast.research.backtests import BacktestExport, Task, TaskError, run, statistics
from ballast.research.recordings import stops_of
from ballast.research.report.results import read_folder
from ballast.research.stress import plan, runner
from ballast.research.stress.plan import StressRun
from ballast.research.stress.runner import run_all
from ballast.research.stress.store import Store
from sandbox.files import export
from sandbox.sources import GeneratedSource
from tests.engine import ROOT, base_config, offline_exchange
from tools import figures

PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
PERIOD = "20240220-20240320"
# When a run was made, not what came of it.
_RUN_TIMES = ("backtest_run_start_ts", "backtest_run_end_ts")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Task:
    folder = tmp_path_factory.mktemp("stress")
    source = GeneratedSource(7, days=90, pairs=PAIRS)
    export(source, folder / "data", {"1h": None})
    config = json.loads((ROOT / "config.json").read_text("utf-8"))
    config["ballast"]["market"]["basket"] = list(PAIRS)
    exchange = offline_exchange(base_config(folder, PAIRS), PAIRS)
    markets = dict(exchange.markets)
    exchange.close()
    config["exchange"] = {"name": "binance", "pair_whitelist": list(PAIRS)}
    path = str(ROOT / "strategies")
    return Task(config, markets, "", path, str(folder / "data"), "", ())


@pytest.fixture(scope="module")
def jobs(first: Task) -> list[StressRun]:
    choices, trials = [PAIRS, PAIRS[:2]], {"DonchianTrend": [{"ballast.risk.per_trade_pct": 0.1}]}
    levels = ["none", "worst"]
    return plan.jobs(first, ["DonchianTrend"], [PERIOD], levels, choices, trials=trials)


@pytest.fixture(scope="module")
def done(jobs: list[StressRun], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    _here(jobs, folder)
    return folder


def _here(jobs: list[StressRun], folder: Path) -> runner.Ran:
    """Without worker processes, which take seconds to start."""
    with patch.object(runner, "_backend", lambda *_: patch.dict({})):
        return run_all(jobs, Store(folder), 1)


def _results(jobs: list[StressRun], folder: Path) -> list[dict[str, Any]]:
    found = [statistics(Store(folder).path(job.key())) for job in jobs]
    return [{k: v for k, v in each.items() if k not in _RUN_TIMES} for each in found]


def test_every_job_leaves_a_result_that_a_report_can_read(
    jobs: list[StressRun], done: Path
) -> None:
    runs = read_folder(done)
    assert [(run.costs, run.pairs) for run in runs] == [(job.level, job.task.pairs) for job in jobs]
    assert all(len(run.trades) for run in runs)


def test_harder_costs_leave_less(jobs: list[StressRun], done: Path) -> None:
    none, worst, _ = (run for run in read_folder(done) if run.pairs == PAIRS)
    assert worst.equity.iloc[-1] < none.equity.iloc[-1]


def test_what_is_there_is_not_run_again(jobs: list[StressRun], done: Path) -> None:
    with patch.object(runner, "run", side_effect=AssertionError):
        assert _here(jobs, done).reused == len(jobs)


def test_a_run_with_another_setting_reads_no_candles_again(jobs: list[StressRun]) -> None:
    tried = [job.task for job in jobs if job.task.pairs == PAIRS]
    run(tried[0])
    load = FeatherDataHandler._ohlcv_load
    with patch.object(FeatherDataHandler, "_ohlcv_load", autospec=True, side_effect=load) as read:
        for task in tried[1:]:
            run(task)
    assert len(tried) > 2
    assert not read.called


def test_a_damaged_result_is_made_anew(jobs: list[StressRun], done: Path, tmp_path: Path) -> None:
    whole = Store(done).path(jobs[0].key()).read_bytes()
    Store(tmp_path).path(jobs[0].key()).write_bytes(whole[: len(whole) // 2])
    with patch.object(runner, "run", lambda task: BacktestExport(whole, 1.0)):
        assert _here(jobs[:1], tmp_path).reused == 0
    assert Store(tmp_path).has(jobs[0].key())


def test_a_run_that_was_broken_off_goes_on_where_it_was(
    jobs: list[StressRun], done: Path, tmp_path: Path
) -> None:
    for job in jobs[:2]:
        name = f"{job.key()}.zip"
        (tmp_path / name).write_bytes((done / name).read_bytes())
    ran: list[Task] = []

    def counting(task: Task) -> BacktestExport:
        ran.append(task)
        return BacktestExport(b"", 1.0)

    with patch.object(runner, "run", counting):
        assert _here(jobs, tmp_path).reused == 2
    assert ran == [job.task for job in jobs[2:]]


def test_a_result_tells_every_stop_that_was_raised(jobs: list[StressRun], done: Path) -> None:
    job = jobs[0]
    stops, (run, *_) = stops_of(Store(done).path(job.key())), read_folder(done)
    assert len(stops) > len(run.trades) > 0
    for trade in run.trades.itertuples():
        held = (stops["date"] >= trade.open_date) & (stops["date"] <= trade.close_date)
        path = [trade.initial_stop, *stops.loc[held & (stops["pair"] == trade.pair), "stop"]]
        assert path == sorted(path)
        assert path[0] < trade.open_rate


def test_the_figures_of_the_readme_come_from_it(
    first: Task, done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And its pictures, which are the same each time."""
    for folder in ("one", "other"):
        wanted = ["--datadir", first.datadir, "--pictures", str(tmp_path / folder)]
        assert figures.main([str(done), *wanted]) == 0
    told = capsys.readouterr().out
    base = next(run for run in read_folder(done) if run.costs == "none" and run.pairs == PAIRS)
    assert f"| total return | {100 * base.total_return:+.0f} % |" in told
    assert "- costs worst: " in told
    assert "- 1 choice of pairs: " in told
    assert "- 1 moved value: " in told
    names = {path.name for path in (tmp_path / "one").iterdir()}
    assert names == {"accounts.svg", "sensitivity-DonchianTrend.svg", "trades-DonchianTrend.svg"}
    for name in names:
        one, other = ((tmp_path / f / name).read_bytes() for f in ("one", "other"))
        assert one == other
        assert len(one) < 300_000


def test_figures_of_nothing_are_refused_with_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert figures.main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"figures: {tmp_path} has no index.json")


CHANGES: dict[str, Any] = {
    "channel_days": 30,
    "stops.initial_atr": "x0.5",
    "uptrend.SLOW": "15d",
    "ballast.risk.per_trade_pct": 0.1,
}


@pytest.mark.slow
def test_each_kind_of_change_changes_its_run_and_is_gone_in_the_next(first: Task) -> None:
    def result(changes: dict[str, Any]) -> Any:
        trials = {"DonchianTrend": [changes]}
        job = plan.jobs(first, ["DonchianTrend"], [PERIOD], ["base"], [PAIRS], trials=trials)[-1]
        return zipped_statistics(run(job.task))["trades"]

    as_it_is = result({})
    for name, value in CHANGES.items():
        assert result({name: value}) != as_it_is, name
        assert result({}) == as_it_is, name


def zipped_statistics(outcome: BacktestExport) -> dict[str, Any]:
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(outcome.zipped)
        file.flush()
        return statistics(Path(file.name))


def test_a_job_that_fails_keeps_what_had_finished(
    jobs: list[StressRun], done: Path, tmp_path: Path
) -> None:
    def failing(task: Task) -> BacktestExport:
        if task == jobs[1].task:
            raise TaskError("no candles")
        return BacktestExport((done / f"{jobs[0].key()}.zip").read_bytes(), 1.0)

    with patch.object(runner, "run", failing), pytest.raises(TaskError, match="no candles"):
        _here(jobs, tmp_path)
    assert Store(tmp_path).has(jobs[0].key())


@pytest.fixture
def cluster() -> Iterator[str]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as started:
        yield started.scheduler_address


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_results(
    jobs: list[StressRun], done: Path, cluster: str, tmp_path: Path
) -> None:
    run_all(jobs[:2], Store(tmp_path), 1, cluster)
    assert _results(jobs[:2], tmp_path) == _results(jobs[:2], done)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--periods", "20200101-20200201"], "--periods 20200101-20200201 has no candles"),
        (["--periods", "20240301-20240201"], "--periods 20240301-20240201: expected a time range"),
        (["--periods", "yesterday"], "--periods yesterday: expected a time range such as"),
        (["--periods", PERIOD, "--strategies", "Nobody"], "Nobody is not a strategy in"),
        (["--periods", PERIOD, "--shuffles", "-1"], "--shuffles is -1: expected a whole number"),
        (["--periods", PERIOD, "--parameters", "all"], "--parameters: invalid choice: 'all'"),
        (["--periods", PERIOD, "--jobs", "0"], "--jobs is 0: expected a whole number from 1"),
        (["--periods", PERIOD, "--subsets", "1", "--subset-size", "3"], "--subset-size is 3"),
        (["--periods", PERIOD, "--datadir", "nowhere"], "--datadir nowhere is not a folder"),
        (["--periods", PERIOD, "--scheduler", "tcp://127.0.0.1:1"], "does not answer"),
    ],
)
def test_what_cannot_be_stressed_is_refused_with_one_sentence(
    first: Task,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    assert _stress(first, tmp_path, arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("ballast: ")
    assert sentence in said
    assert said.count("\n") == 1


def test_a_pair_without_candles_is_named(
    first: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _stress(first, tmp_path, ["--periods", PERIOD], [*PAIRS, "ADA/USDT"]) == 2
    assert (
        "has no candles of ADA/USDT on 1h: try freqtrade download-data -p ADA/USDT -t 1h, or "
        "another --datadir" in capsys.readouterr().err
    )


def _stress(first: Task, folder: Path, arguments: list[str], pairs: Any = PAIRS) -> int:
    config = {**first.config, "exchange": {"name": "binance", "pair_whitelist": list(pairs)}}
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    given = ["stress", "-c", str(path), "--strategy-path", first.strategy_path]
    given += ["--datadir", first.datadir, "--output", str(folder / "out"), *arguments]
    with patch.object(backtest_options, "markets_of", lambda *_: first.markets):
        return commands.main(given)
