"""The page of a drift, in the style of the report's."""

import html
from collections.abc import Sequence

import numpy as np

from ballast.research.drift.layers import Layer
from ballast.research.drift.study import Study
from ballast.research.drift.wording import alarm_sentence, difference_row, headline, where
from ballast.research.report.pages.charts import Chart, dots
from ballast.research.report.pages.page import Page, Section, Tab
from ballast.research.report.pages.tables import Cell, facts, table

_MOST_ROWS = 300


def page(study: Study) -> Page:
    """The whole page."""
    sections = [
        Section("", "", [_list(headline(study))]),
        Section(
            "Layers",
            "Each layer is made from the one above it: a difference is listed once, where it "
            "begins.",
            [_layers(study)],
        ),
        Section(
            "Shortfall",
            "What lies between trading on paper at the prices decided on and what was got, in "
            "basis points of what was bought. Above zero is lost.",
            [_shortfall(study)],
        ),
        Section(
            "Fills",
            "Every fill of both: what it slipped by against what the cost model charges.",
            _fills(study),
        ),
        Section("Watched", "", [_list([alarm_sentence(alarm) for alarm in study.alarms])]),
        Section("Differences", where(study), [_differences(study)]),
    ]
    title = f"Drift of {study.bot.strategy}"
    moments = [candle for _, candle in study.bot.decisions]
    subtitle = (
        f"{min(moments):%Y-%m-%d %H:%M} to {max(moments):%Y-%m-%d %H:%M} UTC, "
        f"{len(study.bot.pairs)} pairs, {study.bot.timeframe}"
    )
    return Page(title, subtitle, [Tab("drift", title, sections)])


def _list(sentences: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{html.escape(each)}</li>' for each in sentences)}</ul>"


def _layers(study: Study) -> str:
    counts = study.by_layer()
    rows = [
        [layer.value, Cell(str(counts[layer]), tone=-1.0 if counts[layer] else 0.0)]
        for layer in Layer
    ]
    return table(["layer", "differences"], rows)


def _shortfall(study: Study) -> str:
    parts = study.shortfall
    named = (
        ("delay", parts.delay, "from the price decided on to the order's"),
        ("execution", parts.execution, "from the order's price to the fill"),
        ("fees", parts.fees, ""),
        ("missed trades", parts.missed, f"{len(study.matched.missed)} missed"),
        ("together", parts.total, ""),
    )
    return facts([(name, f"{value:+.1f} bps", remark) for name, value, remark in named])


def _fills(study: Study) -> list[str | Chart]:
    fills = study.matched.fills()
    if not fills:
        return ["<p>Nothing was filled on both sides.</p>"]
    colours = {"entry": "--c1", "exit": "--c2", "stop": "--c3"}
    data = []
    for kind, colour in colours.items():
        of = [fill for fill in fills if fill.kind == kind]
        if of:
            seen = np.array([[fill.modelled, fill.slippage] for fill in of])
            data.append(dots(kind, seen[:, 0], seen[:, 1], colour))
    label = "Slippage of each fill in basis points: upwards as recorded, to the right as modelled"
    return [Chart(label, data)]


def _differences(study: Study) -> str:
    rows = [difference_row(each) for each in study.differences[:_MOST_ROWS]]
    return table(["layer", "pair", "candle (UTC)", "what", "bot", "replay"], rows)
