"""What holding would have done, and what crises did, on tables small enough to check by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from ballast.research.report import candles as candle_files
from ballast.research.report.crises import crises, is_known, worst_weeks
from ballast.research.report.holding import capture, hold, pair_change
from ballast.research.report.results import RunResult, read_zip
from tests.unit.ballast.research.report.made import START, write_zip


def candles(closes: list[float], first_day: int = -1) -> pd.DataFrame:
    dates = pd.date_range(START + pd.Timedelta(days=first_day), periods=len(closes), freq="1D")
    frame = pd.DataFrame({"date": dates, "open": closes, "close": closes, "volume": 1.0})
    return frame.assign(high=frame["close"], low=frame["close"])


def run_of(folder: Path, days: int = 3) -> RunResult:
    return read_zip(write_zip(folder / "a.zip", equity=[100.0] * days))[0]


def test_equal_shares_are_bought_at_the_start(tmp_path: Path) -> None:
    known = {"BTC/USDT": candles([10, 11, 12, 20]), "ETH/USDT": candles([10, 10, 10, 10])}
    found = hold(run_of(tmp_path), known, "BTC/USDT", exposure=0.5)
    assert found is not None
    # The first day begins with the close of the day before, 10; the last ends with 20.
    assert list(found.pairs) == pytest.approx([1.0, 1.05, 1.1, 1.5])
    assert list(found.leader) == pytest.approx([1.0, 1.1, 1.2, 2.0])
    assert found.same_exposure.iloc[1] == pytest.approx(1 + 0.5 * 0.05)


def test_the_share_of_a_pair_that_is_listed_later_waits(tmp_path: Path) -> None:
    known = {"BTC/USDT": candles([10, 10, 10, 10]), "ETH/USDT": candles([10, 20], first_day=1)}
    found = hold(run_of(tmp_path), known, "BTC/USDT", exposure=1.0)
    assert found is not None
    assert list(found.pairs) == pytest.approx([1.0, 1.0, 1.0, 1.5])


def test_without_candles_there_is_nothing_to_hold(tmp_path: Path) -> None:
    assert hold(run_of(tmp_path), {}, "BTC/USDT", exposure=1.0) is None


def test_a_pair_changes_from_its_first_open_to_its_last_close(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    assert pair_change(candles([10, 12, 13, 15]), run) == pytest.approx(15 / 12 - 1)
    assert math.isnan(pair_change(candles([10, 11], first_day=-9), run))


def test_months_are_split_by_what_the_market_did() -> None:
    days = pd.date_range(START, periods=91, freq="1D")
    market = pd.Series(100.0, index=days)
    market[days[31] :] = 200.0
    market[days[59] :] = 150.0
    account = pd.Series(100.0, index=days)
    account[days[31] :] = 110.0
    account[days[59] :] = 99.0
    up, down = capture(account, market)
    assert (up, down) == (pytest.approx(0.1), pytest.approx(-0.1))


def test_worst_weeks_are_the_deepest_and_do_not_overlap() -> None:
    days = pd.date_range(START, periods=60, freq="1D")
    market = pd.Series(100.0, index=days)
    market[days[20] :] = 80.0
    market[days[45] :] = 60.0
    first, second = worst_weeks(market, 2)
    assert first.start < days[20] <= first.end < second.start < days[45] <= second.end


def test_a_market_that_never_falls_has_no_worst_week() -> None:
    days = pd.date_range(START, periods=30, freq="1D")
    assert worst_weeks(pd.Series(range(1, 31), index=days, dtype=float)) == []


def test_a_known_crisis_is_shown_only_where_it_is_covered_as_a_whole() -> None:
    def names(start: str, end: str) -> list[str]:
        days = pd.date_range(start, end, freq="1D", tz="UTC")
        flat = pd.Series(100.0, index=days)
        return [c.name for c in crises(flat, flat, pd.DataFrame({"open_date": days[:0]}))]

    assert names("2021-05-01", "2021-06-01") == ["May 2021"]
    assert names("2021-05-12", "2021-06-01") == []


def test_a_crisis_begins_with_the_last_value_before_it() -> None:
    days = pd.date_range("2021-05-01", "2021-06-01", freq="1D", tz="UTC")
    equity = pd.Series(100.0, index=days)
    equity["2021-05-10T01:00":] = 90.0
    trades = pd.DataFrame({"open_date": pd.to_datetime(["2021-05-09", "2021-05-10"], utc=True)})
    (found, *_) = crises(equity, equity, trades)
    assert found.change == pytest.approx(-0.1)
    assert found.drawdown == pytest.approx(0.1)
    assert found.market == pytest.approx(-0.1)
    assert found.trades == 1


def test_candles_come_from_freqtrades_files_up_to_the_end_of_the_run(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    candles([1.0] * 9, first_day=-3).to_feather(tmp_path / "BTC_USDT-1d.feather")
    found = candle_files.load(run, tmp_path)
    assert list(found) == ["BTC/USDT"]
    assert found["BTC/USDT"]["date"].min() == START - pd.Timedelta(days=3)
    assert found["BTC/USDT"]["date"].max() == START + pd.Timedelta(days=2)
    assert candle_files.missing(run, found) == ["ETH/USDT"]


def test_the_leader_is_that_of_the_settings_else_bitcoin(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    assert candle_files.leader(run) == "BTC/USDT"
    config = {"ballast": {"market": {"leader": "ETH/USDT"}}}
    assert candle_files.leader(replace(run, config=config)) == "ETH/USDT"


def test_a_generated_market_has_no_crisis_of_a_real_name() -> None:
    days = pd.date_range("2020-01-01", "2021-12-31", tz="UTC")
    fall = pd.Series([2 - n / len(days) for n in range(len(days))], days)
    trades = pd.DataFrame({"open_date": days[:0]})
    assert any(is_known(crisis.name) for crisis in crises(fall, fall, trades))
    found = crises(fall, fall, trades, known=False)
    assert found
    assert not any(is_known(crisis.name) for crisis in found)
