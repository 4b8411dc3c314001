"""How far it can be trusted, as parts of a page: luck, trials, walk-forward, sensitivity."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ballast.research.report.bootstrap import BootstrapResult, Percentiles
from ballast.research.report.overfitting import DAYS_A_YEAR, Overfitting
from ballast.research.report.sensitivity import Move, moves, over_drawdown
from ballast.research.report.study import Study
from ballast.research.report.walk_forward import WalkForward
from ballast.research.report.wording import chance, counted, day, days, number, percent, share
from ballast.tooling.pages import charts
from ballast.tooling.pages.charts import Chart
from ballast.tooling.pages.page import Section
from ballast.tooling.pages.tables import Cell, Fact, Row, facts, table, tone
from ballast.tooling.pages.texts import paragraph

_YEAR = math.sqrt(DAYS_A_YEAR)


def luck(study: Study) -> Section | None:
    """What other orders of the same luck would have given."""
    drawn = [
        (name, each)
        for name, each in (("days", study.outcomes), ("trades", study.trade_outcomes))
        if each is not None
    ]
    if not drawn or not len(study.trades):
        return None
    rows: list[Row] = []
    for name, each in drawn:
        rows += [
            [f"return, from {name}", *_ends(each.total_return, percent)],
            [f"largest drawdown, from {name}", *_ends(each.drawdown, _unsigned)],
            [f"worst month, from {name}", *_ends(each.worst_month, percent)],
        ]
    heads = ("", "5 %", "50 %", "95 %")
    said = [paragraph(_said(name, each)) for name, each in drawn]
    lead = (
        "The same days, and the same trades, drawn again with replacement in blocks of random "
        "length (stationary bootstrap): what else could have come of them. It knows only what the "
        "sample holds: no crash that is not in it."
    )
    return Section("Luck", lead, [table(heads, rows), *said])


def _ends(spread: Percentiles, text: Callable[[float], str]) -> list[str]:
    return [text(spread.low), text(spread.middle), text(spread.high)]


def _unsigned(ratio: float) -> str:
    return share(ratio, 1)


def _said(name: str, drawn: BootstrapResult) -> str:
    return (
        f"From {name}: a drawdown beyond {share(drawn.limit)} has a chance of "
        f"{chance(drawn.beyond_limit)}, a loss over the whole time one of {chance(drawn.loss)} "
        f"({drawn.draws:,} draws, blocks of {drawn.block:.0f} on average)."
    )


def overfitting(study: Study) -> Section | None:
    """What many tries do to a result."""
    doubt = study.doubt
    if math.isnan(doubt.found.sharpe):
        return None
    lead = (
        "The best of many tries looks good without any skill. Every trial made on these candles "
        "counts, whether it is kept or not."
    )
    found = doubt.overfitting
    blocks: list[Markup | Chart] = [facts(_of_trials(study) + (_of_halves(found) if found else []))]
    if found is None:
        missing = (
            "The probability of overfitting and the walk-forward need runs with changed "
            "parameters: python -m ballast stress --parameters makes them."
        )
        blocks.append(paragraph(missing, "quiet"))
    return Section("Overfitting", lead, blocks)


def _of_trials(study: Study) -> list[Fact]:
    doubt = study.doubt
    counted_as = (
        f"this one, {counted(len(study.runs.trials), 'run')} with changed parameters, "
        f"{counted(doubt.hyperopt_epochs, 'epoch')} of hyperopt, {doubt.added} said by --trials"
    )
    return [
        ("Sharpe ratio, annualised", number(study.sharpe), ""),
        ("Trials counted", f"{doubt.trials:,}", counted_as),
        (
            "Chance that the true one is above zero",
            chance(doubt.probabilistic),
            "probabilistic Sharpe ratio: as if this were the only trial",
        ),
        (
            "Chance that it is above the best of so many trials without skill",
            chance(doubt.deflated),
            "deflated Sharpe ratio",
        ),
        (
            "Shortest test that shows skill at 95 %",
            f"{days(doubt.needed_days)}; there are {days(doubt.found.n)}",
            "minimum track record",
        ),
    ]


def _of_halves(found: Overfitting) -> list[Fact]:
    of = (
        f"of {found.splits:,} ways to halve the days, those in which the best on one half, "
        f"of {found.configurations} sets of parameters, is below the middle on the other"
    )
    inside, outside = number(found.in_sample * _YEAR), number(found.out_of_sample * _YEAR)
    return [
        ("Probability of backtest overfitting", share(found.probability), of),
        (
            "Sharpe ratio of the chosen",
            f"{inside} where chosen, {outside} on the other half",
            "median, annualised",
        ),
        ("Chance that the chosen loses on the other half", chance(found.loss), ""),
    ]


def walk_forward(study: Study) -> Section | None:
    """Choosing on the past, trading what comes."""
    found = study.doubt.walk_forward
    if found is None:
        return None
    names = ["as it is", *(_changed(run.parameters) for run in study.runs.trials)]
    labels = [f"{day(fold.start)} to {day(fold.end)}" for fold in found.folds]
    rows: list[Row] = [
        [
            label,
            number(fold.in_sample * _YEAR),
            number(fold.out_of_sample * _YEAR),
            Cell(percent(fold.chosen_return), tone(fold.chosen_return, 0.2)),
            percent(fold.base_return),
            names[fold.chosen],
        ]
        for label, fold in zip(labels, found.folds, strict=True)
    ]
    rows.append(["all", "", "", percent(found.chosen_return), percent(found.base_return), ""])
    heads = ("traded", "Sharpe before", "after", "return", "as it is", "chosen")
    lead = (
        "On three stretches the best set of parameters is chosen, on the next one it is traded, "
        f"and so on. It kept {share(found.efficiency)} of its Sharpe ratio."
    )
    return Section("Walk-forward", lead, [_folds(found), table(heads, rows, words=["chosen"])])


def _folds(found: WalkForward) -> Chart:
    seen = [fold.in_sample * _YEAR for fold in found.folds]
    unseen = [fold.out_of_sample * _YEAR for fold in found.folds]
    data = [
        {
            "type": "bar",
            "name": name,
            "x": [f"{fold.start:%b %Y}" for fold in found.folds],
            "y": charts.rounded(values),
            "marker": {"color": colour},
        }
        for name, values, colour in (
            ("when chosen", seen, charts.PALETTE[4]),
            ("afterwards", unseen, charts.PALETTE[0]),
        )
    ]
    return Chart(
        "Sharpe ratio, annualised, of the parameters that were best on the past: there, and on the "
        "days that followed.",
        data,
        {"barmode": "group", "xaxis": {"type": "category"}, "yaxis": {"title": "Sharpe ratio"}},
        280,
    )


def _changed(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in parameters.items())


def sensitivity(study: Study) -> Section | None:
    """Each parameter moved."""
    tried = moves(study.runs.trials)
    if not tried:
        return None
    as_it_is = over_drawdown(study.base)
    rows: list[Row] = [
        [
            move.parameter,
            str(move.value),
            percent(move.total_return),
            share(move.drawdown, 1),
            Cell(number(move.ratio, 1), tone(move.ratio - as_it_is, abs(as_it_is) / 2)),
            f"{move.trades:,}",
        ]
        for move in tried
    ]
    heads = ("parameter", "at", "return", "drawdown", "return over drawdown", "trades")
    lead = "A result that stands on the exact value of a parameter was found, not earned."
    return Section("Sensitivity", lead, [_moved(tried, as_it_is), table(heads, rows)])


def _moved(tried: Sequence[Move], as_it_is: float) -> Chart:
    names = list(dict.fromkeys(move.parameter for move in tried))[::-1]
    data = {
        "type": "scatter",
        "mode": "markers",
        "name": "moved",
        "x": charts.rounded([move.ratio for move in tried]),
        "y": [move.parameter for move in tried],
        "text": [f"{move.parameter} = {move.value}" for move in tried],
        "hoverinfo": "text+x",
        "marker": {"color": charts.PALETTE[0], "size": 9, "opacity": 0.75},
    }
    layout = {
        "xaxis": {"title": "return over drawdown", "rangemode": "tozero"},
        "yaxis": {"type": "category", "categoryorder": "array", "categoryarray": names},
        "shapes": [charts.level(x=as_it_is)] if math.isfinite(as_it_is) else [],
    }
    return Chart(
        "Return over drawdown with one parameter at another value; the dotted line is the strategy "
        "as it is.",
        [data],
        layout,
        90 + 30 * len(names),
    )
