"""Charts as plain plotly.js figures.

A figure is a dict of `data` and `layout`. Colours are names of the page's CSS variables, such as
'--c1', so that the same figure suits light and dark; the page's script puts in what they stand for.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ballast.tooling.pages.rendering import render

PALETTE = ("--c1", "--c2", "--c3", "--c4", "--c5", "--c6", "--c7", "--c8")
INK, MUTED, GOOD, BAD = "--ink", "--muted", "--good", "--bad"
# Labels at 1, 2 and 5 of every decade.
LOG = {"dtick": "D2", "tickformat": "~g", "minor": {"showgrid": False}}
_DIGITS = 5


@dataclass(frozen=True)
class Chart:
    """
    One figure.

    Parameters
    ----------
    label : str
        What it shows, for those who cannot see it.
    height : int
        In pixels.
    """

    label: str
    data: list[dict[str, Any]]
    layout: dict[str, Any] = field(default_factory=dict)
    height: int = 320

    def __html__(self) -> str:
        return render("chart.html", chart=self)

    def figure(self) -> dict[str, Any]:
        """What the page's script draws; text in it is escaped, as plotly reads tags in text."""
        parts = {"data": self.data, "layout": self.layout, "height": self.height}
        return {name: _as_text(value) for name, value in parts.items()}


def line(name: str, values: pd.Series, colour: str, **more: Any) -> dict[str, Any]:
    """A line over days."""
    style = {"color": colour, "width": more.pop("width", 1.6), "dash": more.pop("dash", "solid")}
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": dates(values.index),
        "y": rounded(values.to_numpy()),
        "line": style,
        **more,
    }


def dots(name: str, x: Any, y: Any, colour: str, **more: Any) -> dict[str, Any]:
    """Points."""
    marker = {"color": colour, "size": 6, "opacity": 0.65, **more.pop("marker", {})}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": rounded(x),
        "y": rounded(y),
        "marker": marker,
        **more,
    }


def candlesticks(times: Sequence[str], prices: Mapping[str, Any]) -> dict[str, Any]:
    """Candles; `prices` has open, high, low and close."""
    return {
        "type": "candlestick",
        "name": "candles",
        "x": list(times),
        **{name: rounded(prices[name]) for name in ("open", "high", "low", "close")},
        "increasing": {"line": {"color": GOOD, "width": 1}},
        "decreasing": {"line": {"color": BAD, "width": 1}},
    }


def fill(at: str, price: float, *, entered: bool) -> dict[str, Any]:
    """Where something was bought or sold."""
    colour, symbol = (PALETTE[0], "triangle-up") if entered else (PALETTE[3], "triangle-down")
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "bought" if entered else "sold",
        "x": [at],
        "y": rounded([price]),
        "marker": {"color": colour, "size": 12, "symbol": symbol},
    }


def bars(name: str, labels: Sequence[str], values: Any, colours: Any, **more: Any) -> dict:
    """Horizontal bars, the first on top."""
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": list(labels),
        "x": rounded(values),
        "marker": {"color": colours},
        **more,
    }


def whiskers(
    name: str, labels: Sequence[str], rows: Sequence[Mapping[str, float]], colours: Sequence[str]
) -> dict[str, Any]:
    """Points with an interval; each row has `value`, `low` and `high`."""
    values = np.array([row["value"] for row in rows], dtype=float)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": rounded(values),
        "y": list(labels),
        "marker": {"color": list(colours), "size": 9},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": rounded(np.array([row["high"] for row in rows]) - values),
            "arrayminus": rounded(values - np.array([row["low"] for row in rows])),
            "color": MUTED,
            "thickness": 1.4,
            "width": 4,
        },
    }


def histogram(name: str, values: Any, start: float, end: float, step: float, colour: str) -> dict:
    """Counts in steps; what lies outside is put into the first and last."""
    inside = np.clip(np.asarray(values, dtype=float), start, end - 1e-9)
    counts, edges = np.histogram(inside, bins=np.arange(start, end + step / 2, step))
    return {
        "type": "bar",
        "name": name,
        "x": rounded((edges[:-1] + edges[1:]) / 2),
        "y": counts.tolist(),
        "width": step,
        "marker": {"color": colour},
    }


def spans(
    name: str,
    label: str,
    times: Sequence[tuple[Any, Any]],
    colour: str,
    remarks: Sequence[str] = (),
) -> dict[str, Any]:
    """Stretches of time as thick lines on one row, each with a remark where there are some."""
    told = [remark for each in remarks for remark in (each, each, None)]
    x: list[str | None] = []
    for start, end in times:
        x += [f"{start:%Y-%m-%d %H:%M}", f"{end:%Y-%m-%d %H:%M}", None]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": [None if moment is None else label for moment in x],
        # Short stretches are thinner than a pixel: none may be left out.
        "line": {"color": colour, "width": 9, "simplify": False},
        "hoverinfo": "x+y+text" if told else "x+y",
        **({"text": told} if told else {}),
    }


def level(x: float | None = None, y: float | None = None, colour: str = MUTED) -> dict[str, Any]:
    """A dotted line across the whole figure."""
    where = {"x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1}
    if x is None:
        where = {"y0": y, "y1": y, "xref": "paper", "x0": 0, "x1": 1}
    return {"type": "line", "line": {"color": colour, "width": 1, "dash": "dot"}, **where}


def diagonal(low: float, high: float) -> dict[str, Any]:
    """A dotted line where both axes say the same."""
    where = {"x0": low, "x1": high, "y0": low, "y1": high}
    return {"type": "line", "line": {"color": MUTED, "width": 1, "dash": "dot"}, **where}


def dates(index: pd.Index) -> list[str]:
    """Days as plotly reads them."""
    return [f"{moment:%Y-%m-%d}" for moment in pd.DatetimeIndex(index)]


def rounded(values: Any) -> list[float | None]:
    """Numbers short enough for a small file; gaps where there are none."""
    found = []
    for value in np.asarray(values, dtype=float):
        found.append(float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None)
    return found


def _as_text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _as_text(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_as_text(inner) for inner in value]
    return html.escape(value, quote=False) if isinstance(value, str) else value
