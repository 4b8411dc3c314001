"""The figures as tables."""

import os
import platform
from collections.abc import Callable
from typing import Any

import freqtrade
from rich.console import Console
from rich.table import Table

from benchmarks import analysis, scaling
from tools import run_load


def machine() -> dict[str, Any]:
    """What was measured on, and how busy it was with other things (load of the last minute)."""
    return {
        "python": platform.python_version(),
        "freqtrade": freqtrade.__version__,
        "processors": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def show(results: dict[str, Any], console: Console) -> None:
    """Print every part that was measured."""
    for part in ("loop", "foreign"):
        if part in results:
            _show_loop(results[part], console)
    if "growth" in results:
        _show_growth(results["growth"], console)
    for timeframe, figures in results.get("analysis", {}).items():
        _show_analysis(timeframe, figures, console)
    for part, show_part in _PARTS.items():
        if part in results:
            show_part(results[part], console)
    if results["targets"]:
        _show_targets(results["targets"], console)
    on = results["machine"]
    console.print(
        f"Freqtrade {on['freqtrade']}, Python {on['python']}, {on['processors']} processors. "
        "CPU time, what is compared side by side. "
        f"Load {on['load_before']} before and {on['load_after']} after; "
        "where other work kept the machine busy, only ratios mean something."
    )


def _show_loop(result: dict[str, Any], console: Console) -> None:
    table = Table(
        title=f"Backtest of {result['strategy']}: {result['rows']:,} candles, "
        f"{result['trades']:,} trades, {result['locks']:,} locks"
    )
    for heading in ("", "analysis", "loop", "ratio", "all", "ratio", "memory", "ratio"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for name, row in result["variants"].items():
        ratios = row["ratios"]
        table.add_row(
            name,
            f"{row['indicators'] + row['signals']:.2f} s",
            f"{row['loop']:.2f} s",
            f"{ratios['loop']:.2f}",
            f"{row['total']:.2f} s",
            f"{ratios['total']:.2f}",
            f"{row['peak_mb']:.0f} MB",
            f"{ratios['peak_mb']:.2f}",
        )
    console.print(table)
    console.print(f"Same entries and exits in all; {result['at_once']} trades left at once.\n")


def _show_growth(result: dict[str, list[dict[str, float]]], console: Console) -> None:
    table = Table(title="Cost of a closed trade as trades grow in number")
    table.add_column("")
    for row in next(iter(result.values())):
        table.add_column(f"{row['trades']:,} trades", justify="right")
    table.add_column("growth", justify="right")
    for name, rows in result.items():
        costs = [row["per_trade_ms"] for row in rows]
        cells = [f"{cost:.2f} ms" for cost in costs]
        cells += ["not run"] * (len(table.columns) - 2 - len(cells))
        table.add_row(name, *cells, f"x {costs[-1] / costs[0]:.1f}")
    console.print(table)
    console.print("Limits so wide that nothing ever blocks.\n")


def _show_analysis(timeframe: str, figures: dict[str, Any], console: Console) -> None:
    table = Table(title=f"Analysis of a new candle, {analysis.CANDLES:,} candles of {timeframe}")
    for heading in ("", "of ten pairs", "ratio", "market at hand", "only pair"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for name, row in figures.items():
        table.add_row(
            name,
            f"{row['per_pair']:.1f} ms",
            f"{row['ratio']:.2f}",
            f"{row['alone']:.1f} ms",
            f"{row['single']:.1f} ms",
        )
    console.print(table)
    console.print()


def _show_examples(figures: dict[str, Any], console: Console) -> None:
    table = Table(title="Analysis of a new candle: example against twin, of ten pairs")
    for heading in ("", "candles", "example", "twin", "ratio"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for name, row in figures.items():
        times = (f"{row[which]:.1f} ms" for which in ("example", "twin"))
        table.add_row(name, row["timeframe"], *times, f"{row['ratio']:.2f}")
    console.print(table)
    console.print()


def _show_journal(found: dict[str, Any], console: Console) -> None:
    console.print(
        f"Journal of {found['strategy']}, {found['pairs']} pairs with a new candle each: "
        f"{found['journal']:.1f} ms beside {found['loop']:.0f} ms of analysis and guards, "
        f"{found['share']:.2f} %; {found['row']:.0f} bytes a row.\n"
    )


def _show_stress(found: dict[str, Any], console: Console) -> None:
    console.print(
        f"{found['jobs']} backtests of {found['strategy']}: {found['alone']:.1f} s of CPU one "
        f"after the other, {found['together']:.1f} s in {found['processes']} processes.\n"
    )


def _show_scaling(found: dict[str, list[dict[str, float]]], console: Console) -> None:
    for what, rows in found.items():
        table = Table(title=f"Seconds of a backtest's loop by {what}")
        for heading in (what, scaling.FLOOR, scaling.BALLAST):
            table.add_column(heading, justify="right")
        for row in rows:
            figures = (f"{row[name]:.2f} s" for name in (scaling.FLOOR, scaling.BALLAST))
            table.add_row(f"{row['count']:,.0f}", *figures)
        console.print(table)


def _show_targets(rows: list[dict[str, Any]], console: Console) -> None:
    table = Table(title="Against its targets")
    for heading in ("figure", "measured", "at most", ""):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    for row in rows:
        verdict = "met" if row["measured"] <= row["target"] else "missed"
        table.add_row(row["figure"], f"{row['measured']:.2f}", f"{row['target']:.2f}", verdict)
    console.print(table)


_PARTS: dict[str, Callable[[dict[str, Any], Console], None]] = {
    "examples": _show_examples,
    "journal": _show_journal,
    "stress": _show_stress,
    "live": run_load.show_bots,
    "growing": _show_scaling,
}
