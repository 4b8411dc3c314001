"""`make load`: many pairs on short candles: how long a bot takes, and Ballast's share of it.

Three bots trade the same candles in turn, each in a process of its own on an account of its own: a
bare strategy (the floor), the same under the layer, and the pack's largest one. The exchanges
refuse what is beyond their limits; the client's own limiter is off, as everywhere in the sandbox.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.strategies import WIDE_LIMITS
from tools.load_bot import Bot, Ran, Started
from tools.load_exchange import serving

FLOOR, HELD, LARGEST = "Bare", "Held", "Largest"
WORDS = {FLOOR: "Freqtrade alone", HELD: "under the layer", LARGEST: "largest of the pack"}
# Before anything is measured, and at a time before it is the next bot's turn.
WARM_UP, TURN = 3, 5
# Freqtrade waits for so long after a candle's end [s].
WAIT_S = 1.0
# Of the CPU time of a new candle's loop [percent], and of the time to the last order [ratio].
TARGET_HELD_PCT, TARGET_LARGEST_PCT, TARGET_ORDER = 8.0, 20.0, 1.3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.run_load", description=__doc__)
    parser.add_argument("--pairs", type=int, default=50, help="%(default)s")
    parser.add_argument("--timeframe", choices=("1m", "5m"), default="1m", help="%(default)s")
    parser.add_argument("--candles", type=int, default=200, help="of each bot (%(default)s)")
    parser.add_argument("--profiled", type=int, default=4, help="of them after (%(default)s)")
    parser.add_argument("--json", type=Path, help="write all figures here")
    options = parser.parse_args(arguments)
    found = measured(options.pairs, options.timeframe, options.candles, options.profiled)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    _show(found, Console(width=120))
    return 0


def measured(count: int, timeframe: str, candles: int, profiled: int) -> dict[str, Any]:
    """Run the bots in turn, and work out what they took."""
    load = os.getloadavg()[0]
    with ExitStack() as stack:
        served = stack.enter_context(serving(list(WORDS), count, timeframe))
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = {"guards": WIDE_LIMITS["guards"]}
        bots: dict[str, Bot] = {}
        for name, url in served.urls.items():
            (scratch / name).mkdir()
            bots[name] = Bot(name, url, served.pairs, timeframe, scratch / name, settings)
            stack.callback(bots[name].end)
            bots[name].run(WARM_UP)
        ran: dict[str, list[Ran]] = {name: [] for name in bots}
        while len(ran[FLOOR]) < candles:
            for name, bot in bots.items():
                ran[name] += bot.run(min(TURN, candles - len(ran[name])))
        parts = {name: bots[name].profiled(profiled) for name in (HELD, LARGEST) if profiled}
        asked = {name: _asked(url) for name, url in served.urls.items()}
    started = {name: bot.started for name, bot in bots.items()}
    figures = {name: _figures(ran[name], started[name]) for name in bots}
    return {
        "pairs": count,
        "timeframe": timeframe,
        "candles": candles,
        "load": [round(load, 1), round(os.getloadavg()[0], 1)],
        "bots": {name: {**figures[name], **asked[name]} for name in bots},
        "by_candle": {name: [asdict(one) for one in ran[name]] for name in bots},
        "parts": parts,
        "targets": _compared(figures),
    }


def _asked(url: str) -> dict[str, Any]:
    """What an exchange has counted."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.request("GET", "/sandbox/limits")
    return json.load(connection.getresponse())


def _figures(ran: Sequence[Ran], started: Started) -> dict[str, Any]:
    """
    Returns
    -------
    dict
        Seconds, medians and worst: of CPU (candle, quiet: the loop after it), of the machine's
        clock (wall, and last_order since the candle's end); orders; memory_mb; start in steps.
    """
    orders = [one.last_order + WAIT_S for one in ran if one.last_order is not None] or [np.nan]
    return {
        "candle_cpu": float(np.mean([one.candle_cpu for one in ran])),
        "quiet_cpu": float(np.mean([one.quiet_cpu for one in ran])),
        "wall": float(np.median([one.wall for one in ran])),
        "last_order": float(np.median(orders)),
        "last_order_worst": float(np.max(orders)),
        "orders": sum(one.orders for one in ran),
        "memory_mb": ran[-1].memory_mb,
        "start_cpu": [started.imported, started.constructed, started.decided],
    }


def _compared(figures: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Figures beside their targets."""
    floor = figures[FLOOR]
    rows: list[tuple[str, float, float | None]] = []
    for name, target in ((HELD, TARGET_HELD_PCT), (LARGEST, TARGET_LARGEST_PCT)):
        own = figures[name]
        share = 100 * (1 - floor["candle_cpu"] / own["candle_cpu"])
        quiet = 100 * (1 - floor["quiet_cpu"] / own["quiet_cpu"])
        rows += [
            (f"share of a new candle's loop, {WORDS[name]}, percent of CPU", share, target),
            (f"share of the loops between candles, {WORDS[name]}, percent of CPU", quiet, None),
        ]
        for what, words in (("last_order", "median"), ("last_order_worst", "worst")):
            ratio = own[what] / floor[what]
            text = f"candle's end to last order, {words}, {WORDS[name]}, to the floor"
            rows.append((text, ratio, TARGET_ORDER))
        ratio = own["start_cpu"][-1] / floor["start_cpu"][-1]
        rows.append((f"start to first decision, {WORDS[name]}, to the floor", ratio, None))
    return [dict(zip(("figure", "measured", "target"), row, strict=True)) for row in rows]


def show_bots(found: dict[str, Any], console: Console) -> None:
    """A column for each bot."""
    table = Table(title=f"{found['pairs']} pairs, {found['timeframe']}, {found['candles']} candles")
    for heading in ("", *WORDS.values()):
        table.add_column(heading, justify="right" if heading else "left")
    for key, words, form in (
        ("candle_cpu", "loop of a new candle, s of CPU", "{:.2f}"),
        ("quiet_cpu", "loop between candles, s of CPU", "{:.3f}"),
        ("wall", "loop of a new candle, s", "{:.2f}"),
        ("last_order", "candle's end to last order, s, median", "{:.2f}"),
        ("last_order_worst", "the same, worst", "{:.2f}"),
        ("orders", "orders sent", "{}"),
        ("refused", "requests refused (429)", "{}"),
        ("most", "most in a minute, orders in ten seconds", "{}"),
        ("memory_mb", "memory, MB", "{:.0f}"),
        ("start_cpu", "start: imports, bot, first decision, s of CPU", "{}"),
    ):
        cells = [found["bots"][name][key] for name in WORDS]
        if key == "start_cpu":
            cells = [", ".join(f"{step:.1f}" for step in steps) for steps in cells]
        if key == "most":
            cells = [f"{most.get('weight', 0)}, {most.get('orders', 0)}" for most in cells]
        table.add_row(words, *(form.format(cell) for cell in cells))
    console.print(table)


def _show(found: dict[str, Any], console: Console) -> None:
    show_bots(found, console)
    targets = Table(title="Against its targets")
    for heading in ("figure", "measured", "at most", ""):
        targets.add_column(heading, justify="left" if heading == "figure" else "right")
    for row in found["targets"]:
        target = row["target"]
        verdict = "" if target is None else "met" if row["measured"] <= target else "missed"
        shown = "" if target is None else f"{target:.2f}"
        targets.add_row(row["figure"], f"{row['measured']:.2f}", shown, verdict)
    console.print(targets)
    for name, parts in found["parts"].items():
        largest = sorted(parts.items(), key=lambda item: -abs(item[1]))[:8]
        console.print(
            f"{WORDS[name]}, by where Freqtrade enters it, of profiled CPU time "
            f"({100 * sum(parts.values()):.1f} %): "
            + ", ".join(f"{part} {100 * share:.1f} %" for part, share in largest)
        )
    console.print(f"Load {found['load'][0]} before and {found['load'][1]} after.")


if __name__ == "__main__":
    sys.exit(main())
