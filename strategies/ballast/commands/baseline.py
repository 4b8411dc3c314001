"""`python -m ballast baseline`: what the guard EdgeDecay compares with, from a backtest."""

import argparse
import sys
from pathlib import Path

from ballast.research import baseline
from ballast.research.report.results import ResultError, RunResult, read_zip
from ballast.tooling.errors import CommandError

EXAMPLES = """\
ballast baseline user_data/backtest_results/RESULT.zip
ballast baseline RESULT.zip --strategy DonchianTrend
"""


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
        sys.stdout.write(baseline.text(baseline.section(result)) + "\n")
    except (ResultError, baseline.NoBaseline) as error:
        raise CommandError(str(error)) from None


def _chosen(results: list[RunResult], name: str | None) -> RunResult:
    known = {result.strategy: result for result in results}
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name not in known:
        raise CommandError(f"--strategy is {name!r}: expected one of {', '.join(known)}")
    return known[name]
