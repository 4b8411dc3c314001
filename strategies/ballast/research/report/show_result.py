"""What came out, as parts of a page: findings, key figures, curves, months, costs, holding."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

from ballast.research.report.drawdowns import falls, max_drawdown, underwater
from ballast.research.report.findings import Finding, Severity
from ballast.research.report.holding import capture
from ballast.research.report.results import RunResult
from ballast.research.report.sensitivity import over_drawdown
from ballast.research.report.study import Study
from ballast.research.report.wording import counted, day, days, number, percent, share
from ballast.tooling.pages import charts
from ballast.tooling.pages.charts import Chart
from ballast.tooling.pages.page import Section
from ballast.tooling.pages.tables import Cell, Row, table, tone
from ballast.tooling.pages.texts import Badged, badged, folded, paragraph, tiles

_BADGES = {
    Severity.ALARM: "Serious",
    Severity.WARNING: "Warning",
    Severity.NOTE: "Note",
    Severity.FINE: "Held",
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def findings_section(study: Study, found: Sequence[Finding]) -> Section:
    """Findings, worst first; what held is folded away below them."""
    speaking = [finding for finding in found if finding.severity > Severity.FINE]
    held = [finding for finding in found if finding.severity == Severity.FINE]
    blocks: list[Markup | Chart] = [paragraph(text, "notice") for text in study.notices]
    blocks.append(listed([(finding, "") for finding in speaking]))
    if held:
        inside = listed([(finding, "") for finding in held])
        blocks.append(folded(f"{counted(len(held), 'check')} that held", inside))
    lead = "What speaks against this result, worst first. Read this before any curve below."
    return Section("Findings", lead, blocks)


def listed(found: Sequence[tuple[Finding, str]]) -> Markup:
    """Findings as a list; each with the name of what it is about, or ''."""
    return badged(
        [
            Badged(finding.severity.name.lower(), _BADGES[finding.severity], finding.text, who)
            for finding, who in found
        ]
    )


def key_figures(study: Study) -> Section:
    """The figures that everybody asks for first."""
    base, drawn = study.base, study.outcomes
    between = ""
    if drawn is not None and len(study.trades):
        spread = drawn.total_return
        between = f"; bootstrap {percent(spread.low, 0)} to {percent(spread.high, 0)}"
    months = study.months
    wins = study.trades["profit_abs"] > 0
    figures = [
        (percent(base.total_return), f"total return{between}"),
        (percent(study.yearly), "a year"),
        (share(study.max_drawdown, 1), "largest drawdown, at candles"),
        (number(over_drawdown(base), 1), "return over drawdown"),
        (number(study.sharpe), "Sharpe ratio of days, annualised"),
        (percent(float(months.min())) if len(months) else "-", "worst month"),
        (
            f"{len(study.trades):,}",
            "trades, " + (share(wins.mean()) if len(wins) else "-") + " won",
        ),
        (number(float(study.trades["r"].mean())), "mean result of a trade in R"),
        (number(study.profit_factor), "profit factor"),
        (share(float(study.exposure.mean())), "of the account in the market on average"),
    ]
    lead = (
        f"{day(base.start)} to {day(base.end)}, {counted(len(base.pairs), 'pair')} on "
        f"{base.timeframe} candles, {number(base.starting_balance, 0)} {base.stake_currency} at "
        f"the start, costs: {base.costs}."
    )
    return Section("Key figures", lead, [tiles(figures)])


def curves(study: Study) -> Section:
    """Equity and underwater curve at every level of costs."""
    lines, under = [], []
    for run, colour in zip(study.runs.costs, charts.PALETTE, strict=False):
        equity, low = daily_curve(run)
        width = 2.2 if run is study.base else 1.3
        name = f"costs: {run.costs}"
        lines.append(charts.line(name, equity, colour, width=width))
        # One on another they would hide each other.
        if run is study.base or run is study.runs.costs[-1]:
            hidden = {"yaxis": "y2", "showlegend": False}
            under.append(charts.line(name, 100 * low, colour, width=width, **hidden))
    layout = {
        "yaxis": {"domain": [0.36, 1], "title": f"account, {study.base.stake_currency}"},
        "yaxis2": {"domain": [0, 0.28], "title": "below peak", "ticksuffix": " %"},
        "xaxis": {"type": "date", "anchor": "y2"},
        "hovermode": "x unified",
        "showlegend": len(lines) > 1,
    }
    label = "Value of the account day by day, and how far it was below its highest value so far."
    deepest = [
        [
            day(fall.peak),
            day(fall.low),
            day(fall.back) if fall.back else "not yet",
            share(fall.depth, 1),
            days(fall.days_down),
            days(fall.days),
        ]
        for fall in falls(study.base.equity)[:5]
    ]
    heads = ("from the peak of", "low", "back", "depth", "way down", "until back")
    blocks: list[Markup | Chart] = [Chart(label, lines + under, layout, 430)]
    if deepest:
        blocks.append(table(heads, deepest, "The five deepest falls, at candles"))
    return Section("The account", "", blocks)


def daily_curve(run: RunResult) -> tuple[pd.Series, pd.Series]:
    """Account value at the end of each day, and the deepest underwater of it."""
    equity = run.equity.resample("1D").last().dropna()
    return equity, underwater(run.equity).resample("1D").min().dropna()


def months(study: Study) -> Section:
    """Change by calendar month, a row a year."""
    changes = study.months
    rows: list[Row] = []
    for year, values in changes.groupby(pd.DatetimeIndex(changes.index).year):
        by_month = {stamp.month: float(value) for stamp, value in values.items()}
        cells = [_month(by_month.get(month, math.nan)) for month in range(1, 13)]
        whole = float(np.prod(1 + values) - 1)
        rows.append([str(year), *cells, Cell(percent(whole), tone(whole, 0.5))])
    positive = float((changes > 0).mean()) if len(changes) else math.nan
    lead = f"{share(positive)} of the months gained. Change of the account in percent."
    return Section("Months", lead, [table(("year", *_MONTHS, "year"), rows)])


def _month(value: float) -> Cell:
    text = "" if math.isnan(value) else f"{100 * value:+.1f}"
    return Cell(text, tone(value, 0.08))


def costs(study: Study) -> Section | None:
    """The same at every level of costs."""
    if len(study.runs.costs) < 2:
        return None
    rows: list[Row] = [
        [
            run.costs,
            Cell(percent(run.total_return), tone(run.total_return, 1.0)),
            share(max_drawdown(run.equity), 1),
            number(over_drawdown(run), 1),
            f"{len(run.trades):,}",
        ]
        for run in study.runs.costs
    ]
    heads = ("costs", "return", "drawdown", "return over drawdown", "trades")
    lead = (
        "Freqtrade fills at the price asked and stops at their level. Here is what is left when "
        "spread, impact and slipping stops are charged, and when they are worse than usual."
    )
    return Section("Costs", lead, [table(heads, rows)])


def elsewhere(study: Study) -> Section | None:
    """Other pairs and other times."""
    others = [
        *((_told_apart(run, study.base), run) for run in study.runs.pairs),
        *((f"{day(run.start)} to {day(run.end)}", run) for run in study.runs.periods),
    ]
    if not others:
        return None
    rows: list[Row] = [
        [
            name,
            Cell(percent(run.total_return), tone(run.total_return, 1.0)),
            share(max_drawdown(run.equity), 1),
            number(over_drawdown(run), 1),
            f"{len(run.trades):,}",
        ]
        for name, run in [("as it is", study.base), *others]
    ]
    heads = ("", "return", "drawdown", "return over drawdown", "trades")
    lead = "The same strategy on a part of the pairs, in another order of them, or at other times."
    return Section("Other pairs and times", lead, [table(heads, rows)])


def _told_apart(run: RunResult, base: RunResult) -> str:
    missing = [pair.split("/")[0] for pair in base.pairs if pair not in run.pairs]
    if not missing:
        return "other order or more pairs"
    return f"without {', '.join(missing)}"


def holding(study: Study) -> Section | None:
    """Against holding the pairs."""
    held = study.holding
    if held is None:
        return None
    account = daily_curve(study.base)[0]
    curves_of = {
        study.name: account / account.iloc[0],
        f"pairs held, {share(float(study.exposure.mean()))} of the account": held.same_exposure,
        "pairs held": held.pairs,
        "leader held": held.leader.dropna(),
    }
    rows: list[Row] = []
    lines = []
    for (name, values), colour in zip(curves_of.items(), charts.PALETTE, strict=False):
        if len(values) < 2:
            continue
        up, down = capture(values, held.pairs)
        total = float(values.iloc[-1] / values.iloc[0] - 1)
        fall = max_drawdown(values)
        ratio = number(total / fall, 1) if fall > 0 else "-"
        rows.append([name, percent(total), share(fall, 1), ratio, percent(up), percent(down)])
        lines.append(charts.line(name, values, colour, width=2.2 if name == study.name else 1.3))
    layout = {
        "yaxis": {"type": "log", "title": "value, 1 at the start", **charts.LOG},
        "xaxis": {"type": "date"},
        "hovermode": "x unified",
    }
    heads = ("", "return", "drawdown, by day", "ratio", "in rising months", "in falling months")
    label = "What one unit of money became, on a logarithmic scale."
    lead = (
        "Holding needs no strategy. The fair comparison is with as much of the account in the "
        "pairs as the strategy used on average; months are rising or falling ones of the pairs."
    )
    return Section("Against holding", lead, [Chart(label, lines, layout, 340), table(heads, rows)])
