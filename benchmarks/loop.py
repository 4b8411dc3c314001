"""What the risk layer adds to a backtest: the same candles, entries and exits with and without it.

A strategy of the pack, or one of others under the layer, is backtested with every guard on. Its
trades are then replayed by a strategy without a risk layer (the floor), by one with callbacks that
do nothing (what Freqtrade takes for asking), by one under a layer that decides nothing (what asking
through it takes), and by one with a `custom_stoploss` that looks the analysed frame up. Signals
stand in for what the risk layer decided, so that the floor calls nothing back: it enters and leaves
on the same candles, which is asserted. Prices may differ where a stop filled within a candle,
because a signal fills at its open. A trade that a stop ended on its entry candle is left on the
next one in the replay; their number is reported.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.errors import BenchmarkError
from benchmarks.market import Candles
from benchmarks.worker import Job, Measured, even_turns, measure_apart, measure_in_turns

FLOOR, ASKED, BALLAST, STOP = "no risk layer", "empty callbacks", "Ballast", "custom_stoploss"
UNDECIDED = "empty layer"
# Of the loop to that with empty callbacks; of the memory to the floor's.
TARGET, TARGET_FOREIGN, TARGET_PEAK = 1.25, 1.3, 1.1
# A strategy in the style of published ones, held under the layer (see `benchmarks.strategies`).
FOREIGN = "ForeignGuarded"
_FEE = 0.001
GUARDED = {
    "fee": _FEE,
    "stake_amount": "unlimited",
    "tradable_balance_ratio": 0.99,
    "enable_protections": True,
}
# Small enough that every replayed entry can be paid for.
_REPLAYED = {"fee": _FEE, "stake_amount": 100}

Trade = Mapping[str, Any]
Say = Callable[[str], None]


def run(candles: Candles, strategy: str, repeats: int, say: Say) -> dict[str, Any]:
    """
    Measure them side by side, `repeats` times (see `measure_in_turns`).

    Returns
    -------
    dict
        by variant: seconds (of each phase the least of all repeats, CPU), peak_mb (the least);
        trades, rows, locks, at_once (trades left on their entry candle), ratios to the floor;
        to_asked, the loop's ratio to that with empty callbacks, the median of the repeats.

    Raises
    ------
    BenchmarkError
        If entries or exits of a replay differ, or a callback of Ballast failed.
    """
    file = strategy if strategy == FOREIGN else f"strategies/{strategy}.py"
    guarded = Job.on(candles, file, settings=GUARDED)
    say(f"{strategy} with every guard, to learn its trades")
    first = measure_apart(guarded)
    if first.incidents:
        raise BenchmarkError(f"{strategy} had {first.incidents} failures inside its callbacks.")
    if not first.trades:
        raise BenchmarkError(f"{strategy} made no trades on these candles: nothing to compare.")
    same = {"settings": _REPLAYED, "replay": first.trades, "startup": first.startup}
    jobs = {
        FLOOR: Job.on(candles, "Replay", **same),
        ASKED: Job.on(candles, "ReplayAsked", **same),
        UNDECIDED: Job.on(candles, "ReplayLayered", **same),
        BALLAST: guarded,
    }
    if strategy != FOREIGN:
        jobs[STOP] = Job.on(candles, "ReplayWithStop", **same)
    measured: dict[str, list[Measured]] = {name: [] for name in jobs}
    turns: list[float] = []
    for number in range(1, repeats + 1):
        say(f"{', '.join(jobs)}: {number} of {repeats}")
        found_of_all = measure_in_turns(list(jobs.values()), turns)
        turns = even_turns(found_of_all)
        for name, found in zip(jobs, found_of_all, strict=True):
            measured[name].append(found)
            disagreement = differences(first.trades, found.trades)
            if disagreement:
                raise BenchmarkError(f"{name} did not make the same trades: {disagreement}.")
    return {
        "strategy": strategy,
        "rows": first.rows,
        "trades": len(first.trades),
        "at_once": sum(map(_is_at_once, first.trades)),
        "locks": first.locks,
        "variants": _least(measured),
        "to_asked": _to_asked(measured),
    }


def _to_asked(measured: Mapping[str, Sequence[Measured]]) -> float:
    """Loop with all guards to the loop with empty callbacks, which ran beside it."""
    both = zip(measured[BALLAST], measured[ASKED], strict=True)
    return median(ours.seconds["loop"] / asked.seconds["loop"] for ours, asked in both)


def differences(recorded: Sequence[Trade], replayed: Sequence[Trade]) -> str:
    """
    What a replay did otherwise, in one clause; empty if entries and exits are on the same candles.

    Exits of trades that were left on their entry candle are not compared.
    """
    if len(recorded) != len(replayed):
        return f"{len(replayed)} trades, not {len(recorded)}"
    for one, other in zip(recorded, replayed, strict=True):
        for name in ("pair", "open_date", "close_date"):
            if one[name] != other[name] and not (name == "close_date" and _is_at_once(one)):
                return f"{name} {other[name]}, not {one[name]} ({one['pair']} {one['open_date']})"
    return ""


def _is_at_once(trade: Trade) -> bool:
    return bool(trade["open_date"] == trade["close_date"])


def _least(measured: Mapping[str, Sequence[Measured]]) -> dict[str, dict[str, Any]]:
    """By variant the least of every figure, and its ratio to the floor's."""
    least = {
        name: {
            **{phase: min(run.seconds[phase] for run in runs) for phase in runs[0].seconds},
            "total": min(sum(run.seconds.values()) for run in runs),
            "peak_mb": min(run.peak_mb for run in runs),
        }
        for name, runs in measured.items()
    }
    floor = least[FLOOR]
    return {
        name: {**figures, "ratios": {key: figures[key] / floor[key] for key in _COMPARED}}
        for name, figures in least.items()
    }


_COMPARED = ("loop", "total", "peak_mb")
