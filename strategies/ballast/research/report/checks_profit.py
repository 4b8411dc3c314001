"""Checks of where the profit comes from, and of what is left of it."""

import math

import numpy as np

from ballast.research.report.drawdowns import max_drawdown
from ballast.research.report.findings import Finding, Severity, above
from ballast.research.report.results import AS_RUN, RunResult
from ballast.research.report.study import Study
from ballast.research.report.trades import top_share
from ballast.research.report.wording import counted, day, percent, share

_BEST = 3


def profit(study: Study) -> Finding | None:
    """Is there any?"""
    value = study.base.total_return
    if not len(study.trades) or value > 0:
        return None
    text = f"It lost money: {percent(value)} in {counted(len(study.trades), 'trade')}."
    return Finding("profit", Severity.ALARM, text, value, 0.0)


def costs(study: Study) -> Finding | None:
    """Does it survive worse fills? At base costs and stressed ones it must."""
    levels = [run for run in study.runs.costs if run.costs in ("base", "stressed", "worst")]
    if not len(study.trades):
        return None
    if not levels:
        known = "without the costs of real fills" if study.base.costs == AS_RUN else "without costs"
        text = (
            f"These are results {known}: whether anything is left at a worse spread, impact and "
            "stops that slip was not tried."
        )
        return Finding("costs", Severity.WARNING, text)
    lost = [run for run in levels if run.total_return <= 0]
    if lost:
        mild = all(run.costs == "worst" for run in lost)
        text = f"Negative after {_level(lost[0])} costs: {percent(lost[0].total_return)}."
        severity = Severity.WARNING if mild else Severity.ALARM
        return Finding("costs", severity, text, lost[0].total_return, 0.0)
    hardest = levels[-1]
    left = f"After {_level(hardest)} costs {percent(hardest.total_return)} is left"
    if len(levels) == 1 and hardest.costs == "base":
        text = f"{left}; harder ones were not tried."
        return Finding("costs", Severity.NOTE, text, hardest.total_return, 0.0)
    return Finding("costs", Severity.FINE, f"{left}.", hardest.total_return, 0.0)


def best_trades(study: Study) -> Finding | None:
    """Does everything hang on a few trades?"""
    value = top_share(study.trades["profit_abs"], _BEST)
    if math.isnan(value) or len(study.trades) <= _BEST:
        return None
    text = f"{share(value)} of the profit comes from {_BEST} trades, of {len(study.trades)}."
    return Finding("best_trades", above(value, 0.25, 0.5), text, value, 0.25)


def without_the_best(study: Study) -> Finding | None:
    """Is anything left without the best twentieth?"""
    profits = study.trades["profit_abs"]
    count = math.ceil(len(profits) / 20)
    if len(profits) < 20 or profits.sum() <= 0:
        return None
    rest = float(profits.sum() - profits.nlargest(count).sum()) / float(profits.sum())
    best = f"Without its best {counted(count, 'trade')} (one in twenty)"
    text = f"{best} {share(rest)} of the profit is left."
    if rest <= 0:
        text = (
            f"{best} it would have lost money: it lives on rare large wins, and missing some "
            "changes everything."
        )
    severity = Severity.WARNING if rest <= 0 else Severity.FINE
    return Finding("without_the_best", severity, text, rest, 0.0)


def best_pair(study: Study) -> Finding | None:
    """Does everything hang on one pair?"""
    profits = study.trades.groupby("pair")["profit_abs"].sum()
    value = top_share(profits, 1)
    if math.isnan(value) or len(study.base.pairs) < 3:
        return None
    text = f"{share(value)} of the profit comes from {profits.idxmax()} alone."
    return Finding("best_pair", above(value, 0.4, 0.6), text, value, 0.4)


def best_months(study: Study) -> Finding | None:
    """Does everything hang on a few months?"""
    logs = np.log1p(study.months)
    if len(logs) < 9 or logs.sum() <= 0:
        return None
    value = float(logs.nlargest(_BEST).sum() / logs.sum())
    names = ", ".join(f"{month:%b %Y}" for month in sorted(logs.nlargest(_BEST).index))
    text = f"{share(value)} of the growth falls in {_BEST} of {len(logs)} months: {names}."
    return Finding("best_months", above(value, 0.5, 1.0), text, value, 0.5)


def decay(study: Study) -> Finding | None:
    """Has it stopped working?"""
    days = study.daily
    if len(days) < 90 or study.base.total_return <= 0:
        return None
    cut = len(days) * 2 // 3
    value = float(np.prod(1 + days.iloc[cut:]) - 1)
    text = f"In the last third, from {day(days.index[cut])}, it made {percent(value)}."
    severity = Severity.WARNING if value <= 0 else Severity.FINE
    return Finding("decay", severity, text, value, 0.0)


def exposure(study: Study) -> Finding | None:
    """Is there more to it than being in the market?"""
    if study.holding is None or not len(study.trades):
        return None
    same = float(study.holding.same_exposure.iloc[-1] - 1)
    value = study.base.total_return - same
    mean = share(float(study.exposure.mean()))
    text = (
        f"Holding the pairs with as much of the account as it used on average ({mean}) would have "
        f"made {percent(same)}, against {percent(study.base.total_return)}."
    )
    severity = Severity.ALARM if value <= 0 else Severity.FINE
    return Finding("exposure", severity, text, value, 0.0)


def holding(study: Study) -> Finding | None:
    """What would holding everything have made?"""
    if study.holding is None:
        return None
    held = study.holding.pairs
    value = float(held.iloc[-1] - 1)
    fall = max_drawdown(held)
    text = (
        f"Holding the pairs would have made {percent(value)}, with a fall of {share(fall)} on the "
        f"way; this made {percent(study.base.total_return)} with {share(study.max_drawdown, 1)}."
    )
    less = value > study.base.total_return
    return Finding("holding", Severity.NOTE if less else Severity.FINE, text, value)


def left_open(study: Study) -> Finding | None:
    """Is the profit one that was never taken?"""
    trades = study.trades
    if not len(trades) or trades["profit_abs"].sum() <= 0:
        return None
    forced = trades.loc[trades["exit_reason"] == "force_exit", "profit_abs"].sum()
    value = float(forced / trades["profit_abs"].sum())
    if value <= 0:
        return None
    text = f"{share(value)} of the profit was still open when the test ended."
    return Finding("left_open", above(value, 0.1, 0.5), text, value, 0.1)


def other_pairs(study: Study) -> Finding | None:
    """Does it work on other choices of pairs?"""
    if len(study.runs.pairs) < 2:
        return None
    worst = min(study.runs.pairs, key=lambda run: run.total_return)
    value, count = worst.total_return, counted(len(study.runs.pairs), "other choice")
    text = f"Of {count} or orders of pairs the worst made {percent(value)}."
    severity = Severity.ALARM if value <= 0 else Severity.FINE
    return Finding("other_pairs", severity, text, value, 0.0)


def other_times(study: Study) -> Finding | None:
    """Does it work at other times?"""
    lost = [run for run in study.runs.periods if run.total_return <= 0]
    if not study.runs.periods:
        return None
    count = counted(len(study.runs.periods), "other period")
    if not lost:
        return Finding("other_times", Severity.FINE, f"It gained in all of {count}.", 0.0)
    worst = min(lost, key=lambda run: run.total_return)
    text = (
        f"It lost in {len(lost)} of {count}: {percent(worst.total_return)} from {day(worst.start)} "
        f"to {day(worst.end)}."
    )
    return Finding("other_times", Severity.WARNING, text, worst.total_return, 0.0)


def _level(run: RunResult) -> str:
    return {"worst": "the worst"}.get(run.costs, run.costs)
