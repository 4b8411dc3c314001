"""`python -m ballast baseline`: what the guard EdgeDecay compares with, from a backtest."""

import argparse
import json
import sys
from pathlib import Path

from ballast.config import settings
from ballast.research.report.results import ResultError, RunResult, read_zip
from ballast.research.report.trades import in_r
from ballast.tooling.errors import CommandError


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("result", type=Path, help="the zip that a backtest exported")
    parser.add_argument("--strategy", help="which of its strategies, where it holds several")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Print the section for config.json.

    Raises
    ------
    CommandError
        If the result cannot be read, or is no baseline.
    """
    try:
        result = _chosen(read_zip(options.result), options.strategy)
    except ResultError as error:
        raise CommandError(str(error)) from None
    results = in_r(result.trades)["r"].dropna()
    if len(results) < 2:
        raise CommandError(f"{options.result} has {len(results)} trades with a result in R")
    figures = {
        "mean_r": round(float(results.mean()), 4),
        "sd_r": round(float(results.std(ddof=1)), 4),
        "trades": len(results),
    }
    section = {"guards": {"EdgeDecay": figures}}
    try:
        settings.load(section)
    except settings.SettingsError as error:
        raise CommandError(f"this backtest is no baseline: {error}") from None
    sys.stdout.write(json.dumps({settings.SECTION: section}, indent=4) + "\n")


def _chosen(results: list[RunResult], name: str | None) -> RunResult:
    known = {result.strategy: result for result in results}
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name not in known:
        raise CommandError(f"--strategy is {name!r}: expected one of {', '.join(known)}")
    return known[name]
