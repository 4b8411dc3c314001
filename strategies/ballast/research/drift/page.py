"""The page of a drift, in the style of the report's."""

import numpy as np
from markupsafe import Markup

from ballast.research.drift.layers import DriftLayer
from ballast.research.drift.study import DriftStudy
from ballast.research.drift.wording import (
    alarm_sentence,
    difference_row,
    following_sentence,
    headline,
    where,
)
from ballast.tooling.pages.charts import Chart, diagonal, dots
from ballast.tooling.pages.page import Page, Section, Tab
from ballast.tooling.pages.tables import Cell, facts, table
from ballast.tooling.pages.texts import bullets, paragraph

_MOST_ROWS = 300


def page(study: DriftStudy) -> Page:
    """The whole page."""
    sections = [
        Section("In short", "", [bullets(headline(study))]),
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
        Section("Watched", "", [bullets([alarm_sentence(alarm) for alarm in study.alarms])]),
        Section("Differences", where(study), _differences(study)),
    ]
    footer = "This file works offline and contacts nothing."
    title = f"Drift of {study.bot.strategy}"
    moments = [candle for _, candle in study.bot.decisions]
    subtitle = (
        f"{min(moments):%Y-%m-%d %H:%M} to {max(moments):%Y-%m-%d %H:%M} UTC, "
        f"{len(study.bot.pairs)} pairs, {study.bot.timeframe}"
    )
    return Page(title, subtitle, [Tab("drift", title, sections)], footer)


def _layers(study: DriftStudy) -> Markup:
    counts = study.by_layer()
    rows = [
        [layer.value, Cell(str(counts[layer]), tone=-1.0 if counts[layer] else 0.0)]
        for layer in DriftLayer
    ]
    return table(["layer", "differences"], rows)


def _shortfall(study: DriftStudy) -> Markup:
    parts = study.shortfall
    named = (
        ("delay", parts.delay, "from the price decided on to the order's"),
        ("execution", parts.execution, "from the order's price to the fill"),
        ("fees", parts.fees, ""),
        ("other exits", parts.exits, "at another time, or for another reason"),
        ("missed trades", parts.missed, f"{len(study.matched.missed)} missed"),
        ("together", parts.total, ""),
    )
    return facts([(name, f"{value:+.1f} bps", remark) for name, value, remark in named])


def _fills(study: DriftStudy) -> list[Markup | Chart]:
    fills = study.matched.fills()
    if not fills:
        return [paragraph("Nothing was filled on both sides.")]
    colours = {"entry": "--c1", "exit": "--c2", "stop": "--c3"}
    kinds = np.array([fill.kind for fill in fills])
    seen = np.array([(fill.modelled, fill.slippage) for fill in fills])
    data = [
        dots(kind, seen[kinds == kind, 0], seen[kinds == kind, 1], colour)
        for kind, colour in colours.items()
        if kind in kinds
    ]
    # As far as both axes go without it.
    low, high = float(seen.min(axis=0).max()), float(seen.max(axis=0).min())
    layout = {
        "xaxis": {"title": "modelled, bps"},
        "yaxis": {"title": "recorded, bps"},
        "shapes": [diagonal(low, high)] if low < high else [],
    }
    label = "Slippage of each fill in basis points: above the dotted line, worse than modelled."
    return [Chart(label, data, layout)]


def _differences(study: DriftStudy) -> list[Markup | Chart]:
    if not study.differences:
        return []
    rows = [difference_row(each) for each in study.differences[:_MOST_ROWS]]
    heads = ["layer", "pair", "candle (UTC)", "what", "bot", "replay"]
    blocks: list[Markup | Chart] = [table(heads, rows, words=heads)]
    left = len(study.differences) - _MOST_ROWS
    if left > 0:
        blocks.append(paragraph(f"And {left:,} more: --json has them all.", "quiet"))
    if study.following:
        blocks.append(paragraph(following_sentence(study)))
        rows = [difference_row(each) for each in study.following[:_MOST_ROWS]]
        blocks.append(table(heads, rows, words=heads))
    return blocks
