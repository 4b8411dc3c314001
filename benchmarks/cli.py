"""`python -m benchmarks`: measure, print tables, write JSON."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import (
    ROOT,
    analysis,
    examples,
    growth,
    journal,
    loop,
    market,
    pictures,
    report,
    scaling,
    stress,
    targets,
)
from benchmarks.errors import BenchmarkError
from sandbox.errors import SandboxError
from tools import run_load

PARTS = ("loop", "foreign", "growth", "analysis", "examples", "journal", "stress", "live")
# Beside the targets: for the pictures of the documentation.
SCALING = "growing"
_ANALYSIS_DAYS = 60
_PAIRS, _LIVE_PAIRS = 10, 50


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0, or 2 with a sentence for what cannot be measured."""
    options = _parser().parse_args(arguments)
    console = Console()
    try:
        results = _measure(options, _say)
        if options.json is not None:
            options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    except (BenchmarkError, SandboxError) as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"benchmarks: cannot write {error.filename}: {error.strerror}.\n")
        return 2
    report.show(results, console)
    if options.pictures is not None and SCALING in results:
        pictures.growing(results[SCALING], options.pictures)
    return 0


def _measure(options: argparse.Namespace, say: loop.Say) -> dict[str, Any]:
    # Freqtrade tells about every file it loads.
    logging.disable(logging.WARNING)
    results: dict[str, Any] = {"machine": report.machine()}
    if "loop" in options.only:
        results["loop"] = loop.run(_candles(options), options.strategy, options.repeats, say)
    if "foreign" in options.only:
        results["foreign"] = loop.run(_candles(options), loop.FOREIGN, options.repeats, say)
    if "growth" in options.only:
        hours = growth.hours_for(max(options.trades), _PAIRS)
        calm = market.calm(options.cache, options.seed, hours, _PAIRS)
        results["growth"] = growth.run(calm, hours, options.trades, say)
    if "analysis" in options.only:
        candles = market.generated(options.cache, options.seed, _ANALYSIS_DAYS, ("5m", "1h"))
        results["analysis"] = {
            timeframe: analysis.run(candles, timeframe, rounds, say)
            for timeframe, rounds in (("1h", options.rounds), ("5m", analysis.CANDLES_AN_HOUR))
        }
    if "examples" in options.only:
        results["examples"] = examples.run(options.cache, options.seed, options.rounds, say)
    if "journal" in options.only:
        calm = market.calm(options.cache, options.seed, journal.HOURS, journal.PAIRS)
        results["journal"] = journal.run(calm, options.strategy, options.rounds, say)
    if "stress" in options.only:
        candles = market.generated(options.cache, options.seed, options.days, ("1h",))
        results["stress"] = stress.run(candles, options.strategy, options.seed, say)
    if "live" in options.only:
        say(f"three bots of {_LIVE_PAIRS} pairs on 1m, {options.candles} candles each")
        results["live"] = run_load.measured(_LIVE_PAIRS, "1m", options.candles, 0)
    if SCALING in options.only:
        results[SCALING] = scaling.run(options.cache, options.seed, say)
    results["targets"] = targets.compared(results)
    results["machine"]["load_after"] = round(os.getloadavg()[0], 2)
    return results


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _candles(options: argparse.Namespace) -> market.Candles:
    if options.data is not None:
        return market.real(options.data, "1h")
    return market.generated(options.cache, options.seed, options.days, ("1h",))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--only", nargs="+", choices=(*PARTS, SCALING), default=PARTS,
        help=f"parts (all but {SCALING}, which is how the cost grows)")  # fmt: skip
    add("--strategy", default="RisingMarket", help="backtested in 'loop' (%(default)s)")
    add("--data", type=Path, metavar="DIR", help="hourly feather files for 'loop'")
    add("--seed", type=int, default=7, help="of the generated market (%(default)s)")
    add("--days", type=int, default=548, help="of it, for 'loop' (%(default)s)")
    add("--trades", type=_count, nargs="+", default=[1_000, 20_000], help="for 'growth'")
    add("--repeats", type=_count, default=2, help="of each in 'loop' (%(default)s)")
    add("--rounds", type=_count, default=15,
        help="candles in 'analysis' and 'examples' (%(default)s)")  # fmt: skip
    add("--candles", type=_count, default=8,
        help="of each bot in 'live' (%(default)s); `make load` takes 200")  # fmt: skip
    add("--cache", type=Path, default=ROOT / "user_data" / "data" / "benchmarks", metavar="DIR",
        help="where candles are kept")  # fmt: skip
    add("--pictures", type=Path, metavar="DIR", help=f"draw what '{SCALING}' finds there")
    add("--json", type=Path, metavar="FILE", help="write all figures there")
    return parser


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)
