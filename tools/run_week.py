"""A week of fifty pairs live, in simulated time: whether what a bot remembers grows.

Everything after the first day should be as large as it was then: memory is taken at each candle,
and a line through it says by how much it grows in a day.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from freqtrade.exchange import timeframe_to_seconds
from rich.console import Console

from benchmarks.strategies import WIDE_LIMITS
from tools.load_bot import Bot
from tools.load_exchange import serving

STRATEGY = "Largest"
DAY_S = 86_400
# Of its size after the first day [percent a day].
TARGET_PCT = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.run_week", description=__doc__)
    parser.add_argument("--pairs", type=int, default=50, help="%(default)s")
    parser.add_argument("--timeframe", default="1h", help="%(default)s")
    parser.add_argument("--days", type=int, default=7, help="%(default)s")
    parser.add_argument("--json", type=Path, help="write all figures here")
    options = parser.parse_args(arguments)
    a_day = DAY_S // timeframe_to_seconds(options.timeframe)
    with (
        serving([STRATEGY], options.pairs, "5m") as served,
        tempfile.TemporaryDirectory() as scratch,
    ):
        settings = {"guards": WIDE_LIMITS["guards"]}
        url, pairs = served.urls[STRATEGY], served.pairs
        bot = Bot(STRATEGY, url, pairs, options.timeframe, Path(scratch), settings)
        ran = [one for _ in range(options.days) for one in bot.run(a_day)]
        bot.end()
    memory = [one.memory_mb for one in ran]
    growth = growth_pct(memory, a_day)
    found = {
        "pairs": options.pairs,
        "timeframe": options.timeframe,
        "days": options.days,
        "orders": sum(one.orders for one in ran),
        "memory_mb": memory,
        "growth_pct_a_day": growth,
        "target": TARGET_PCT,
    }
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    verdict = "met" if growth <= TARGET_PCT else "missed"
    Console(width=120).print(
        f"{options.pairs} pairs, {options.timeframe}, {options.days} days, {found['orders']} "
        f"orders: {memory[a_day]:.0f} MB after a day, {memory[-1]:.0f} MB at the end; "
        f"{growth:+.2f} % a day, at most {TARGET_PCT:.0f}: {verdict}"
    )
    return 0


def growth_pct(memory: Sequence[float], a_day: int) -> float:
    """
    Growth after the first day, of the size then [percent a day], by a line of least squares.

    Parameters
    ----------
    memory : one for each candle.
    a_day : candles.

    Raises
    ------
    ValueError
        Where there are no two candles after the first day.
    """
    after = np.asarray(memory[a_day:])
    if len(after) < 2:
        raise ValueError(f"{len(memory)} candles: expected at least {a_day + 2}")
    slope, begin = np.polyfit(np.arange(len(after)) / a_day, after, 1)
    return float(100 * slope / begin)


if __name__ == "__main__":
    sys.exit(main())
