"""What the market did to it, as parts of a page: regimes, crises, exposure, guards."""

from collections.abc import Sequence

from markupsafe import Markup

from ballast.research.report.guard_times import Active, Price
from ballast.research.report.regimes import LEAST_DAYS, LEAST_TRADES, RegimeResult
from ballast.research.report.study import Study
from ballast.research.report.wording import counted, day, number, percent, share
from ballast.tooling.pages import charts
from ballast.tooling.pages.charts import Chart
from ballast.tooling.pages.page import Section
from ballast.tooling.pages.tables import Cell, Row, table, tone

_TRENDS = {"up": "rising", "range": "sideways", "down": "falling"}


def regimes(study: Study) -> Section | None:
    """Results by trend and volatility of the market."""
    if not study.regimes:
        return None
    heads = (
        "market",
        "days",
        "of time",
        "in all",
        "a day",
        "90 % interval",
        "trades",
        "mean R",
        "90 % interval ",
    )
    lead = (
        "Trend: the leader against its average and how many pairs are above theirs. Volatility: "
        "against its own past half-year. Both are known before the day or the trade began. Grey: "
        f"fewer than {LEAST_DAYS} days or {LEAST_TRADES} trades, which is no evidence."
    )
    unknown = len(study.daily) - sum(cell.days for cell in study.regimes)
    if unknown:
        lead += f" {counted(unknown, 'day')} had too little history for a regime."
    return Section(
        "Regimes",
        lead,
        [_intervals(study.regimes), table(heads, [_regime(cell) for cell in study.regimes])],
    )


def _intervals(cells: Sequence[RegimeResult]) -> Chart:
    shown = [cell for cell in cells if cell.days]
    labels = [_name(cell) for cell in shown][::-1]
    points = [
        {"value": 100 * c.daily, "low": 100 * c.daily_low, "high": 100 * c.daily_high}
        for c in shown
    ][::-1]
    colours = [charts.PALETTE[0] if c.enough_days else charts.MUTED for c in shown][::-1]
    return Chart(
        "Mean change of the account a day by regime of the market, with its 90 % interval; grey "
        "where there are too few days.",
        [charts.whiskers("a day", labels, points, colours)],
        {
            "xaxis": {"title": "percent a day", "ticksuffix": " %", "zeroline": True},
            "yaxis": {"type": "category"},
        },
        90 + 32 * len(shown),
    )


def _name(cell: RegimeResult) -> str:
    return f"{_TRENDS[cell.trend]}, {cell.volatility}"


def _regime(cell: RegimeResult) -> list[str | Cell]:
    few_days, few_trades = not cell.enough_days, not cell.enough_trades
    daily = f"{percent(cell.daily_low, 2)} to {percent(cell.daily_high, 2)}"
    in_r = f"{number(cell.r_low)} to {number(cell.r_high)}"
    return [
        _name(cell),
        Cell(str(cell.days), grey=few_days),
        Cell(share(cell.share), grey=few_days),
        Cell(percent(cell.total), tone(cell.total, 0.3), few_days),
        Cell(percent(cell.daily, 2), grey=few_days),
        Cell(daily, grey=few_days),
        Cell(str(cell.trades), grey=few_trades),
        Cell(number(cell.r), tone(cell.r, 1.0), few_trades),
        Cell(in_r if cell.trades > 1 else "-", grey=few_trades),
    ]


def crises(study: Study) -> Section | None:
    """The worst times of the market."""
    if not study.crises:
        return None
    rows: list[Row] = [
        [
            crisis.name,
            percent(crisis.market),
            Cell(percent(crisis.change, 2), tone(crisis.change, 0.06)),
            share(crisis.drawdown, 2),
            str(crisis.trades),
            f"{day(crisis.start)} to {day(crisis.end)}",
        ]
        for crisis in study.crises
    ]
    heads = ("", "pairs held", "the account", "its worst fall", "trades opened", "when")
    lead = "Known crises inside the test, and the five worst weeks that the pairs had in it."
    return Section("Crises", lead, [table(heads, rows)])


def exposure(study: Study) -> Section:
    """How much was at stake over time."""
    share_in = 100 * study.exposure.resample("1D").mean().dropna()
    heat = 100 * study.heat.resample("1D").max().dropna()
    layout = {
        "yaxis": {"domain": [0.4, 1], "title": "in the market", "ticksuffix": " %"},
        "yaxis2": {"domain": [0, 0.3], "title": "at risk", "ticksuffix": " %"},
        "xaxis": {"type": "date", "anchor": "y2"},
        "hovermode": "x unified",
        "showlegend": False,
    }
    data = [
        charts.line("in the market", share_in, charts.PALETTE[0], width=1.2, fill="tozeroy"),
        charts.line("at risk", heat, charts.PALETTE[1], width=1.2, fill="tozeroy", yaxis="y2"),
    ]
    label = (
        "Share of the account in positions (mean of each day), and what all open trades had at "
        "risk at their first stops (highest of each day): an upper bound, as stops only tighten."
    )
    lead = (
        f"At most {share(float(study.exposure.max()))} of the account was in the market, and at "
        f"most {share(float(study.heat.max()), 1)} at risk at the stops."
    )
    return Section("Exposure and heat", lead, [Chart(label, data, layout, 360)])


def guards(study: Study) -> Section | None:
    """When guards were active, and what each cost or saved."""
    if not study.guards and not study.prices:
        return None
    blocks: list[Markup | Chart] = []
    if study.guards:
        blocks.append(_times(study))
    prices = {price.guard: price for price in study.prices}
    active = {guard.name: guard for guard in study.guards}
    rows = [
        [name, *(_price(prices.get(name)) if prices else []), *_activity(active.get(name))]
        for name in dict.fromkeys((*active, *prices))
    ]
    heads = ["locks", "of time", "for all pairs"]
    lead = "When each guard locked something. What it cost or saved takes a run without it."
    if prices:
        heads = ["return", "drawdown", "trades", *heads]
        lead = (
            "When each guard locked something. Return, drawdown and trades are the run as it is "
            "less the same run without the guard: a negative return is what it cost, a negative "
            "drawdown is what it saved. Some make trades smaller and lock nothing."
        )
    return Section("Guards", lead, [*blocks, table(["guard", *heads], rows)])


def _activity(guard: Active | None) -> list[str | Cell]:
    if guard is None:
        return ["0", "-", "-"]
    return [f"{guard.locks:,}", share(guard.share, 1), share(guard.share_all, 1)]


def _price(price: Price | None) -> list[str | Cell]:
    if price is None:
        return ["not tried", "", ""]
    return [
        Cell(percent(price.total_return), tone(price.total_return, 0.2)),
        Cell(percent(price.drawdown, 2), tone(-price.drawdown, 0.03)),
        f"{price.trades:+d}",
    ]


def _times(study: Study) -> Chart:
    shown = study.guards[::-1]
    data = [
        charts.spans(guard.name, guard.name, guard.spans, charts.PALETTE[0], guard.pairs)
        for guard in shown
    ]
    layout = {
        "showlegend": False,
        "xaxis": {"type": "date", "range": [str(study.base.start)[:10], str(study.base.end)[:10]]},
        "yaxis": {"type": "category", "range": [-0.6, len(shown) - 0.4]},
    }
    return Chart("When each guard locked at least one pair.", data, layout, 80 + 30 * len(shown))
