"""Figures of the strategies from real Freqtrade backtests: `python -m tools.judge`.

Examples
--------
On a generated market, offline: ``python -m tools.judge --generate 7``.
On candles of your own, without an exchange: ``python -m tools.judge --offline --datadir
user_data/data/binance --timerange 20190301-20220101 --strategies RegimeSwitch --shuffles 5
--subsets 10 --sensitivity --walk-forward``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from freqtrade.configuration import TimeRange
from freqtrade.exceptions import FreqtradeException
from rich.console import Console

from tools import judge_market, judge_pictures, judge_plans, judge_report
from tools.judge_changes import KINDS
from tools.judge_figures import CRASHES, Window
from tools.judge_report import Verdict
from tools.judge_runs import ROOT, Job, JudgeError, Result, configuration, run_all

_SEED = 1
_LEAST = {"jobs": 1, "days": 1, "subset_size": 1, "shuffles": 0, "subsets": 0}


@dataclass(frozen=True)
class Case:
    """What is judged: the plain job of every strategy, and the windows that are looked at."""

    jobs: tuple[Job, ...]
    windows: tuple[Window, ...]
    title: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0, or 2 with one sentence for what cannot be judged."""
    try:
        options = _parser().parse_args(arguments)
        _check(options)
        with _case(options) as case:
            verdicts = _judge(case, options)
            if options.json is not None:
                text = json.dumps(judge_report.as_data(verdicts), indent=2)
                _write(options.json, text + "\n")
            judge_report.show(verdicts, case.title, Console())
    except JudgeError as error:
        sys.stderr.write(f"judge: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\njudge: interrupted.\n")
        return 130
    return 0


def _judge(case: Case, options: argparse.Namespace) -> dict[str, Verdict]:
    def run(jobs: Sequence[Job], what: str) -> list[Result]:
        return run_all(jobs, options.jobs, what)

    plain = [replace(job, keep_stops=options.trade_pictures) for job in case.jobs]
    verdicts = {}
    for job, result in zip(case.jobs, run(plain, "as configured"), strict=True):
        verdict = Verdict(result.figures(case.windows), result.failures)
        if options.trade_pictures:
            picture = options.pictures / f"trades-{job.strategy}.svg"
            _drawn(judge_pictures.draw_trades, job.strategy, result, picture)
        _ask_more(job, verdict, options, run)
        verdicts[job.strategy] = verdict
    return verdicts


def _ask_more(
    job: Job, verdict: Verdict, options: argparse.Namespace, run: judge_plans.Runner
) -> None:
    if options.shuffles:
        verdict.spreads.append(judge_plans.shuffled(job, options.shuffles, _SEED, run))
    if options.subsets:
        verdict.spreads.append(
            judge_plans.subsets(job, options.subsets, options.subset_size, _SEED, run)
        )
    if options.sensitivity:
        verdict.moved = judge_plans.sensitivity(job, options.moved, run)
        picture = options.pictures / f"sensitivity-{job.strategy}.svg"
        _drawn(judge_pictures.draw_sensitivity, job, verdict, picture)
    if options.walk_forward:
        verdict.steps = judge_plans.walk_forward(job, run)


def _drawn(draw: Callable[..., None], *arguments: object) -> None:
    try:
        draw(*arguments)
    except OSError as error:
        raise JudgeError(f"Cannot write {error.filename}: {error.strerror}.") from None


@contextmanager
def _case(options: argparse.Namespace) -> Iterator[Case]:
    """Candles, exchange and jobs for the options; the sandbox runs meanwhile if it is wanted."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        datadir, pairs = options.datadir, tuple(options.pairs or ())
        windows: tuple[Window, ...] = CRASHES
        title = f"{options.datadir} {options.timerange}"
        if options.generate is not None:
            made = judge_market.generate(
                options.generate, options.days, options.timeframe, folder / "candles"
            )
            datadir, windows, pairs = made.datadir, made.windows, pairs or made.pairs
            title = f"generated market {options.generate}, {options.days} days"
        if not options.offline and options.generate is None:
            yield _jobs(options, datadir, pairs, windows, title, ())
            return
        with judge_market.exchange(datadir, folder) as overlay:
            yield _jobs(options, datadir, pairs, windows, title, (str(overlay),))


def _jobs(
    options: argparse.Namespace,
    datadir: Path,
    pairs: tuple[str, ...],
    windows: tuple[Window, ...],
    title: str,
    overlays: tuple[str, ...],
) -> Case:
    first = Job(
        strategy=options.strategies[0],
        configs=(*map(str, options.config), *overlays),
        datadir=str(datadir),
        timerange=options.timerange,
        timeframe=options.timeframe,
        fee=options.fee,
    )
    config = configuration(first)
    first = replace(first, pairs=pairs or tuple(config["exchange"]["pair_whitelist"]))
    _require_candles(first, options.timeframe)
    jobs = tuple(replace(first, strategy=name) for name in options.strategies)
    fee = "" if options.fee is None else f", fee {100 * options.fee:g} % a side"
    title += f", {options.timeframe}, {len(first.pairs)} pairs{fee}"
    return Case(jobs, windows, title)


def _require_candles(job: Job, timeframe: str) -> None:
    for pair in job.pairs:
        name = f"{pair.replace('/', '_')}-{timeframe}.feather"
        if not (Path(job.datadir) / name).is_file():
            raise JudgeError(f"{job.datadir} has no candles of {pair}: {name} is missing.")


def _check(options: argparse.Namespace) -> None:
    """Refuse what cannot be judged, and put the defaults in that argparse cannot."""
    known = sorted(path.stem for path in (ROOT / "strategies").glob("[!_]*.py"))
    options.strategies = options.strategies or known
    options.config = options.config or [ROOT / "config.json"]
    for name in options.strategies:
        if name not in known:
            raise JudgeError(f"{name!r} is not a strategy here: known are {', '.join(known)}.")
    for name, least in _LEAST.items():
        if (value := getattr(options, name)) < least:
            flag = name.replace("_", "-")
            raise JudgeError(f"--{flag} is {value}: expected a whole number from {least}.")
    if options.fee is not None and not 0 <= options.fee < 0.1:
        raise JudgeError(f"--fee is {options.fee}: expected a ratio from 0 to below 0.1.")
    _check_files(options)


def _check_files(options: argparse.Namespace) -> None:
    for path in options.config:
        if not path.is_file():
            raise JudgeError(f"--config {path} is not a file.")
    if options.generate is None and not options.datadir.is_dir():
        raise JudgeError(f"--datadir {options.datadir} is not a directory.")
    try:
        TimeRange.parse_timerange(options.timerange)
    except FreqtradeException:
        raise JudgeError(
            f"--timerange is {options.timerange!r}: expected one such as 20200101-20210101."
        ) from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise JudgeError(f"Cannot write {path}: {error.strerror}.") from None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise JudgeError(message[0].upper() + message[1:].rstrip(".") + ".")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m tools.judge",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    data = ROOT / "user_data" / "data" / "binance"
    add("--strategies", nargs="+", metavar="NAME", help="these instead of all")
    add("--datadir", type=Path, default=data, help="folder of feather files (%(default)s)")
    add("--generate", type=int, metavar="SEED", help="a generated market instead, offline")
    add("--days", type=int, default=366, help="of the generated market (%(default)s)")
    add("--timerange", default="", help="as Freqtrade's; everything by default")
    add("--timeframe", default="1h", help="candles that are traded (%(default)s)")
    add("--pairs", nargs="+", metavar="PAIR", help="in this order, in place of the whitelist")
    add("--fee", type=float, help="ratio of a fill, each side (the exchange's)")
    add("-c", "--config", type=Path, action="append", help="Freqtrade's, repeatable (config.json)")
    add("--offline", action="store_true", help="take markets and fees from a sandbox exchange")
    add("--shuffles", type=int, default=0, metavar="N", help="N random orders of the pairs")
    add("--subsets", type=int, default=0, metavar="N", help="N random choices of pairs")
    add("--subset-size", type=int, default=7, metavar="N", help="pairs in each (%(default)s)")
    add("--sensitivity", action="store_true", help="move each value 25 %% either way")
    add("--moved", nargs="+", choices=KINDS, default=KINDS, help="only these kinds of values")
    add("--walk-forward", action="store_true", help="choose on a year, apply to the next")
    add("--trade-pictures", action="store_true", help="draw trades and their stops")
    add("--pictures", type=Path, default=ROOT / "docs" / "figures", help="folder for pictures")
    add("--jobs", type=int, default=1, metavar="N", help="backtests at a time (%(default)s)")
    add("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
