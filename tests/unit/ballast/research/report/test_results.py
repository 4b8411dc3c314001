"""A result is read as Freqtrade wrote it, or refused with one sentence."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ballast.research.report.results import AS_RUN, ResultError, read_all, read_folder, read_zip
from tests.unit.ballast.research.report.made import START, trade, write_zip


def test_the_account_runs_from_the_first_open_to_the_end_of_the_last_candle(tmp_path: Path) -> None:
    (run,) = read_zip(write_zip(tmp_path / "a.zip", equity=[100.0, 110.0, 99.0]))
    assert list(run.equity) == [100.0, 110.0, 99.0, 99.0]
    assert (run.start, run.end) == (START, START + pd.Timedelta(days=3))
    assert run.total_return == pytest.approx(-0.01)


def test_the_first_stop_is_the_managed_one_that_the_entry_order_carries(tmp_path: Path) -> None:
    (run,) = read_zip(write_zip(tmp_path / "a.zip", [trade(5.0), trade(-2.0, day=3, stop=97.5)]))
    assert list(run.trades["initial_stop"]) == [95.0, 97.5]
    assert run.has_stops


def test_without_that_the_first_stop_is_freqtrades_and_the_run_says_so(tmp_path: Path) -> None:
    (run,) = read_zip(write_zip(tmp_path / "a.zip", [trade(5.0), trade(-2.0, day=3, stop=None)]))
    assert list(run.trades["initial_stop"]) == [95.0, 90.0]
    assert not run.has_stops


def test_trades_are_in_order_of_closing_and_open_ones_are_left_out(tmp_path: Path) -> None:
    rows = [trade(1.0, day=5), trade(2.0, day=1), trade(3.0, day=2, is_open=True)]
    (run,) = read_zip(write_zip(tmp_path / "a.zip", rows))
    assert list(run.trades["profit_abs"]) == [2.0, 1.0]


def test_a_run_without_trades_is_a_run(tmp_path: Path) -> None:
    (run,) = read_zip(write_zip(tmp_path / "a.zip"))
    assert len(run.trades) == 0
    assert run.total_return == 0.0


def test_a_guard_that_the_configuration_switches_off_is_named(tmp_path: Path) -> None:
    config = {"ballast": {"guards": {"off": ["StopCascadeHalt"]}}}
    (run,) = read_zip(write_zip(tmp_path / "a.zip", config=config))
    assert run.without_guard == "StopCascadeHalt"
    assert run.costs == AS_RUN


@pytest.mark.parametrize(
    ("costs", "level"),
    [
        ({"enabled": True, "level": "stressed"}, "stressed"),
        ({"enabled": False, "level": "stressed"}, "none"),
        ({}, "base"),
        ({"level": "absurd"}, AS_RUN),
    ],
)
def test_the_configuration_tells_which_costs_were_charged(
    tmp_path: Path, costs: dict[str, Any], level: str
) -> None:
    config = {"ballast": {"costs": costs}}
    (run,) = read_zip(write_zip(tmp_path / "a.zip", [trade(1.0)], config=config))
    assert run.costs == level


def test_a_strategy_of_somebody_else_is_charged_nothing_whatever_the_configuration_says(
    tmp_path: Path,
) -> None:
    config = {"ballast": {"costs": {"level": "worst"}}}
    (run,) = read_zip(write_zip(tmp_path / "a.zip", [trade(1.0, stop=None)], config=config))
    assert run.costs == AS_RUN


def test_an_index_says_what_differs_between_the_runs_of_a_folder(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.zip")
    entry = {"file": "a.zip", "strategy": "Made", "timerange": "20210101-20210131"}
    more = {"costs": "worst", "without_guard": None, "parameters": {"days": 6}, "took_s": 1.5}
    write_index(tmp_path, [{**entry, "costs": "base"}, {**entry, **more}])
    first, second = read_folder(tmp_path)
    assert (first.costs, first.without_guard, dict(first.parameters)) == ("base", "", {})
    assert (second.costs, second.without_guard) == ("worst", "")
    assert second.parameters == {"days": 6}


def test_zips_and_folders_may_be_given_together(tmp_path: Path) -> None:
    folder = tmp_path / "stress"
    folder.mkdir()
    write_zip(folder / "a.zip")
    write_index(folder, [{"file": "a.zip", "strategy": "Made"}])
    runs = read_all([folder, write_zip(tmp_path / "b.zip", strategy="Other")])
    assert [run.strategy for run in runs] == ["Made", "Other"]


def write_index(folder: Path, entries: Any) -> None:
    (folder / "index.json").write_text(json.dumps(entries), encoding="utf-8")


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([], "lists no run"),
        ({"file": "a.zip"}, "is no list of runs: the whole file"),
        ([{"file": "a.zip"}], r"is no list of runs: \[0\]\.strategy: Field required"),
        ([{"file": "a.zip", "strategy": "Other"}], "holds no result of Other"),
        ([{"file": "b.zip", "strategy": "Made"}], "b.zip is not there"),
    ],
)
def test_an_index_that_cannot_be_used_is_refused(
    tmp_path: Path, entries: Any, sentence: str
) -> None:
    write_zip(tmp_path / "a.zip")
    write_index(tmp_path, entries)
    with pytest.raises(ResultError, match=sentence):
        read_folder(tmp_path)


def test_a_folder_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"has no index\.json: expected a folder"):
        read_all([tmp_path])


def test_a_missing_zip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="is not there: expected the zip of a backtest"):
        read_zip(tmp_path / "none.zip")


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"not a zip")
    with pytest.raises(ResultError, match=r"no readable backtest result \(File is not a zip file"):
        read_zip(tmp_path / "a.zip")


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_zip_that_was_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    whole = write_zip(tmp_path / "a.zip", [trade(1.0)]).read_bytes()
    (tmp_path / "b.zip").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ResultError, match="no readable backtest result"):
        read_zip(tmp_path / "b.zip")


def test_a_zip_with_damaged_contents_is_refused(tmp_path: Path) -> None:
    whole = bytearray(write_zip(tmp_path / "a.zip", [trade(1.0)]).read_bytes())
    middle = whole.index(b'"profit_abs"')
    whole[middle : middle + 8] = b"\x00" * 8
    (tmp_path / "b.zip").write_bytes(whole)
    with pytest.raises(ResultError, match="no readable backtest result"):
        read_zip(tmp_path / "b.zip")


def test_a_zip_of_something_else_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.json", "[1, 2]")
    with pytest.raises(ResultError, match="it holds no statistics of a strategy"):
        read_zip(tmp_path / "a.zip")


def test_trades_without_a_wallet_history_are_refused(tmp_path: Path) -> None:
    whole, bare = write_zip(tmp_path / "a.zip", [trade(1.0)]), tmp_path / "b.zip"
    with zipfile.ZipFile(whole) as archive, zipfile.ZipFile(bare, "w") as other:
        other.writestr("made.json", archive.read("made.json"))
    with pytest.raises(ResultError, match=r"no wallet history\): expected a result exported with"):
        read_zip(bare)


def test_statistics_that_lack_a_part_are_refused_by_its_name(tmp_path: Path) -> None:
    row = {name: value for name, value in trade(1.0).items() if name != "initial_stop_loss_abs"}
    path = write_zip(tmp_path / "a.zip", [row])
    with pytest.raises(ResultError, match="'initial_stop_loss_abs' is missing"):
        read_zip(path)


def test_an_empty_period_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", equity=[10_000.0])
    with pytest.raises(ResultError, match="covers no time with Made"):
        read_zip(path)


@pytest.mark.parametrize(
    ("url", "generated"),
    [("http://127.0.0.1:8099/api/v3", True), ("https://api.example.org/api/v3", False)],
)
def test_a_result_knows_whether_its_market_was_made_up(
    tmp_path: Path, url: str, generated: bool
) -> None:
    config = {"exchange": {"name": "binance", "ccxt_config": {"urls": {"api": {"public": url}}}}}
    (run,) = read_zip(write_zip(tmp_path / "a.zip", config=config))
    assert run.generated is generated
