"""Findings say the worst first, in plain words, with the number and the threshold they rest on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ballast.research.report import checks, checks_luck, checks_profit, checks_sample
from ballast.research.report.findings import Check, Finding, Severity, findings
from ballast.research.report.guard_times import Price
from ballast.research.report.holding import Holding
from ballast.research.report.overfitting import Moments, Overfitting
from ballast.research.report.regimes import RegimeResult
from ballast.research.report.results import RunResult, read_zip
from ballast.research.report.selection import by_strategy
from ballast.research.report.study import Options, Study, study
from ballast.research.report.walk_forward import WalkForward
from ballast.research.report.wording import day
from tests.unit.ballast.research.report.made import START, trade, write_zip

Made = Callable[..., Study]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A study of one run: profits of its trades, and the account by day."""

    def make(
        profits: list[float] | None = None, equity: Any = None, days: int = 1000, **more: Any
    ) -> Study:
        rows = [trade(p, day=n % 900) for n, p in enumerate(profits or [])]
        values = equity
        if values is None:
            noise = np.random.default_rng(1).standard_normal(days)
            values = 1e4 * np.cumprod(1.0005 + 0.004 * noise)
        (run,) = read_zip(write_zip(tmp_path / "a.zip", rows, list(values)))
        return of(replace(run, **more))

    def of(*runs: RunResult) -> Study:
        (selection,) = by_strategy(runs).values()
        return study("Made", selection, Options(tmp_path / "none", hyperopt=tmp_path, draws=50))

    return make


def found(check: Check, done: Study) -> Finding:
    finding = check(done)
    assert finding is not None
    return finding


def with_runs(done: Study, **more: Any) -> Study:
    return replace(done, runs=replace(done.runs, **more))


def ending(run: RunResult, change: float, **more: Any) -> RunResult:
    """The same run with another end."""
    equity = run.equity.copy()
    equity.iloc[-1] = equity.iloc[0] * (1 + change)
    return replace(run, equity=equity, **more)


def held(values: list[float] | np.ndarray) -> Holding:
    series = pd.Series(values, index=pd.date_range(START, periods=len(values), freq="1D"))
    return Holding(pairs=series, leader=series, same_exposure=series)


def test_the_worst_comes_first_and_equals_keep_their_order(made: Made) -> None:
    def check(name: str, severity: Severity) -> Check:
        return lambda _: Finding(name, severity, name)

    asked = [
        check("a", Severity.NOTE),
        check("b", Severity.ALARM),
        lambda _: None,
        check("c", Severity.FINE),
        check("d", Severity.ALARM),
    ]
    assert [f.code for f in findings(made(), asked)] == ["b", "d", "a", "c"]


@pytest.mark.parametrize(
    ("count", "severity"),
    [(0, 3), (1, 3), (29, 3), (30, 2), (99, 2), (100, 0)],
)
def test_few_trades_are_no_evidence(made: Made, count: int, severity: int) -> None:
    finding = found(checks_sample.trade_count, made([1.0] * count))
    assert finding.severity == severity
    assert (finding.value, finding.threshold) == (count, 100)


def test_one_trade_is_called_an_anecdote(made: Made) -> None:
    assert found(checks_sample.trade_count, made([1.0])).text.startswith("One trade was made: it")
    assert found(checks_sample.trade_count, made([])).text.startswith("No trade was made")


@pytest.mark.parametrize("profits", [[], [5.0], [-5.0], [1.0] * 40])
def test_no_check_stumbles_over_little(made: Made, profits: list[float]) -> None:
    for days in (3, 40, 400):
        assert findings(made(profits, days=days), checks.ALL)


def test_a_loss_is_an_alarm(made: Made) -> None:
    finding = found(checks_profit.profit, made([-1.0], equity=[100.0, 100.0, 99.0]))
    assert finding.severity is Severity.ALARM
    assert "-1.0 %" in finding.text
    assert checks_profit.profit(made([1.0])) is None


@pytest.mark.parametrize(
    ("best", "severity"), [(24.0, Severity.FINE), (25.0, Severity.WARNING), (50.0, Severity.ALARM)]
)
def test_a_profit_of_three_trades_is_named(made: Made, best: float, severity: Severity) -> None:
    rest = 100 - best
    done = made([best / 3] * 3 + [rest / 50] * 50)
    finding = found(checks_profit.best_trades, done)
    assert finding.severity is severity
    assert finding.text == f"{best:.0f} % of the profit comes from 3 trades, of 53."


def test_a_profit_that_the_best_twentieth_makes_alone_is_named(made: Made) -> None:
    finding = found(checks_profit.without_the_best, made([30.0, *[-1.0] * 19]))
    assert finding.severity is Severity.WARNING
    assert finding.text.startswith("Without its best 1 trade (one in twenty) it would have lost")
    assert found(checks_profit.without_the_best, made([2.0, *[1.0] * 19])).severity is Severity.FINE


@pytest.mark.parametrize(
    ("changes", "severity", "text"),
    [
        ({"base": 0.2, "stressed": -0.03, "worst": -0.2}, 3, "Negative after stressed costs: -3"),
        ({"base": 0.2, "stressed": 0.03, "worst": -0.2}, 2, "Negative after the worst costs: -20"),
        ({"base": 0.2, "stressed": 0.03, "worst": 0.01}, 0, "After the worst costs +1.0 % is left"),
        ({"base": 0.2}, 1, "After base costs +20.0 % is left; harder ones were not tried."),
        ({"none": 0.2}, 2, "These are results without costs"),
        ({"as run": 0.2}, 2, "These are results without the costs of real fills"),
    ],
)
def test_costs_are_what_a_result_must_survive(
    made: Made, changes: dict[str, float], severity: int, text: str
) -> None:
    done = made([1.0])
    runs = [ending(done.base, change, costs=level) for level, change in changes.items()]
    (selection,) = by_strategy(runs).values()
    finding = found(checks_profit.costs, replace(done, runs=selection))
    assert finding.severity == severity
    assert finding.text.startswith(text)


def test_one_pair_that_makes_everything_is_named(made: Made) -> None:
    done = made([1.0] * 4)
    trades = done.trades.assign(pair=["A/X", "A/X", "A/X", "B/X"])
    three = ("A/X", "B/X", "C/X")
    done = with_runs(replace(done, trades=trades), base=replace(done.base, pairs=three))
    finding = found(checks_profit.best_pair, done)
    assert finding.severity is Severity.ALARM
    assert finding.text == "75 % of the profit comes from A/X alone."


def test_growth_of_a_few_months_is_named(made: Made) -> None:
    equity = [1e4] * 100 + [2e4] * 200
    finding = found(checks_profit.best_months, made([1.0], equity=equity))
    assert finding.severity is Severity.ALARM
    assert finding.value == pytest.approx(1.0)
    assert "Apr 2021" in finding.text


def test_less_than_holding_with_the_same_exposure_is_an_alarm(made: Made) -> None:
    done = made([1.0], equity=[100.0, 105.0, 110.0])
    worse = replace(done, holding=held([1.0, 1.2]))
    better = replace(done, holding=held([1.0, 1.05]))
    assert found(checks_profit.exposure, worse).severity is Severity.ALARM
    assert found(checks_profit.exposure, better).severity is Severity.FINE
    assert checks_profit.exposure(done) is None


def test_a_last_third_without_profit_is_a_warning(made: Made) -> None:
    rising, falling = np.linspace(100, 200, 200), np.linspace(200, 190, 100)
    finding = found(checks_profit.decay, made([1.0], equity=[*rising, *falling]))
    assert finding.severity is Severity.WARNING


def test_profit_that_was_never_taken_is_named(made: Made) -> None:
    done = made([6.0, 4.0])
    trades = done.trades.assign(exit_reason=["force_exit", "chandelier_exit"])
    finding = found(checks_profit.left_open, replace(done, trades=trades))
    assert finding.severity is Severity.ALARM
    assert finding.text == "60 % of the profit was still open when the test ended."


def test_a_choice_of_pairs_that_loses_is_an_alarm(made: Made) -> None:
    done = made([1.0])
    one, two = (ending(done.base, change, pairs=("A/X",)) for change in (0.2, -0.1))
    finding = found(checks_profit.other_pairs, with_runs(done, pairs=(one, two)))
    assert finding.severity is Severity.ALARM
    assert finding.text == "Of 2 other choices or orders of pairs the worst made -10.0 %."
    assert checks_profit.other_pairs(with_runs(done, pairs=(one,))) is None


def test_a_time_that_loses_is_named(made: Made) -> None:
    done = made([1.0])
    good, bad = ending(done.base, 0.1), ending(done.base, -0.1)
    finding = found(checks_profit.other_times, with_runs(done, periods=(good, bad)))
    assert finding.severity is Severity.WARNING
    assert finding.text.startswith("It lost in 1 of 2 other periods: -10.0 % from 1 Jan 2021")
    assert found(checks_profit.other_times, with_runs(done, periods=(good,))).severity == 0


def test_a_sample_without_a_long_fall_has_no_bear_market(made: Made) -> None:
    quick = np.concatenate((np.full(100, 1.0), np.linspace(1, 0.4, 100), np.full(300, 1.1)))
    long = np.concatenate((np.full(100, 1.0), np.linspace(1, 0.4, 200), np.full(300, 1.1)))
    without = found(checks_sample.bear_market, replace(made(), holding=held(quick)))
    assert without.severity is Severity.WARNING
    # Not "no bear market" beside so deep a fall.
    assert without.text.startswith("The pairs fell deep, but sooner than in a bear market")
    assert "60 % down in 99 days" in without.text
    mild = np.concatenate((np.full(100, 1.0), np.linspace(1, 0.8, 100), np.full(300, 1.1)))
    calm = found(checks_sample.bear_market, replace(made(), holding=held(mild)))
    assert calm.text.startswith("No bear market in the sample")
    within = found(checks_sample.bear_market, replace(made(), holding=held(long)))
    assert within.severity is Severity.FINE
    assert "60 % down in 199 days" in within.text


def test_a_market_that_rises_and_never_falls_has_none_either(made: Made) -> None:
    done = replace(made(), holding=held(np.linspace(1, 2, 900)))
    assert found(checks_sample.bear_market, done).text.count(";") == 0


def test_a_strong_market_is_a_tailwind(made: Made) -> None:
    done = made(days=731)
    risen = replace(done, holding=held(np.linspace(1, 9, 731)))
    finding = found(checks_sample.tailwind, risen)
    assert finding.severity is Severity.WARNING
    assert "rose to 9.0 times" in finding.text
    assert checks_sample.tailwind(replace(done, holding=held(np.linspace(1, 2, 731)))) is None


def regime(trend: str, days: int = 100, trades: int = 40, daily: float = 0.001) -> RegimeResult:
    bounds = {"daily_low": daily - 0.0005, "daily_high": daily + 0.0005}
    return RegimeResult(
        trend,
        "calm",
        days,
        0.1,
        daily,
        **bounds,
        total=0.1,
        trades=trades,
        r=0.5,
        r_low=0,
        r_high=1,
    )


def test_a_direction_that_is_hardly_there_is_named(made: Made) -> None:
    cells = [regime("up"), regime("range"), regime("down", days=12)]
    finding = found(checks_sample.missing_trend, replace(made(), regimes=cells))
    assert finding.severity is Severity.WARNING
    assert finding.text == "Only 12 days of a falling market in the sample."


def test_regimes_with_few_trades_are_counted(made: Made) -> None:
    cells = [regime("up", trades=30), regime("down", trades=29)]
    finding = found(checks_sample.thin_regimes, replace(made(), regimes=cells))
    assert finding.text.startswith("1 of 2 regimes have fewer than 30 trades")
    assert checks_sample.thin_regimes(replace(made(), regimes=cells[:1])) is None


def test_a_regime_that_surely_loses_is_named_only_where_there_are_days_enough(made: Made) -> None:
    done = made()
    sure, unsure = regime("range", daily=-0.001), regime("down", days=29, daily=-0.1)
    finding = found(checks_sample.losing_regime, replace(done, regimes=[unsure, sure]))
    assert finding.text.startswith("In a sideways market of calm volatility it loses: -0.100 %")
    assert checks_sample.losing_regime(replace(done, regimes=[unsure])) is None


def test_stops_that_fill_at_their_level_are_named_unless_costs_are_charged(made: Made) -> None:
    done = made([1.0] * 4)
    trades = done.trades.assign(exit_reason=["stop_loss", "trailing_stop_loss", "x", "y"])
    plain = with_runs(replace(done, trades=trades), base=replace(done.base, costs="none"))
    assert found(checks_sample.perfect_stops, plain).text.startswith("50 % of the exits are stops")
    charged = with_runs(plain, base=replace(done.base, costs="base"))
    assert checks_sample.perfect_stops(charged) is None


@pytest.mark.parametrize(
    ("low", "severity"), [(92.0, Severity.FINE), (90.9, Severity.WARNING), (88.0, Severity.ALARM)]
)
def test_a_drawdown_near_or_beyond_the_limit_is_named(
    made: Made, low: float, severity: Severity
) -> None:
    finding = found(checks_luck.drawdown, made([1.0], equity=[100.0, low, 101.0]))
    assert finding.severity is severity
    assert finding.threshold == 0.12


def test_what_gaps_took_of_a_drawdown_is_named_apart(made: Made) -> None:
    done = made([-15.0], equity=[100.0, 82.0, 82.0])
    assert "18.0 %, 5.0 % of it below the stops; the" in found(checks_luck.drawdown, done).text
    at_the_stop = made([-10.0], equity=[100.0, 82.0, 82.0])
    assert "below" not in found(checks_luck.drawdown, at_the_stop).text


def test_a_run_that_the_last_limit_ended_is_an_alarm(made: Made) -> None:
    done = made([1.0] * 40, days=40)
    assert checks_luck.ended_early(done) is None
    start = pd.Timestamp(done.base.start) + pd.Timedelta(days=10)
    rows = {"pair": "*", "start": start, "end": start + pd.Timedelta(days=3650)}
    locks = pd.DataFrame([{**rows, "reason": "DRAWDOWN_LIMIT value=15 limit=14.75"}])
    ended = replace(done, runs=replace(done.runs, base=replace(done.base, locks=locks)))
    finding = found(checks_luck.ended_early, ended)
    assert finding.severity is Severity.ALARM
    assert f"{day(start)}" in finding.text
    assert "in its last 30 days" in finding.text


def test_the_deeper_bootstrap_is_told(made: Made) -> None:
    done = made([1.0] * 5)
    assert done.outcomes is not None
    deep = replace(done.outcomes, beyond_limit=0.21)
    finding = found(checks_luck.drawdown_to_expect, replace(done, trade_outcomes=deep))
    assert finding.severity is Severity.ALARM
    assert "beyond 12 % over such a time is 21 %" in finding.text


def test_a_lucky_path_is_called_one(made: Made) -> None:
    done = made([1.0])
    assert done.outcomes is not None
    spread = replace(done.outcomes.drawdown, middle=0.5)
    lucky = replace(done, outcomes=replace(done.outcomes, drawdown=spread))
    assert found(checks_luck.lucky_path, lucky).severity is Severity.NOTE


def doubted(done: Study, **more: Any) -> Study:
    return replace(done, doubt=replace(done.doubt, **more))


def test_a_single_known_trial_is_not_believed(made: Made) -> None:
    finding = found(checks_luck.trials, made([1.0]))
    assert finding.severity >= Severity.WARNING
    assert "--trials" in finding.text


@pytest.mark.parametrize(("deflated", "severity"), [(0.96, 0), (0.95, 0), (0.94, 2), (0.79, 3)])
def test_many_trials_deflate_the_ratio(made: Made, deflated: float, severity: int) -> None:
    finding = found(checks_luck.trials, doubted(made([1.0]), trials=40, deflated=deflated))
    assert finding.severity == severity
    assert "40 trials" in finding.text


@pytest.mark.parametrize(
    ("probability", "loss", "count", "severity"),
    [(0.29, 0.2, 8, 0), (0.3, 0.2, 8, 2), (0.5, 0.2, 8, 3), (0.5, 0.04, 8, 2), (0.9, 0.9, 7, 1)],
)
def test_overfitting_is_named_unless_there_is_too_little_to_tell(
    made: Made, probability: float, loss: float, count: int, severity: int
) -> None:
    cscv = Overfitting(probability, loss, 0.1, 0.05, configurations=count, splits=12_870)
    finding = found(checks_luck.overfitting, doubted(made([1.0]), overfitting=cscv))
    assert finding.severity == severity


@pytest.mark.parametrize(("efficiency", "severity"), [(0.5, 0), (0.49, 2), (-0.1, 3)])
def test_a_choice_that_does_not_last_is_named(made: Made, efficiency: float, severity: int) -> None:
    walked = WalkForward((), efficiency, 0.1, 0.2)
    finding = found(checks_luck.walk_forward, doubted(made([1.0]), walk_forward=walked))
    assert finding.severity == severity


def test_a_record_that_is_too_short_is_named(made: Made) -> None:
    moments = Moments(0.05, 0.0, 3.0, n=400)
    short = doubted(made([1.0]), found=moments, needed_days=500.0)
    finding = found(checks_luck.track_record, short)
    assert finding.severity is Severity.WARNING
    assert finding.text == "Too short to show skill at 95 %: 500 days are needed, 400 days there."
    hopeless = found(checks_luck.track_record, doubted(made([1.0]), needed_days=math.inf))
    assert hopeless.text.startswith("No length of test would show skill")


@pytest.mark.parametrize(
    ("change", "severity"), [(0.7, Severity.FINE), (0.3, Severity.WARNING), (-0.1, Severity.ALARM)]
)
def test_a_parameter_on_which_everything_stands_is_named(
    made: Made, change: float, severity: Severity
) -> None:
    done = made([1.0], equity=[100.0, 90.0, 180.0])
    moved = ending(done.base, change, parameters={"days": 6})
    finding = found(checks_luck.sensitivity, with_runs(done, trials=(moved,)))
    assert finding.severity is severity
    assert finding.text.startswith("With days at 6 it keeps ")


def test_the_costliest_guard_is_noted_with_what_it_saved(made: Made) -> None:
    done = made([1.0])
    prices = [Price("DrawdownLadder", -0.1, -0.02, -3), Price("DailyLossLimit", -0.05, 0.0, -3)]
    useful = found(checks_luck.guards, replace(done, prices=prices))
    assert useful.text == (
        "DrawdownLadder cost 10.0 points of return and made the largest drawdown 2.0 points "
        "smaller."
    )
    useless = found(checks_luck.guards, replace(done, prices=prices[1:]))
    assert useless.text.startswith("DailyLossLimit cost 5.0 points of return and made no drawdown")
    cheap = Price("DailyLossLimit", -0.02, 0.0, -3)
    assert checks_luck.guards(replace(done, prices=[cheap])) is None


def test_a_long_time_below_the_peak_is_named(made: Made) -> None:
    equity = [100.0, *[99.0] * 200, 101.0]
    finding = found(checks_luck.under_water, made([1.0], equity=equity))
    assert finding.severity is Severity.WARNING
    assert finding.text == "The longest time below a former peak was 201 days."


def test_a_day_beyond_the_daily_limit_is_named(made: Made) -> None:
    finding = found(checks_luck.worst_day, made([1.0], equity=[100.0, 96.0, 100.0]))
    assert finding.severity is Severity.WARNING
    assert finding.text == "The worst day was -4.0 %."


def test_a_ratio_too_good_to_be_true_is_doubted(made: Made) -> None:
    noise = 1 + 0.001 * np.random.default_rng(2).standard_normal(300)
    equity = 1e4 * np.cumprod(noise + 0.001)
    assert found(checks_luck.yearly, made([1.0], equity=equity)).severity is Severity.WARNING
    assert checks_luck.yearly(made([1.0])) is None
