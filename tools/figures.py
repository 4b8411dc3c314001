"""The figures and pictures of the README, from what `python -m ballast stress` wrote.

``python -m tools.figures user_data/stress --datadir user_data/data/binance`` prints the table and
what becomes of it with other costs, orders and choices of pairs and values; pictures go to
`docs/figures`. A result of `freqtrade backtesting` does, too, for all but the pictures of trades.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from ballast.research.recordings import RecordingError, stops_of
from ballast.research.report import candles
from ballast.research.report.drawdowns import changes, max_drawdown
from ballast.research.report.results import ResultError, RunResult, read_all
from ballast.research.report.selection import Selection, by_strategy
from ballast.research.report.sensitivity import Move, moves, over_drawdown
from ballast.research.report.study import Options, Study, study
from ballast.research.report.wording import counted, number, percent, share
from tools import pictures

ROOT = Path(__file__).resolve().parents[1]
_ROWS: tuple[tuple[str, Callable[[Study], str]], ...] = (
    ("trades a year", lambda s: number(len(s.trades) / s.years, 0)),
    ("total return", lambda s: percent(s.base.total_return, 0)),
    ("maximum drawdown", lambda s: share(s.max_drawdown, 1)),
    ("worst day", lambda s: percent(min(float(s.daily.min()), 0.0), 1)),
    ("profit factor", lambda s: number(s.profit_factor, 1)),
    ("in the market", lambda s: share(float(s.exposure.mean()), 0)),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0, or 2 with one sentence for what cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        found = by_strategy(read_all(options.results))
        print(_table([study(name, s, Options(options.datadir)) for name, s in found.items()]))
        for name, selection in found.items():
            print(f"\n{name}:", *_spreads(selection), sep="\n- ")
            _draw(name, selection, options)
        equities = {name: selection.base.equity for name, selection in found.items()}
        pictures.accounts(equities, options.pictures / "accounts.svg")
    except (ResultError, RecordingError) as error:
        sys.stderr.write(f"figures: {error}\n")
        return 2
    return 0


def _table(studies: Sequence[Study]) -> str:
    """Markdown: a row for each figure, a column for each strategy."""
    rows = [(label, [text(done) for done in studies]) for label, text in _ROWS]
    years = [{date.year: c for date, c in changes(s.base.equity, "1YS").items()} for s in studies]
    for year in sorted({year for each in years for year in each}):
        rows.append((str(year), [percent(each.get(year, math.nan), 0) for each in years]))
    lost = [{crisis.name: crisis.drawdown for crisis in done.crises} for done in studies]
    for crisis in dict.fromkeys(name for each in lost for name in each):
        cells = [share(each.get(crisis, math.nan), 1) for each in lost]
        rows.append((f"drawdown in: {crisis}", cells))
    names = [done.name for done in studies]
    lines = [["", *names], ["---"] * (1 + len(names)), *([label, *cells] for label, cells in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _spreads(selection: Selection) -> list[str]:
    """What becomes of the result in runs that differ in one thing."""
    base = selection.base
    said = [f"costs {run.costs}: {_brief(run)}" for run in selection.costs]
    shuffled = [run for run in selection.pairs if len(run.pairs) == len(base.pairs)]
    fewer = [run for run in selection.pairs if len(run.pairs) < len(base.pairs)]
    for one, many, runs in (
        ("order of the whitelist", "orders of the whitelist", shuffled),
        ("choice of pairs", "choices of pairs", fewer),
        ("moved value", "moved values", selection.trials),
    ):
        if runs:
            returns = sorted(run.total_return for run in runs)
            fall = share(max(map(_fall, runs)), 1)
            said.append(
                f"{counted(len(runs), one, many)}: {percent(median(returns), 0)} in the middle, "
                f"{percent(returns[0], 0)} at worst, drawdown up to {fall}"
            )
    return said


def _brief(run: RunResult) -> str:
    worst = percent(float(changes(run.equity, "1D").min()), 1)
    return f"{percent(run.total_return, 0)}, drawdown {share(_fall(run), 1)}, worst day {worst}"


def _fall(run: RunResult) -> float:
    return max_drawdown(run.equity)


def _draw(name: str, selection: Selection, options: argparse.Namespace) -> None:
    base = selection.base
    if tried := moves(selection.trials):
        as_it_is = Move(
            "", "", base.total_return, _fall(base), over_drawdown(base), len(base.trades)
        )
        pictures.sensitivity(name, tried, as_it_is, options.pictures / f"sensitivity-{name}.svg")
    known = candles.load(base, options.datadir)
    if len(base.trades) and not candles.missing(base, known):
        for path in (folder / base.source for folder in options.results):
            if path.is_file():
                target = options.pictures / f"trades-{name}.svg"
                pictures.trades(name, base.trades, known, stops_of(path), target)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.figures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("results", nargs="+", type=Path, help="folders of `stress`, or zips of backtests")
    add("--datadir", type=Path, help="Freqtrade's candles (user_data/data/<exchange>)")
    add("--pictures", type=Path, default=ROOT / "docs" / "figures", help="folder (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
