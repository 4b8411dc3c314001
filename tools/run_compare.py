"""`make compare`: two strategies of others alone and under the layer, on a generated market.

The strategies are samples in the style of published ones, in `tools/samples`; nothing in them knows
of the layer. The market is that of `make backtest`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sandbox.beside import leave_when_told
from tools.run_backtest import (
    ROOT,
    BacktestError,
    add_market,
    download,
    find_strategies,
    places,
    run_module,
    sandbox,
    say,
)

SAMPLES = Path(__file__).resolve().parent / "samples"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, that of a command if one fails."""
    options = _parser().parse_args(arguments)
    leave_when_told()
    try:
        with tempfile.TemporaryDirectory() as folder, sandbox(options, Path(folder)) as overlay:
            return _compare(options, overlay, find_strategies(SAMPLES))
    except BacktestError as error:
        sys.stderr.write(f"make compare: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nmake compare: interrupted; the sandbox is stopped.\n")
        return 130


def _compare(options: argparse.Namespace, overlay: Path, strategies: list[str]) -> int:
    code = download(options, overlay)
    if code:
        return code
    say(f"Running {' and '.join(strategies)} alone and under the layer")
    wanted = ["compare", *strategies, *places(options, overlay), "--strategy-path", str(SAMPLES)]
    wanted += ["--timeframe", options.timeframe, "--html", str(options.html)]
    return run_module("ballast", [*wanted, "--output", str(options.userdir / "compare")])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.run_compare", description=__doc__)
    add_market(parser)
    page = ROOT / "user_data" / "compare.html"
    parser.add_argument("--html", type=Path, default=page, help="page to write (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
