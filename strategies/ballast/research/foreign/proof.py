"""The look-ahead proof of a strategy: all its pairs, in processes of this machine."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import joblib
import pandas as pd

from ballast.research.backtests import Task, TaskError
from ballast.research.foreign.lookahead import Examined, NotComparable, examine
from ballast.research.foreign.replay import loaded

# Candles beside those of the longest history, where no time range is asked for.
_CANDLES = 2000


@dataclass(frozen=True)
class Proof:
    """
    What the proof came to.

    Parameters
    ----------
    examined : Examined
        Of all pairs that could be judged.
    pairs : tuple of str
        These.
    failed : mapping of str to str
        Why others could not, by pair.
    """

    examined: Examined
    pairs: tuple[str, ...]
    failed: Mapping[str, str] = field(default_factory=dict)


def prove(
    task: Task, cuts: int, processes: int, done: Callable[[int], None] = lambda count: None
) -> Proof:
    """
    Compare the columns of a strategy under the layer on cut candles with those on all.

    Parameters
    ----------
    cuts : int
        For each pair, at most.
    processes : int
        At a time.
    done : callable
        Told how many pairs are done, whenever it changes.
    """
    examined, pairs, failed = Examined(), [], {}
    for number, (pair, found) in enumerate(_found(task, cuts, processes), 1):
        if isinstance(found, str):
            failed[pair] = found
        else:
            examined += found
            pairs.append(pair)
        done(number)
    return Proof(examined, tuple(pair for pair in task.pairs if pair in pairs), failed)


def _found(task: Task, cuts: int, processes: int) -> Iterator[tuple[str, Examined | str]]:
    parallel = joblib.Parallel(n_jobs=processes, return_as="generator_unordered", batch_size=1)
    yield from parallel(joblib.delayed(_one)(task, pair, cuts) for pair in task.pairs)


def _one(task: Task, pair: str, cuts: int) -> tuple[str, Examined | str]:
    try:
        with loaded(task) as replay:
            histories = replay.histories()
            candles = replay.candles(pair, task.timerange, histories[-1] + _CANDLES)
            populate = partial(replay.populate, pair, candles)
            dates = pd.DatetimeIndex(candles["date"])
            try:
                return pair, examine(pair, populate, dates, replay.warmup, cuts, histories)
            except NotComparable as error:
                return pair, str(error)
    except TaskError as error:
        return pair, str(error)
