"""The report: studies of all strategies, judged, as a page and as data."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from markupsafe import Markup

from ballast.research.report import (
    checks,
    show_doubt,
    show_every_trade,
    show_market,
    show_result,
    show_settings,
    show_trades,
)
from ballast.research.report.drawdowns import max_drawdown
from ballast.research.report.findings import Finding, Severity, findings
from ballast.research.report.results import RunResult
from ballast.research.report.selection import by_strategy
from ballast.research.report.sensitivity import moves, over_drawdown
from ballast.research.report.study import Options, Study, study
from ballast.research.report.wording import counted, day, number, percent, share
from ballast.tooling.pages import charts
from ballast.tooling.pages.charts import Chart
from ballast.tooling.pages.page import Page, Section, Tab
from ballast.tooling.pages.tables import Cell, Row, table, tone
from ballast.tooling.pages.texts import bullets, folded, paragraph

_LIMITS = (
    "A backtest is one past, and the rules were chosen by somebody who knew it.",
    "Freqtrade fills every order it can, whole, at once; markets do not. Its own orders never move "
    "the price, unless costs are charged.",
    "Nothing here knows a crash, an outage or a delisting that is not in the sample; the bootstrap "
    "does not either.",
    "Intervals assume that tomorrow is drawn from the same market as the sample. It is not.",
    "Trials that nobody counted make every probability of skill too high.",
)


@dataclass(frozen=True)
class Judged:
    """A study with its findings, worst first."""

    study: Study
    findings: list[Finding]


def judge(runs: Sequence[RunResult], options: Options) -> list[Judged]:
    """
    Study and judge every strategy of some runs.

    Raises
    ------
    ResultError
        When hyperopt's results cannot be read.
    """
    chosen = by_strategy(runs)
    return [
        _judged(
            study(
                name,
                selection,
                options,
                [other.base for other in chosen.values() if other is not selection],
            )
        )
        for name, selection in chosen.items()
    ]


def _judged(done: Study) -> Judged:
    return Judged(done, findings(done, checks.ALL))


def page(judged: Sequence[Judged]) -> Page:
    """The whole page: an overview where there are several strategies, and a tab for each."""
    tabs = [
        Tab(each.study.name, each.study.name, _sections(each), contents=True) for each in judged
    ]
    base = judged[0].study.base
    title = judged[0].study.name if len(judged) == 1 else "Strategies compared"
    if len(judged) > 1:
        tabs.insert(0, Tab("all", "All strategies", _overview(judged)))
    subtitle = (
        f"Report on a backtest, {day(base.start)} to {day(base.end)}, "
        f"{counted(len(base.pairs), 'pair')}, {base.timeframe} candles"
    )
    return Page(title, subtitle, tabs, _footer(judged))


def _sections(judged: Judged) -> list[Section]:
    done = judged.study
    parts: Iterable[Section | None] = (
        show_result.findings_section(done, judged.findings),
        show_result.key_figures(done),
        show_result.curves(done),
        show_result.costs(done),
        show_result.months(done),
        show_market.regimes(done),
        show_market.crises(done),
        show_result.holding(done),
        show_doubt.luck(done),
        show_doubt.overfitting(done),
        show_doubt.walk_forward(done),
        show_doubt.sensitivity(done),
        show_result.elsewhere(done),
        show_market.guards(done),
        show_market.exposure(done),
        show_trades.results(done),
        show_trades.exits(done),
        show_trades.excursions(done),
        show_trades.pairs(done),
        show_every_trade.every_trade(done),
        show_settings.made_by(done.base),
        _what_it_cannot_tell(),
    )
    return [part for part in parts if part is not None]


def _what_it_cannot_tell() -> Section:
    return Section("What this cannot tell", "", [bullets(_LIMITS, boxed=True)])


def _overview(judged: Sequence[Judged]) -> list[Section]:
    serious = sorted(
        ((f, each.study.name) for each in judged for f in each.findings if f.severity >= 2),
        key=lambda pair: -pair[0].severity,
    )
    alarms = [pair for pair in serious if pair[0].severity is Severity.ALARM]
    rest = [pair for pair in serious if pair[0].severity is Severity.WARNING]
    blocks: list[Markup | Chart] = [
        show_result.listed(alarms) if alarms else paragraph("Nothing serious was found.")
    ]
    if rest:
        blocks.append(folded(counted(len(rest), "warning"), show_result.listed(rest)))
    lines, under = [], []
    for each, colour in zip(judged, charts.PALETTE * 4, strict=False):
        equity, low = show_result.daily_curve(each.study.base)
        change = 100 * (equity / equity.iloc[0] - 1)
        lines.append(charts.line(each.study.name, change, colour))
        hidden = {"yaxis": "y2", "showlegend": False}
        under.append(charts.line(each.study.name, 100 * low, colour, width=1.1, **hidden))
    layout = {
        "yaxis": {"domain": [0.36, 1], "title": "change", "ticksuffix": " %"},
        "yaxis2": {"domain": [0, 0.28], "title": "below peak", "ticksuffix": " %"},
        "xaxis": {"type": "date", "anchor": "y2"},
        "hovermode": "x unified",
    }
    label = "Change of the account since the start, and how far it was below its highest value."
    lead = "What speaks against these results. Each strategy has its own page above."
    return [
        Section("Findings", lead, blocks),
        Section("Side by side", "", [_compared(judged), Chart(label, lines + under, layout, 440)]),
        _what_it_cannot_tell(),
    ]


def _compared(judged: Sequence[Judged]) -> Markup:
    rows: list[Row] = []
    for each in judged:
        done = each.study
        worst = [f.severity for f in each.findings]
        rows.append(
            [
                done.name,
                done.base.costs,
                Cell(percent(done.base.total_return), tone(done.base.total_return, 1.5)),
                share(done.max_drawdown, 1),
                number(over_drawdown(done.base), 1),
                number(done.sharpe),
                f"{len(done.trades):,}",
                str(worst.count(Severity.ALARM)),
                str(worst.count(Severity.WARNING)),
            ]
        )
    heads = ("", "costs", "return", "drawdown", "ratio", "Sharpe", "trades", "serious", "warnings")
    return table(heads, rows, words=["costs"])


def _footer(judged: Sequence[Judged]) -> str:
    sources = sorted({run.source for each in judged for run in _runs(each.study)})
    shown = ", ".join(sources[:4]) + (f" and {len(sources) - 4} more" if len(sources) > 4 else "")
    return (
        f"Made from {shown}. Past results say little about coming ones. This file works offline "
        "and contacts nothing."
    )


def _runs(done: Study) -> list[RunResult]:
    chosen = done.runs
    return [
        *chosen.costs,
        *chosen.without_guard,
        *chosen.trials,
        *chosen.pairs,
        *chosen.periods,
    ]


def as_data(judged: Sequence[Judged]) -> dict[str, Any]:
    """Everything in JSON's types, by strategy; shares are ratios, what is undefined is null."""
    return {each.study.name: _plain(_data(each)) for each in judged}


def _data(judged: Judged) -> dict[str, Any]:
    done = judged.study
    return {
        "run": _run_data(done.base),
        "findings": [
            {**dataclasses.asdict(f), "severity": f.severity.name.lower()} for f in judged.findings
        ],
        "notices": done.notices,
        "years": done.years,
        "yearly": done.yearly,
        "sharpe": done.sharpe,
        "profit_factor": done.profit_factor,
        "exposure": float(done.exposure.mean()),
        "highest_heat": float(done.heat.max()),
        "months": {f"{stamp:%Y-%m}": value for stamp, value in done.months.items()},
        "regimes": done.regimes,
        "crises": done.crises,
        "bootstrap": {"days": done.outcomes, "trades": done.trade_outcomes},
        "doubt": done.doubt,
        "costs": [_run_data(run) for run in done.runs.costs],
        "guards": {"active": done.guards, "prices": done.prices},
        "sensitivity": moves(done.runs.trials),
        "pairs": [_run_data(run) for run in done.runs.pairs],
        "periods": [_run_data(run) for run in done.runs.periods],
        "holding": _holding(done),
    }


def _run_data(run: RunResult) -> dict[str, Any]:
    return {
        "source": run.source,
        "start": run.start,
        "end": run.end,
        "pairs": run.pairs,
        "costs": run.costs,
        "total_return": run.total_return,
        "max_drawdown": max_drawdown(run.equity),
        "trades": len(run.trades),
    }


def _holding(done: Study) -> dict[str, Any] | None:
    if done.holding is None:
        return None
    found = {}
    for name in ("pairs", "leader", "same_exposure"):
        values = getattr(done.holding, name)
        change = float(values.iloc[-1] / values.iloc[0] - 1)
        found[name] = {"total_return": change, "max_drawdown": max_drawdown(values)}
    return found


def _plain(value: Any) -> Any:
    """In JSON's types."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime | pd.Timestamp):
        return value.isoformat()
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
