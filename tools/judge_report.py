"""Tables of figures for people, and the same as plain data for programs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tools.judge_changes import STOP, WINDOW, Knob
from tools.judge_figures import Figures, Stretch
from tools.judge_plans import MOVES, Moved, Spread, Step


@dataclass
class Verdict:
    """All that was found out about one strategy."""

    figures: Figures
    failures: int
    spreads: list[Spread] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def percent(ratio: float, digits: int = 1) -> str:
    """A ratio as signed percent: 0.123 is '+12.3 %'."""
    return "-" if math.isnan(ratio) else f"{100 * ratio:+.{digits}f} %"


def plain(value: float, digits: int = 1) -> str:
    """A number; '-' where there is none."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _unsigned(ratio: float) -> str:
    return "-" if math.isnan(ratio) else f"{100 * ratio:.2f} %"


_UNKNOWN = Stretch(math.nan, math.nan)
_ROWS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("trades", "trades", str),
    ("trades a year", "trades_a_year", lambda v: plain(v, 0)),
    ("total return", "total_return", percent),
    ("maximum drawdown", "max_drawdown", _unsigned),
    ("worst day", "worst_day", lambda v: percent(v, 2)),
    ("return over drawdown", "return_over_drawdown", plain),
    ("profit factor", "profit_factor", lambda v: plain(v, 2)),
    ("exposure", "exposure", lambda v: f"{100 * v:.1f} %"),
    ("market change", "market_change", percent),
)


def show(verdicts: Mapping[str, Verdict], title: str, console: Console) -> None:
    """Print every table there is something for."""
    console.print(_main_table(verdicts, title))
    for name, verdict in verdicts.items():
        if verdict.spreads:
            console.print(_spread_table(name, verdict))
        if verdict.moved:
            console.print(_moved_table(name, verdict))
        if verdict.steps:
            console.print(_step_table(name, verdict.steps))


def as_data(verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    """The verdicts in JSON's types; shares are ratios, what is undefined is null."""
    return {name: _cleaned(dataclasses.asdict(v)) for name, v in verdicts.items()}


def knob_label(knob: Knob) -> str:
    """A knob as people read it: 'stop initial_atr', 'window SLOW 20d', 'channel_days 5'."""
    if knob.kind == STOP:
        return f"stop {knob.name}"
    if knob.kind == WINDOW:
        return f"window {knob.name} {knob.value}"
    value = knob.value if isinstance(knob.value, str) else f"{knob.value:g}"
    return f"{knob.name.split('.', 1)[-1]} {value}"


def _main_table(verdicts: Mapping[str, Verdict], title: str) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("figure", no_wrap=True)
    for name in verdicts:
        table.add_column(name, justify="right", overflow="fold")
    found = [verdict.figures for verdict in verdicts.values()]
    for label, attribute, text in _ROWS:
        table.add_row(label, *(text(getattr(figures, attribute)) for figures in found))
    for year in sorted({year for figures in found for year in figures.years}):
        table.add_row(f"year {year}", *(percent(f.years.get(year, math.nan)) for f in found))
    for window in dict.fromkeys(name for figures in found for name in figures.stretches):
        stretches = [f.stretches.get(window, _UNKNOWN) for f in found]
        table.add_row(f"{window}: change", *(percent(s.change, 2) for s in stretches))
        table.add_row("  drawdown within", *(_unsigned(s.drawdown) for s in stretches))
    failures = [verdict.failures for verdict in verdicts.values()]
    if any(failures):
        table.add_row("failures in callbacks", *map(str, failures))
    return table


def _spread_table(name: str, verdict: Verdict) -> Table:
    table = Table(title=f"{name}: order and choice of pairs", box=SIMPLE_HEAD)
    table.add_column("figure", no_wrap=True)
    table.add_column("as configured", justify="right")
    for spread in verdict.spreads:
        table.add_column(f"{spread.name}: median", justify="right")
        table.add_column("worst", justify="right")
    for label, attribute, text in _ROWS[:-1]:
        cells = [text(getattr(verdict.figures, attribute))]
        for spread in verdict.spreads:
            middle, worst = spread.median(attribute), spread.worst(attribute)
            whole = attribute == "trades"
            cells += [text(round(v) if whole else v) for v in (middle, worst)]
        table.add_row(label, *cells)
    return table


def _moved_table(name: str, verdict: Verdict) -> Table:
    title = f"{name}: each value moved 25 % either way (ratio: return over drawdown)"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("moved", no_wrap=True)
    for move in MOVES:
        for heading in (f"{move - 1:+.0%}: return", "drawdown", "ratio", "trades"):
            table.add_column(heading, justify="right")
    table.add_row("nothing", *_brief(verdict.figures), *_brief(verdict.figures), end_section=True)
    for moved in verdict.moved:
        cells = [cell for move in MOVES for cell in _brief(moved.moves[move])]
        table.add_row(knob_label(moved.knob), *cells)
    return table


def _brief(figures: Figures) -> tuple[str, str, str, str]:
    return (
        percent(figures.total_return),
        _unsigned(figures.max_drawdown),
        plain(figures.return_over_drawdown),
        str(figures.trades),
    )


def _step_table(name: str, steps: Sequence[Step]) -> Table:
    title = f"{name}: walk-forward by calendar year (return, drawdown, return over drawdown)"
    table = Table("chosen on", "factors", title=title, box=SIMPLE_HEAD)
    after = ("out of sample", "as it is", "best in hindsight", "ratios of the grid")
    for heading in ("in sample", "applied to", *after):
        table.add_column(heading, justify="right")
    for step in steps:
        table.add_row(
            str(step.chosen_on),
            f"entries x{step.entries:g}, stops x{step.stops:g}",
            _short(step.in_sample),
            str(step.applied_to),
            *map(_short, (step.out_of_sample, step.defaults, step.hindsight)),
            f"{plain(step.grid[0])} to {plain(step.grid[-1])}",
        )
    return table


def _short(figures: Figures) -> str:
    ratio = plain(figures.return_over_drawdown)
    return f"{percent(figures.total_return)}, {_unsigned(figures.max_drawdown)}, {ratio}"


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _cleaned(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
