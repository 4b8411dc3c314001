"""Every trade of a strategy as a part of a page: what came of it, and its candles."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from ballast.core.measures import duration
from ballast.research.report.study import Study
from ballast.research.report.wording import counted, percent
from ballast.tooling.pages import charts
from ballast.tooling.pages.charts import Chart
from ballast.tooling.pages.page import Section
from ballast.tooling.pages.rendering import render
from ballast.tooling.pages.texts import folded, paragraph

# A file of several strategies stays below ten megabytes.
_MOST_DRAWN = 400
_BARS = 48
# Candles before and after a trade, at least, and as a share of its own.
_AROUND, _AROUND_SHARE = 12, 0.25
_SHOWN = "%Y-%m-%d %H:%M"


@dataclass(frozen=True)
class _Line:
    """One trade of the list; `kind` is 'good' or 'bad', `texts` what came of it."""

    opened: str
    pair: str
    texts: tuple[str, ...]
    kind: str
    why: str
    chart: Chart | Markup


def every_trade(study: Study) -> Section | None:
    """The list of trades in the order in which they were opened, each with its chart."""
    trades = study.trades.sort_values("open_date", kind="stable", ignore_index=True)
    if not len(trades):
        return None
    weight = trades["r"].abs().fillna(0).rank(method="first", ascending=False)
    rows = [
        _line(study, trade, drawn=bool(place <= _MOST_DRAWN))
        for trade, place in zip(trades.to_dict("records"), weight, strict=True)
    ]
    lead = "In the order in which they were opened (UTC); each opens to its candles."
    if len(trades) > _MOST_DRAWN:
        lead += f" The {_MOST_DRAWN} that won or lost most are drawn."
    made = render("trade_list.html", rows=rows)
    return Section("Every trade", lead, [folded(counted(len(trades), "trade"), made)])


def _line(study: Study, trade: dict[str, Any], *, drawn: bool) -> _Line:
    frame = study.candles.get(trade["pair"]) if drawn else None
    result = f"{trade['r']:+.2f} R" if math.isfinite(trade["r"]) else "R not known"
    profit = f"{trade['profit_abs']:+,.2f} {study.base.stake_currency}"
    return _Line(
        f"{trade['open_date']:{_SHOWN}}",
        str(trade["pair"]),
        (
            result,
            f"{profit} ({percent(trade['profit_ratio'])})",
            duration(3600 * trade["hours"]),
            str(trade["exit_reason"]),
        ),
        "good" if trade["profit_abs"] > 0 else "bad",
        str(trade["enter_tag"]),
        _chart(trade, frame) if frame is not None else paragraph("It is not drawn.", "quiet"),
    )


def _chart(trade: dict[str, Any], frame: pd.DataFrame) -> Chart:
    opened, closed = trade["open_date"], trade["close_date"]
    begin, end = f"{opened:{_SHOWN}}", f"{closed:{_SHOWN}}"
    stops = {"first stop": trade["initial_stop"], "last stop": trade["last_stop"]}
    lines = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": [begin, end],
            "y": charts.rounded([level, level]),
            "line": {"color": charts.PALETTE[1], "width": 2, "dash": dash},
        }
        for (name, level), dash in zip(stops.items(), ("solid", "dot"), strict=True)
        if math.isfinite(level)
    ]
    fills = [
        charts.fill(begin, trade["open_rate"], entered=True),
        charts.fill(end, trade["close_rate"], entered=False),
    ]
    layout = {"xaxis": {"type": "date", "rangeslider": {"visible": False}}}
    label = "Candles (UTC), the stop at first and when it ended, and the fills."
    return Chart(label, [_candles(frame, opened, closed), *lines, *fills], layout, 300)


def _candles(frame: pd.DataFrame, opened: pd.Timestamp, closed: pd.Timestamp) -> dict[str, Any]:
    """Candles around a trade, several as one where there are many."""
    dates = pd.DatetimeIndex(frame["date"])
    first = max(0, int(dates.searchsorted(opened, side="right")) - 1)
    last = int(dates.searchsorted(closed, side="right"))
    around = max(_AROUND, round(_AROUND_SHARE * (last - first)))
    shown = frame.iloc[max(0, first - around) : last + around]
    starts = np.arange(0, len(shown), max(1, math.ceil(len(shown) / _BARS)))
    ends = np.append(starts[1:], len(shown)) - 1
    prices = {name: shown[name].to_numpy() for name in ("open", "high", "low", "close")}
    joined = {
        "open": prices["open"][starts],
        "high": np.maximum.reduceat(prices["high"], starts),
        "low": np.minimum.reduceat(prices["low"], starts),
        "close": prices["close"][ends],
    }
    times = pd.DatetimeIndex(shown["date"].iloc[starts])
    return charts.candlesticks([f"{moment:{_SHOWN}}" for moment in times], joined)
