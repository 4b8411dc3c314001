"""Which runs of a strategy answer which question: the base run, and what differs from it in one."""

from collections.abc import Sequence
from dataclasses import dataclass

from ballast.research.report.results import AS_RUN, RunResult

# The level that stands for a strategy where there is a choice: costs charged, not exaggerated.
_PREFERRED = ("base", AS_RUN, "none", "stressed", "worst")
_ORDER = ("none", "base", AS_RUN, "stressed", "worst")


@dataclass(frozen=True)
class Selection:
    """
    Runs of one strategy.

    Parameters
    ----------
    base : RunResult
        Base costs, every guard on, nothing changed, over the longest period with the most pairs.
    costs : tuple of RunResult
        The same at every level of costs, the cheapest first; the base run among them.
    without_guard : tuple of RunResult
        The same with one guard off.
    trials : tuple of RunResult
        The same with parameters changed.
    pairs : tuple of RunResult
        The same over other pairs, or in another order.
    periods : tuple of RunResult
        The same over other times.
    """

    base: RunResult
    costs: tuple[RunResult, ...]
    without_guard: tuple[RunResult, ...]
    trials: tuple[RunResult, ...]
    pairs: tuple[RunResult, ...]
    periods: tuple[RunResult, ...]


def by_strategy(runs: Sequence[RunResult]) -> dict[str, Selection]:
    """Sort the runs of every strategy, in the order in which strategies first occur."""
    names = dict.fromkeys(run.strategy for run in runs)
    return {name: _select([run for run in runs if run.strategy == name]) for name in names}


def _select(runs: Sequence[RunResult]) -> Selection:
    base = min(runs, key=_distance)
    others = [run for run in runs if run is not base]

    def differing(*what: str) -> tuple[RunResult, ...]:
        """Runs that differ from the base run in exactly this."""
        return tuple(run for run in others if _differences(run, base) == set(what))

    levels = {base.costs: base}
    for run in differing("costs"):
        levels.setdefault(run.costs, run)
    return Selection(
        base=base,
        costs=tuple(sorted(levels.values(), key=lambda run: _rank(run.costs, _ORDER))),
        without_guard=differing("without_guard"),
        trials=differing("parameters"),
        pairs=differing("pairs"),
        periods=differing("period"),
    )


def _distance(run: RunResult) -> tuple[object, ...]:
    length = (run.end - run.start).total_seconds()
    changed = (bool(run.parameters), bool(run.without_guard))
    return (*changed, _rank(run.costs, _PREFERRED), -length, -len(run.pairs))


def _rank(level: str, order: Sequence[str]) -> int:
    return order.index(level) if level in order else len(order)


def _differences(run: RunResult, base: RunResult) -> set[str]:
    compared = {
        "costs": (run.costs, base.costs),
        "without_guard": (run.without_guard, base.without_guard),
        "parameters": (dict(run.parameters), dict(base.parameters)),
        "pairs": (run.pairs, base.pairs),
        "period": ((run.start, run.end), (base.start, base.end)),
    }
    return {name for name, (one, other) in compared.items() if one != other}
