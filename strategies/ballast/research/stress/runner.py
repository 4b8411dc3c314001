"""Runs the backtests of a stress: in processes of this machine, or on a Dask cluster."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import joblib

from ballast.research.backtests import BacktestExport, TaskError, run
from ballast.research.stress.plan import StressRun
from ballast.research.stress.store import Store


@dataclass(frozen=True)
class Ran:
    """
    What came of the jobs.

    Parameters
    ----------
    keys : tuple of str
        Of all jobs, in their order.
    reused : int
        How many were there already.
    seconds : float
        What the backtests took that were run, summed over them.
    """

    keys: tuple[str, ...]
    reused: int
    seconds: float


def run_all(
    jobs: Sequence[StressRun],
    store: Store,
    processes: int,
    scheduler: str | None = None,
    done: Callable[[int], None] = lambda count: None,
) -> Ran:
    """
    Run every job whose result is not there yet, each once.

    Parameters
    ----------
    processes : int
        At a time; a cluster has as many as it has.
    scheduler : str or None
        Address of a Dask scheduler, such as 'tcp://10.0.0.5:8786'.
    done : callable
        Told how many jobs are finished, whenever it changes.

    Raises
    ------
    TaskError
        Of the first job that fails; what has finished by then is kept.
    """
    keys = [job.key() for job in jobs]
    waiting = {key: job for key, job in zip(keys, jobs, strict=True) if not store.has(key)}
    finished = reused = sum(key not in waiting for key in keys)
    store.index(job.entry(key) for key, job in zip(keys, jobs, strict=True) if store.has(key))
    done(finished)
    seconds = 0.0
    with _backend(scheduler, processes):
        for key, outcome in _outcomes(waiting):
            store.put(key, outcome)
            seconds += outcome.seconds
            finished += keys.count(key)
            done(finished)
    store.index(job.entry(key) for key, job in zip(keys, jobs, strict=True))
    return Ran(tuple(keys), reused, seconds)


def _outcomes(waiting: dict[str, StressRun]) -> Iterator[tuple[str, BacktestExport]]:
    parallel = joblib.Parallel(return_as="generator_unordered", pre_dispatch="all", batch_size=1)
    yield from parallel(joblib.delayed(_one)(key, job) for key, job in waiting.items())


def _one(key: str, job: StressRun) -> tuple[str, BacktestExport]:
    return key, run(job.task)


@contextmanager
def _backend(scheduler: str | None, processes: int) -> Iterator[None]:
    if scheduler is None:
        with joblib.parallel_config(backend="loky", n_jobs=processes):
            yield
        return
    with _client(scheduler) as client, joblib.parallel_config(backend="dask", client=client):
        yield


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise TaskError(
            "--scheduler needs Dask, which is not installed: pip install dask distributed"
        ) from None
    try:
        return Client(address, timeout="5s")
    except (OSError, ValueError) as error:
        raise TaskError(f"--scheduler {address} does not answer: {error}") from None
