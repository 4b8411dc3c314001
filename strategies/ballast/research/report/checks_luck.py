"""Checks of what luck could have done, before the test and in it."""

import math

from ballast.core.guards.drawdown_limit import DrawdownLimit
from ballast.research.report import limits
from ballast.research.report.bootstrap import BootstrapResult
from ballast.research.report.drawdowns import falls, max_drawdown
from ballast.research.report.findings import Finding, Severity, above, below
from ballast.research.report.overfitting import DAYS_A_YEAR
from ballast.research.report.sensitivity import moves, over_drawdown
from ballast.research.report.study import Study
from ballast.research.report.wording import chance, counted, day, days, number, percent, share

_CREDIBLE = 0.95
# Less of a drawdown is not worth a word.
_LEAST_GAPS = 0.0005
# With fewer, ranks are too coarse: the middle of three is half of the way.
_LEAST_CONFIGURATIONS = 8


def drawdown(study: Study) -> Finding | None:
    """Was the limit broken in the test itself?"""
    value, limit = study.max_drawdown, study.drawdown_limit
    gaps = limits.gaps_in_drawdown(study.base)
    named = f", {share(gaps, 1)} of it below the stops" if gaps >= _LEAST_GAPS else ""
    text = f"The largest drawdown was {share(value, 1)}{named}; the limit is {share(limit)}."
    return Finding("drawdown", above(value, 0.75 * limit, limit), text, value, limit)


def ended_early(study: Study) -> Finding | None:
    """Did the last limit end the run?"""
    since = limits.latched(study.base)
    if since is None:
        return None
    rest = (study.base.end - since).total_seconds() / 86_400
    text = (
        f"{DrawdownLimit.__name__} ended all entries on {day(since)}: nobody re-arms in a "
        f"backtest, and in its last {days(rest)} nothing was bought."
    )
    return Finding("ended_early", Severity.ALARM, text, rest, 0.0)


def drawdown_to_expect(study: Study) -> Finding | None:
    """How likely is a drawdown beyond the limit in another order of luck?"""
    drawn = _worse(study)
    if drawn is None:
        return None
    spread = drawn.drawdown
    text = (
        f"The chance of a drawdown beyond {share(drawn.limit)} over such a time is "
        f"{chance(drawn.beyond_limit)}; one of {share(spread.middle, 1)} is to be expected, one of "
        f"{share(spread.high, 1)} happens once in twenty."
    )
    severity = above(drawn.beyond_limit, 0.05, 0.2)
    return Finding("drawdown_to_expect", severity, text, drawn.beyond_limit, 0.05)


def lucky_path(study: Study) -> Finding | None:
    """Was the drawdown that was seen a lucky one?"""
    if study.outcomes is None:
        return None
    seen = max_drawdown((1 + study.daily).cumprod())
    usual = study.outcomes.drawdown.middle
    if usual < 1.25 * seen or usual < 0.02:
        return None
    text = (
        f"The drawdown that was seen, day by day {share(seen, 1)}, was lucky: {share(usual, 1)} is "
        "the usual one of the same days in another order."
    )
    return Finding("lucky_path", Severity.NOTE, text, usual / seen if seen else math.inf, 1.25)


def chance_of_loss(study: Study) -> Finding | None:
    """How likely is it that such a time ends with a loss?"""
    drawn = study.outcomes
    if drawn is None or not len(study.trades):
        return None
    spread = drawn.total_return
    text = (
        f"The chance that such a time ends with a loss is {chance(drawn.loss)}; nine times in ten "
        f"it ends between {percent(spread.low)} and {percent(spread.high)}."
    )
    return Finding("chance_of_loss", above(drawn.loss, 0.05, 0.2), text, drawn.loss, 0.05)


def under_water(study: Study) -> Finding | None:
    """How long was patience needed?"""
    found = falls(study.base.equity)
    if not found:
        return None
    longest = max(found, key=lambda fall: fall.days)
    more = "" if longest.back else ", and was not over at the end"
    text = f"The longest time below a former peak was {days(longest.days)}{more}."
    return Finding("under_water", above(longest.days, 180, 365), text, longest.days, 180)


def worst_day(study: Study) -> Finding | None:
    """How bad can a day be?"""
    if not len(study.trades):
        return None
    value = float(study.daily.min())
    text = f"The worst day was {percent(value, 1)}."
    return Finding("worst_day", above(-value, 0.03, 0.06), text, value, -0.03)


def trials(study: Study) -> Finding | None:
    """Is it better than the best of the tries would be without skill?"""
    doubt = study.doubt
    if math.isnan(doubt.probabilistic):
        return None
    if doubt.trials == 1:
        text = (
            "How many parameters were tried before these is not known. Taken as the only trial, "
            f"the chance that there is skill is {chance(doubt.probabilistic)}; the best of many is "
            "far less convincing (say how many with --trials)."
        )
        severity = max(Severity.WARNING, below(doubt.probabilistic, _CREDIBLE, 0.8))
        return Finding("trials", severity, text, doubt.probabilistic, _CREDIBLE)
    known = counted(doubt.trials, "trial")
    text = (
        f"The chance that there is skill, and not only the best of {known}, is "
        f"{chance(doubt.deflated)} (deflated Sharpe ratio)."
    )
    return Finding("trials", below(doubt.deflated, _CREDIBLE, 0.8), text, doubt.deflated, _CREDIBLE)


def track_record(study: Study) -> Finding | None:
    """Is it long enough for its own Sharpe ratio?"""
    needed, there = study.doubt.needed_days, study.doubt.found.n
    if math.isnan(needed):
        return None
    if math.isinf(needed):
        text = "No length of test would show skill: the mean day made nothing."
    elif needed > there:
        text = f"Too short to show skill at 95 %: {days(needed)} are needed, {days(there)} there."
    else:
        text = f"Skill at 95 % needs {days(needed)} of such days; {days(there)} are there."
    severity = Severity.WARNING if needed > there else Severity.FINE
    return Finding("track_record", severity, text, there, needed)


def overfitting(study: Study) -> Finding | None:
    """Do choices made on one half of the days hold on the other?"""
    found = study.doubt.overfitting
    if found is None:
        return None
    value = found.probability
    text = (
        f"Of {found.configurations} sets of parameters, the best on one half of the days is below "
        f"the middle on the other half in {share(value)} of all cases, and loses there in "
        f"{share(found.loss)} (probability of backtest overfitting)."
    )
    severity = above(value, 0.3, 0.5)
    if found.configurations < _LEAST_CONFIGURATIONS:
        text = f"{found.configurations} sets of parameters are too few to tell overfitting."
        severity = Severity.NOTE
    elif found.loss < 0.05 and severity is Severity.ALARM:
        text += " Choosing among them is worthless, but whichever is taken makes money."
        severity = Severity.WARNING
    return Finding("overfitting", severity, text, value, 0.3)


def walk_forward(study: Study) -> Finding | None:
    """Does choosing on the past pay afterwards?"""
    found = study.doubt.walk_forward
    if found is None or math.isnan(found.efficiency):
        return None
    text = (
        f"Parameters chosen on the past kept {share(found.efficiency)} of their Sharpe ratio on "
        f"the {counted(len(found.folds), 'stretch', 'stretches')} after it, and made "
        f"{percent(found.chosen_return)} there, the defaults {percent(found.base_return)}."
    )
    severity = below(found.efficiency, 0.5, 0.0)
    return Finding("walk_forward", severity, text, found.efficiency, 0.5)


def sensitivity(study: Study) -> Finding | None:
    """Does it stand on the exact value of a parameter?"""
    tried = moves(study.runs.trials)
    as_it_is = over_drawdown(study.base)
    if not tried or not as_it_is > 0:
        return None
    worst = min(tried, key=lambda move: move.ratio)
    value = worst.ratio / as_it_is
    text = (
        f"With {worst.parameter} at {worst.value} it keeps {share(max(value, 0.0))} of its return "
        f"over drawdown ({number(worst.ratio, 1)} against {number(as_it_is, 1)}): the worst of "
        f"{counted(len(tried), 'change')} tried."
    )
    return Finding("sensitivity", below(value, 0.5, 0.0), text, value, 0.5)


def guards(study: Study) -> Finding | None:
    """Which guard cost most, and what for?"""
    costly = [price for price in study.prices if price.total_return < -0.02]
    if not costly:
        return None
    worst = costly[0]
    saved = "made no drawdown smaller: insurance where nothing burnt, or a guard that is too eager"
    if worst.drawdown < 0:
        saved = f"made the largest drawdown {number(-100 * worst.drawdown, 1)} points smaller"
    text = (
        f"{worst.guard} cost {number(-100 * worst.total_return, 1)} points of return and {saved}."
    )
    return Finding("guards", Severity.NOTE, text, worst.total_return, -0.02)


def yearly(study: Study) -> Finding | None:
    """Is a good ratio one of a short test?"""
    if math.isnan(study.sharpe) or study.sharpe < 3 or study.years * DAYS_A_YEAR < 30:
        return None
    text = (
        f"A Sharpe ratio of {number(study.sharpe, 1)} is better than almost anything real: look "
        "for what the test gets wrong first."
    )
    return Finding("yearly", Severity.WARNING, text, study.sharpe, 3.0)


def _worse(study: Study) -> BootstrapResult | None:
    """The bootstrap, of days or of trades, that has the deeper drawdowns."""
    drawn = [each for each in (study.outcomes, study.trade_outcomes) if each is not None]
    return max(drawn, key=lambda each: each.beyond_limit) if drawn else None
