"""What the trades were like, as parts of a page: results in R, exits, excursions, pairs."""

import numpy as np
import pandas as pd
from markupsafe import Markup

from ballast.research.report.bootstrap import mean_interval
from ballast.research.report.regimes import LEAST_TRADES
from ballast.research.report.study import Study
from ballast.research.report.wording import number, percent, share
from ballast.tooling.pages import charts
from ballast.tooling.pages.charts import Chart
from ballast.tooling.pages.page import Section
from ballast.tooling.pages.tables import Cell, table, tone

_R_IS = "R is what the first stop of a trade put at risk: a loss at that stop is -1 R, before fees."


def results(study: Study) -> Section | None:
    """Distribution of results, and how far the profit hangs on the best."""
    r = study.trades["r"].dropna()
    if not len(r):
        return None
    top = max(4.0, min(15.0, float(np.ceil(r.quantile(0.99)))))
    lost, won = r[r <= 0], r[r > 0]
    spread = Chart(
        f"How many trades ended with which result in R; beyond -3 and {top:g} at the edges.",
        [
            charts.histogram("lost", lost, -3, top, 0.5, charts.BAD),
            charts.histogram("won", won, -3, top, 0.5, charts.GOOD),
        ],
        {
            "barmode": "overlay",
            "bargap": 0.05,
            "xaxis": {"title": "R"},
            "yaxis": {"title": "trades"},
        },
        280,
    )
    return Section("Trades", _R_IS, [spread, _concentration(study)])


def _concentration(study: Study) -> Chart:
    profits = study.trades["profit_abs"].sort_values(ascending=False)
    total = pd.Series(np.cumsum(profits.to_numpy()), index=range(1, len(profits) + 1))
    return Chart(
        "Profit of the best trades together: it climbs with the winners and falls with the losers "
        "to the net profit.",
        [
            {
                "type": "scatter",
                "mode": "lines",
                "name": "profit",
                "x": list(total.index),
                "y": charts.rounded(total),
                "line": {"color": charts.PALETTE[0], "width": 2},
            }
        ],
        {
            "xaxis": {"title": "best trades", "rangemode": "tozero"},
            "yaxis": {"title": study.base.stake_currency},
            "shapes": [charts.level(y=float(total.iloc[-1]))],
        },
        280,
    )


def exits(study: Study) -> Section | None:
    """Why trades ended."""
    if not len(study.trades):
        return None
    rows = [_group(reason, trades) for reason, trades in _grouped(study.trades, "exit_reason")]
    setups = [_group(name, trades) for name, trades in _grouped(study.trades, "setup")]
    heads = ("", "trades", "won", "profit", "mean R", "90 % interval", "median hours")
    lead = (
        f"Grey: fewer than {LEAST_TRADES} trades. Profit in {study.base.stake_currency}, net of "
        "what was charged."
    )
    blocks: list[Markup | Chart] = [table(("exit", *heads[1:]), rows)]
    if len(setups) > 1:
        blocks.append(table(("setup", *heads[1:]), setups))
    return Section("Exits and setups", lead, blocks)


def _grouped(trades: pd.DataFrame, column: str) -> list[tuple[str, pd.DataFrame]]:
    return sorted(
        ((str(name), group) for name, group in trades.groupby(column)),
        key=lambda pair: -len(pair[1]),
    )


def _group(name: str, trades: pd.DataFrame) -> list[str | Cell]:
    few = len(trades) < LEAST_TRADES
    low, high = mean_interval(trades["r"].dropna().to_numpy())
    mean = float(trades["r"].mean())
    return [
        name,
        Cell(f"{len(trades):,}", grey=few),
        Cell(share(float((trades["profit_abs"] > 0).mean())), grey=few),
        Cell(number(float(trades["profit_abs"].sum()), 0), grey=few),
        Cell(number(mean), tone(mean, 1.5), few),
        Cell(f"{number(low)} to {number(high)}" if len(trades) > 1 else "-", grey=few),
        Cell(number(float(trades["hours"].median()), 0), grey=few),
    ]


def excursions(study: Study) -> Section | None:
    """How far trades went against and for us, and how long they were held."""
    trades = study.trades.dropna(subset=["mae", "mfe", "r"])
    if not len(trades):
        return None
    won, lost = trades[trades["r"] > 0], trades[trades["r"] <= 0]
    scatter = Chart(
        "Every trade: how far it went against us before it ended (right), and how far for us (up, "
        "logarithmic); 1 on the right is the first stop.",
        [
            charts.dots("won", won["mae"], won["mfe"].clip(lower=0.05), charts.GOOD),
            charts.dots("lost", lost["mae"], lost["mfe"].clip(lower=0.05), charts.BAD),
        ],
        {
            "xaxis": {"title": "furthest against, R", "rangemode": "tozero"},
            "yaxis": {"title": "furthest for, R", "type": "log", **charts.LOG},
            "shapes": [charts.level(x=1.0)],
        },
        360,
    )
    half = share(float((won["mae"] < 0.5).mean())) if len(won) else "-"
    given = number(float((lost["mfe"]).mean())) if len(lost) else "-"
    lead = (
        f"{half} of the winners never went half way to their stop; losers had been {given} R ahead "
        f"on average. {_R_IS} Lows and highs are those of whole candles."
    )
    return Section("Excursions and holding times", lead, [scatter, _held(won, lost)])


def _held(won: pd.DataFrame, lost: pd.DataFrame) -> Chart:
    longest = float(pd.concat([won["hours"], lost["hours"]]).max())
    step = _step(longest)
    end = step * np.ceil(longest / step + 0.001)
    return Chart(
        "How long trades were held.",
        [
            charts.histogram("won", won["hours"], 0, end, step, charts.GOOD),
            charts.histogram("lost", lost["hours"], 0, end, step, charts.BAD),
        ],
        {
            "barmode": "stack",
            "bargap": 0.05,
            "xaxis": {"title": "hours"},
            "yaxis": {"title": "trades"},
        },
        260,
    )


def _step(longest: float) -> float:
    """A round number of hours that makes twenty to forty bars."""
    for step in (1.0, 3.0, 6.0, 12.0, 24.0, 72.0, 168.0):
        if longest / step <= 40:
            return step
    return longest / 30


def pairs(study: Study) -> Section | None:
    """What each pair brought."""
    if not len(study.trades):
        return None
    groups = dict(_grouped(study.trades, "pair"))
    profits = {
        p: float(groups[p]["profit_abs"].sum()) if p in groups else 0.0 for p in study.base.pairs
    }
    order = sorted(profits, key=lambda pair: -profits[pair])
    total = sum(profits.values())
    shown = order[::-1]
    chart = Chart(
        "Net profit by pair.",
        [
            charts.bars(
                "profit",
                shown,
                [profits[pair] for pair in shown],
                [charts.GOOD if profits[pair] >= 0 else charts.BAD for pair in shown],
            )
        ],
        {"xaxis": {"title": study.base.stake_currency}, "yaxis": {"type": "category"}},
        90 + 24 * len(shown),
    )
    rows: list[list[str | Cell]] = []
    for pair in order:
        part = share(profits[pair] / total) if total > 0 else "-"
        row = _group(pair, groups[pair]) if pair in groups else [pair, *["-"] * 6]
        rows.append([*row[:4], part, *row[4:], percent(study.pair_changes.get(pair, np.nan))])
    heads = ("pair", "trades", "won", "profit", "share", "mean R", "90 % interval", "median hours")
    return Section("Pairs", "", [chart, table((*heads, "pair itself"), rows)])
