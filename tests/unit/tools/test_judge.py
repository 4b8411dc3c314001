"""`python -m tools.judge` on a small generated market, and what it refuses."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from freqtrade.resolvers import StrategyResolver

from sandbox.overlay import overlay, write_overlay
from sandbox.sources import GeneratedSource
from tools import judge_market
from tools.judge import main
from tools.judge_changes import PARAMETER, SETTING, STOP, WINDOW, Change, apply, knobs
from tools.judge_pictures import STRETCH, busiest, draw_trades
from tools.judge_runs import ROOT, Job, JudgeError, Result, configuration, run, run_all

DAYS = 75
CONFIG = str(ROOT / "config.json")


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    """DonchianTrend on a generated market, with the sandbox exchange running."""
    folder = tmp_path_factory.mktemp("judge")
    market = judge_market.generate(7, DAYS, "1h", folder / "candles")
    with judge_market.exchange(market.datadir, folder) as overlay:
        configs = (CONFIG, str(overlay))
        yield Job("DonchianTrend", configs, str(market.datadir), pairs=market.pairs)


@pytest.fixture(scope="module")
def plain(job: Job) -> Result:
    """The strategy as it is."""
    return run(replace(job, keep_stops=True))


@pytest.mark.slow
def test_account_ends_with_what_the_trades_earned(plain: Result) -> None:
    assert len(plain.trades) > 5
    assert plain.equity.iloc[0] == 10_000
    earned = plain.trades["profit_abs"].sum()
    assert plain.equity.iloc[-1] - plain.equity.iloc[0] == pytest.approx(earned)


@pytest.mark.slow
def test_money_is_invested_only_while_a_trade_is_open(plain: Result) -> None:
    trades = plain.trades
    for moment, invested in plain.invested.items():
        is_open = (trades["open_date"] < moment) & (trades["close_date"] >= moment)
        assert (invested > 0) == bool(is_open.any())


@pytest.mark.slow
def test_recorded_stops_never_fall_and_every_trade_has_one(plain: Result) -> None:
    stays = plain.trades[plain.trades["trade_duration"] > 60]
    for _, trade in stays.iterrows():
        prices = [price for _, price in plain.stops[(trade["pair"], trade["open_date"])]]
        assert prices == sorted(prices)
        assert prices[0] < trade["open_rate"]


@pytest.mark.slow
def test_changes_change_the_run_and_are_gone_in_the_next(job: Job, plain: Result) -> None:
    changes = (
        Change(PARAMETER, "channel_days", 2),
        Change(STOP, "initial_atr", 0.5),
        Change(WINDOW, "SLOW", "15d"),
        Change(SETTING, "risk.per_trade_pct", 0.1),
    )
    for change in changes:
        moved = run(replace(job, changes=(change,)))
        assert not moved.equity.equals(plain.equity), change
    assert run(job).equity.equals(plain.equity)


@pytest.mark.slow
def test_fee_is_paid(job: Job, plain: Result) -> None:
    assert run(replace(job, fee=0.01)).equity.iloc[-1] < plain.equity.iloc[-1]


@pytest.mark.slow
def test_worker_processes_give_the_same_figures(job: Job, plain: Result) -> None:
    both = run_all([job, job], 2, "twice")
    assert all(result.figures() == plain.figures() for result in both)


@pytest.mark.slow
def test_picture_of_trades_is_small_and_the_same_each_time(plain: Result, tmp_path: Path) -> None:
    one, other = tmp_path / "one.svg", tmp_path / "other.svg"
    draw_trades("DonchianTrend", plain, one)
    draw_trades("DonchianTrend", plain, other)
    assert one.read_bytes() == other.read_bytes()
    assert one.stat().st_size < 300_000


@pytest.mark.slow
def test_busiest_stretch_holds_as_many_trades_as_any(plain: Result) -> None:
    pair, start = busiest(plain.trades, STRETCH)
    opened = plain.trades[["pair", "open_date"]]
    counts = [
        ((opened["pair"] == p) & opened["open_date"].between(s, s + STRETCH)).sum()
        for p, s in opened.itertuples(index=False)
    ]
    chosen = (opened["pair"] == pair) & opened["open_date"].between(start, start + STRETCH)
    assert chosen.sum() == max(counts)


def test_picture_without_a_trade_is_refused() -> None:
    with pytest.raises(JudgeError, match="no trade that could be drawn"):
        busiest(pd.DataFrame({"pair": [], "open_date": []}), STRETCH)


@pytest.mark.slow
def test_one_command_judges_a_generated_market(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "figures.json"
    arguments = ["--generate", "7", "--days", str(DAYS), "--strategies", "DonchianTrend"]
    assert main([*arguments, "--shuffles", "2", "--json", str(target)]) == 0
    found = json.loads(target.read_text())["DonchianTrend"]
    assert found["figures"]["trades"] > 5
    assert len(found["spreads"][0]["runs"]) == 2
    assert "return over drawdown" in capsys.readouterr().out


def test_every_part_of_every_strategy_can_be_moved() -> None:
    for path in sorted((ROOT / "strategies").glob("[!_]*.py")):
        loaded = StrategyResolver.load_strategy(configuration(Job(path.stem, (CONFIG,), ".")))
        found = knobs(loaded)
        assert {PARAMETER, STOP, SETTING, WINDOW} == {knob.kind for knob in found}
        for knob in found:
            assert knob.moved(0.75) != knob.moved(1.25)


def test_changed_windows_are_put_back() -> None:
    strategy = StrategyResolver.load_strategy(configuration(Job("DonchianTrend", (CONFIG,), ".")))
    before = knobs(strategy)
    with apply(strategy, [Change(WINDOW, "SLOW", "40d")]):
        assert knobs(strategy) != before
    assert knobs(strategy) == before


def test_hard_times_of_the_script_become_windows_and_are_numbered() -> None:
    windows = judge_market.windows_of(GeneratedSource(7, days=366).labels())
    names = [window.name for window in windows]
    assert len(names) == len(set(names))
    assert {"flash crash", "slow crash", "bear", "chop 1", "chop 2"} <= set(names)
    assert all(window.start < window.end for window in windows)
    assert windows[0].start == datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--strategies", "Nothing"], "'Nothing' is not a strategy here: known are DonchianTrend"),
        (["--jobs", "0"], "--jobs is 0: expected a whole number from 1."),
        (["--shuffles", "-1"], "--shuffles is -1: expected a whole number from 0."),
        (["--fee", "1"], "--fee is 1.0: expected a ratio from 0 to below 0.1."),
        (["--datadir", "/nowhere"], "--datadir /nowhere is not a directory."),
        (["--timerange", "lately"], "--timerange is 'lately': expected one such as"),
        (["-c", "nothing.json"], "--config nothing.json is not a file."),
        (["--jobs", "many"], "Argument --jobs: invalid int value: 'many'."),
        (["--generate", "7", "--days", "3"], "A history of 3 days is outside 30 to 1500."),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--datadir", str(tmp_path), *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"judge: {sentence}")
    assert said.count("\n") == 1


def test_pair_without_candles_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--datadir", str(tmp_path), "--pairs", "ETH/USDT"]) == 2
    assert capsys.readouterr().err == (
        f"judge: {tmp_path} has no candles of ETH/USDT: ETH_USDT-1h.feather is missing.\n"
    )


def test_exchange_that_cannot_be_reached_is_one_sentence(
    job: Job, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "overlay.json"
    write_overlay(nowhere, overlay("http://127.0.0.1:9"))
    arguments = ["--datadir", job.datadir, "--pairs", *job.pairs, "-c", CONFIG]
    assert main([*arguments, "-c", str(nowhere), "--strategies", "DonchianTrend"]) == 2
    assert capfd.readouterr().err == (
        "judge: binance does not tell its markets: is it reachable? "
        "With --offline the sandbox stands in for it.\n"
    )


def test_broken_configuration_is_one_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "config.json"
    broken.write_text("{")
    with pytest.raises(JudgeError) as refusal:
        configuration(Job("DonchianTrend", (str(broken),), str(tmp_path)))
    assert "\n" not in str(refusal.value)
