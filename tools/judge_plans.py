"""The questions beside the plain backtest: other orders, other pairs, moved values, other years.

Each takes the job of the plain backtest, runs its variations and says what came out.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from statistics import median

from freqtrade.configuration import TimeRange
from freqtrade.resolvers import StrategyResolver

from tools.judge_changes import PARAMETER, STOP, Change, Knob, knobs
from tools.judge_figures import Figures
from tools.judge_runs import Job, JudgeError, Result, configuration

Runner = Callable[[Sequence[Job], str], list[Result]]

MOVES = (0.75, 1.25)
# The walk-forward's grid: every entry parameter and every stop distance times one of these each.
GRID = (0.75, 1.0, 1.25)
# A year is judged on if at least this much of it is covered.
_WHOLE_ENOUGH_DAYS = 180


@dataclass(frozen=True)
class Spread:
    """Median and worst of several runs that differ in what should not matter."""

    name: str
    runs: list[Figures]

    def median(self, figure: str) -> float:
        """Median of a figure over the runs."""
        return float(median(getattr(run, figure) for run in self.runs))

    def worst(self, figure: str) -> float:
        """Worst of a figure over the runs: the largest drawdown, the smallest of all others."""
        values = [getattr(run, figure) for run in self.runs]
        return float(max(values) if figure == "max_drawdown" else min(values))


@dataclass(frozen=True)
class Moved:
    """A knob, and the figures with it moved, by factor."""

    knob: Knob
    moves: dict[float, Figures]


@dataclass(frozen=True)
class Step:
    """
    One step of a walk-forward.

    Parameters
    ----------
    chosen_on, applied_to : int
        Calendar years.
    entries, stops : float
        The factors of the grid that were best on the first year.
    in_sample : Figures
        Of the choice on the year it was chosen on.
    out_of_sample : Figures
        Of the choice on the year after.
    defaults, hindsight : Figures
        On the year after: with everything as it is, and with what would have been best.
    grid : list of float
        Return over drawdown of every cell of the grid on the year after, ascending.
    """

    chosen_on: int
    applied_to: int
    entries: float
    stops: float
    in_sample: Figures
    out_of_sample: Figures
    defaults: Figures
    hindsight: Figures
    grid: list[float]


def shuffled(job: Job, count: int, seed: int, run: Runner) -> Spread:
    """The same pairs in `count` random orders: Freqtrade fills its slots in that order."""
    chance = random.Random(seed)  # noqa: S311
    orders = [tuple(chance.sample(job.pairs, len(job.pairs))) for _ in range(count)]
    return _spread(f"{count} orders of the whitelist", job, orders, run)


def subsets(job: Job, count: int, size: int, seed: int, run: Runner) -> Spread:
    """
    `count` random choices of `size` pairs, in the order of the whitelist.

    Raises
    ------
    JudgeError
        When there are not more pairs than that.
    """
    if not 0 < size < len(job.pairs):
        raise JudgeError(
            f"--subset-size is {size}: expected from 1 to {len(job.pairs) - 1}, "
            f"as there are {len(job.pairs)} pairs."
        )
    chance = random.Random(seed)  # noqa: S311
    choices = [set(chance.sample(job.pairs, size)) for _ in range(count)]
    orders = [tuple(pair for pair in job.pairs if pair in choice) for choice in choices]
    return _spread(f"{count} subsets of {size} of {len(job.pairs)} pairs", job, orders, run)


def _spread(name: str, job: Job, orders: Sequence[tuple[str, ...]], run: Runner) -> Spread:
    results = run([replace(job, pairs=order) for order in orders], f"{job.strategy}, {name}")
    return Spread(name, [result.figures() for result in results])


def sensitivity(job: Job, kinds: Sequence[str], run: Runner) -> list[Moved]:
    """Every knob of the strategy of these kinds 25 % down and up, one at a time."""
    found = [knob for knob in knobs_of(job) if knob.kind in kinds]
    changes = [knob.moved(factor) for knob, factor in product(found, MOVES)]
    jobs = [replace(job, changes=(change,)) for change in changes]
    results = iter(run(jobs, f"{job.strategy}, sensitivity"))
    return [Moved(knob, {move: next(results).figures() for move in MOVES}) for knob in found]


def knobs_of(job: Job) -> list[Knob]:
    """What can be moved in the strategy of a job."""
    return knobs(StrategyResolver.load_strategy(configuration(job)))


def walk_forward(job: Job, run: Runner) -> list[Step]:
    """
    Choose on each calendar year the best of the grid, and apply it to the next.

    Best is the highest return over drawdown. Every year starts with an empty account.

    Raises
    ------
    JudgeError
        When the time range holds fewer than two years.
    """
    years = _years(job.timerange)
    if len(years) < 2:
        raise JudgeError(
            f"--walk-forward needs two calendar years within --timerange, not {job.timerange!r}."
        )
    found = knobs_of(job)
    cells = list(product(GRID, GRID))
    jobs = [
        replace(job, timerange=years[year], changes=_cell(found, *cell))
        for year in years
        for cell in cells
    ]
    results = iter(run(jobs, f"{job.strategy}, walk-forward"))
    figures = {year: {cell: next(results).figures() for cell in cells} for year in years}
    return [
        _step(figures, year, after) for year, after in zip(years, list(years)[1:], strict=False)
    ]


def _cell(found: Sequence[Knob], entries: float, stops: float) -> tuple[Change, ...]:
    factors = {PARAMETER: entries, STOP: stops}
    wanted = {kind: factor for kind, factor in factors.items() if factor != 1.0}
    return tuple(knob.moved(wanted[knob.kind]) for knob in found if knob.kind in wanted)


def _step(figures: dict[int, dict[tuple[float, float], Figures]], year: int, after: int) -> Step:
    best, hindsight = _best(figures[year]), _best(figures[after])
    return Step(
        chosen_on=year,
        applied_to=after,
        entries=best[0],
        stops=best[1],
        in_sample=figures[year][best],
        out_of_sample=figures[after][best],
        defaults=figures[after][(1.0, 1.0)],
        hindsight=figures[after][hindsight],
        grid=sorted(f.return_over_drawdown for f in figures[after].values()),
    )


def _best(cells: dict[tuple[float, float], Figures]) -> tuple[float, float]:
    def score(cell: tuple[float, float]) -> float:
        value = cells[cell].return_over_drawdown
        return -math.inf if math.isnan(value) else value

    return max(cells, key=score)


def _years(timerange: str) -> dict[int, str]:
    """The part of a time range in each calendar year that is covered for at least half."""
    parsed = TimeRange.parse_timerange(timerange)
    if parsed.startdt is None or parsed.stopdt is None:
        return {}
    years = {}
    for year in range(parsed.startdt.year, parsed.stopdt.year + 1):
        first = max(parsed.startdt, datetime(year, 1, 1, tzinfo=UTC))
        last = min(parsed.stopdt, datetime(year + 1, 1, 1, tzinfo=UTC))
        if (last - first).days >= _WHOLE_ENOUGH_DAYS:
            years[year] = f"{first:%Y%m%d}-{last:%Y%m%d}"
    return years
