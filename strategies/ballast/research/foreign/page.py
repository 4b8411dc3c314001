"""The page of a comparison, in the style of the report's."""

from collections.abc import Sequence

from markupsafe import Markup

from ballast.research.foreign import wording
from ballast.research.foreign.comparison import StrategyComparison
from ballast.research.report.crises import is_known
from ballast.research.report.drawdowns import changes
from ballast.research.report.show_result import daily_curve
from ballast.research.report.wording import counted, day, number, percent, share
from ballast.tooling.pages import charts
from ballast.tooling.pages.charts import Chart
from ballast.tooling.pages.page import Page, Section, Tab
from ballast.tooling.pages.tables import Cell, Row, table, tone
from ballast.tooling.pages.texts import paragraph

_ALONE, _UNDER = "alone", "under the layer"
_FULL_FALL, _FULL_RETURN = 0.5, 1.0


def page(found: Sequence[StrategyComparison]) -> Page:
    """The whole page: all strategies beside one another, and each by itself."""
    run = found[0].under.run
    tabs = [Tab(f"strategy-{n}", each.name, _sections(each)) for n, each in enumerate(found)]
    if len(found) > 1:
        tabs.insert(0, Tab("all", "All strategies", [_overview(found)]))
    subtitle = (
        f"{day(run.start)} to {day(run.end)}, {counted(len(run.pairs), 'pair')}, "
        f"{number(run.starting_balance, 0)} {run.stake_currency} at the start, costs on both: "
        f"{run.costs}"
    )
    footer = "This file works offline and contacts nothing."
    return Page("Alone and under the layer", subtitle, tabs, footer)


def _overview(found: Sequence[StrategyComparison]) -> Section:
    rows: list[Row] = []
    for each in found:
        for name, side in ((_ALONE, each.alone), (_UNDER, each.under)):
            worst = max((crisis.drawdown for crisis in side.crises), default=0.0)
            rows.append(
                [
                    f"{each.name}, {name}",
                    Cell(percent(side.total_return), tone(side.total_return, _FULL_RETURN)),
                    Cell(share(side.max_drawdown, 1), tone(-side.max_drawdown, _FULL_FALL)),
                    share(worst, 1),
                    percent(side.worst_day[0]),
                    share(side.exposure),
                    f"{len(side.run.trades):,}",
                ]
            )
    fall = "in a crash window"
    heads = ("", "return", "drawdown", fall, "worst day", "in the market", "trades")
    lead = (
        "The same candles, fees and costs of every fill; each row is a backtest of its own. Beside "
        "the largest drawdown stands the largest that began and ended in a known crash or one of "
        "the market's worst weeks."
    )
    return Section("", lead, [table(heads, rows)])


def _sections(found: StrategyComparison) -> list[Section]:
    sections = [_side_by_side(found), _curves(found), _years(found), _windows(found)]
    return [*(section for section in sections if section is not None), _difference(found)]


def _side_by_side(found: StrategyComparison) -> Section:
    rows: list[Row] = [
        [each.name, each.alone, Cell(each.under, tone(each.better, _FULL_FALL))]
        for each in wording.figures(found)
    ]
    lead = "What Freqtrade makes of the strategy by itself, and of the same one under the layer."
    return Section("Side by side", lead, [table(("", _ALONE, _UNDER), rows)])


def _curves(found: StrategyComparison) -> Section:
    data = []
    for name, side, colour in (
        (_ALONE, found.alone, charts.PALETTE[1]),
        (_UNDER, found.under, charts.PALETTE[0]),
    ):
        equity, low = daily_curve(side.run)
        data.append(charts.line(name, equity, colour))
        hidden = {"yaxis": "y2", "showlegend": False}
        data.append(charts.line(name, 100 * low, colour, **hidden))
    layout = {
        "yaxis": {"domain": [0.42, 1], "title": f"account, {found.under.run.stake_currency}"},
        "yaxis2": {"domain": [0, 0.34], "title": "below peak", "ticksuffix": " %"},
        "xaxis": {"type": "date", "anchor": "y2"},
        "hovermode": "x unified",
    }
    label = "Value of both accounts day by day, and how far each was below its highest so far."
    return Section("The accounts", "", [Chart(label, data, layout, 460)])


def _years(found: StrategyComparison) -> Section | None:
    sides = [changes(side.run.equity, "1YS") for side in (found.alone, found.under)]
    if len(sides[0]) < 2:
        return None
    rows: list[Row] = [
        [str(date.year), *(Cell(percent(v), tone(v, _FULL_RETURN)) for v in values)]
        for date, *values in zip(sides[0].index, *sides, strict=True)
    ]
    return Section("Years", "", [table(("", _ALONE, _UNDER), rows)])


def _windows(found: StrategyComparison) -> Section | None:
    if not found.alone.crises:
        return None
    rows: list[Row] = []
    for alone, under in zip(found.alone.crises, found.under.crises, strict=True):
        falls = (Cell(share(c.drawdown, 1), tone(-c.drawdown, _FULL_FALL)) for c in (alone, under))
        opened = f"{alone.trades:,}, {under.trades:,}"
        rows.append([alone.name, percent(alone.market), *falls, opened])
    heads = ("", "the pairs held", f"drawdown {_ALONE}", f"drawdown {_UNDER}", "trades begun")
    lead = "The worst weeks of the run's market."
    if any(is_known(crisis.name) for crisis in found.alone.crises):
        lead = "Known crashes within the run, and the worst weeks of its market."
    return Section("Crash windows", lead, [table(heads, rows)])


def _difference(found: StrategyComparison) -> Section:
    blocks: list[Markup | Chart] = []
    if found.bound:
        rows: list[Row] = [[code, share(part, 1)] for code, part in found.bound]
        blocks.append(table(("cap that bound", "of all sizes"), rows, wording.sizes(found)))
    if found.refused:
        rows = [[code, f"{count:,}"] for code, count in found.refused]
        blocks.append(table(("reason", "entries"), rows, "Entries that were refused"))
    if found.guards:
        heads = ("guard", "a pair locked", "trades alone begun there", "came to, of its account")
        rows = [
            [
                guard.name,
                share(guard.share, 1),
                f"{guard.taken:,}",
                Cell(percent(guard.came_to), tone(-guard.came_to, _FULL_FALL)),
            ]
            for guard in found.guards
        ]
        blocks.append(table(heads, rows, "What guards' locks would have taken from it alone"))
    if found.prices:
        rows = [[p.guard, percent(p.total_return), percent(p.drawdown)] for p in found.prices]
        made = ("guard", "return it made", "drawdown it made")
        blocks.append(table(made, rows, "Against a run without the guard"))
    if not blocks:
        blocks.append(paragraph("No entry was asked for under the layer."))
    lead = (
        "Reason codes are those of the runbook. What a lock would have taken is no account of what "
        "would have been: what it leaves free, another trade takes."
    )
    return Section("What made the difference", lead, blocks)
