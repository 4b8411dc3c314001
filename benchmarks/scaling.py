"""How the cost of a backtest's loop grows: with pairs, candles, trades and open positions.

On calm candles, where no guard finds anything, with limits so wide that nothing blocks (see
`benchmarks.growth`): one count is doubled and the others stay. Each run in a process of its own,
once: what is looked for is the shape.
"""

from pathlib import Path
from typing import Any

from benchmarks import market
from benchmarks.errors import BenchmarkError
from benchmarks.growth import SETTINGS, WARMUP_DAYS
from benchmarks.loop import Say
from benchmarks.worker import Job, measure_apart

FLOOR, BALLAST = "no risk layer", "Ballast"
_OFTEN = {FLOOR: "Often", BALLAST: "OftenGuarded"}
_HELD = {FLOOR: "Holding", BALLAST: "HoldingGuarded"}
_HOURS, _PAIRS, _EVERY = 1_000, 10, 50
_WARMUP = WARMUP_DAYS * 24


def run(cache: Path, seed: int, say: Say) -> dict[str, list[dict[str, float]]]:
    """
    Measure every count.

    Returns
    -------
    dict
        by what is counted, a list of count and CPU seconds of the loop without and with the layer.
    """
    held = [_row(cache, seed, say, _HELD, n, _HOURS, _PAIRS, n) for n in (1, 4, 8)]
    pairs = [_row(cache, seed, say, _OFTEN, n, _HOURS, n, _EVERY) for n in (5, 10, 20)]
    candles = [
        _row(cache, seed, say, _OFTEN, _PAIRS * hours, hours, _PAIRS, _EVERY)
        for hours in (500, 1_000, 2_000, 4_000)
    ]
    trades = [
        _row(cache, seed, say, _OFTEN, _PAIRS * _HOURS // every, _HOURS, _PAIRS, every)
        for every in (32, 8, 4)
    ]
    return {"pairs": pairs, "candles": candles, "trades": trades, "open positions": held}


def _row(
    cache: Path,
    seed: int,
    say: Say,
    variants: dict[str, str],
    count: int,
    hours: int,
    pairs: int,
    every: int,
) -> dict[str, Any]:
    candles = market.calm(cache, seed, _WARMUP + hours, pairs)
    row: dict[str, Any] = {"count": count}
    for name, strategy in variants.items():
        say(f"{name}, {pairs} pairs, {hours:,} hours, {strategy} {every}")
        found = measure_apart(Job.on(candles, strategy, settings=SETTINGS, every=every))
        if found.locks or found.incidents:
            raise BenchmarkError(f"{name} was blocked where nothing is to block: {strategy}.")
        row[name] = found.seconds["loop"]
    return row
