"""What a closed trade costs as trades grow in number: guards beside Freqtrade's own protections.

Three strategies make the same scripted trades on the same candles, on which no guard finds
anything: one without a risk layer, one under the three of Freqtrade's protections that look at
closed trades, one under every guard. All limits are set so wide that guards and protections are
asked and never block, which is asserted: a block would change the number of trades. Costs are zero
for the same reason. The cost of a trade is what a run with trades takes longer in its loop than the
same run without any, by the number of trades.
"""

from collections.abc import Sequence
from typing import Any

from benchmarks.errors import BenchmarkError
from benchmarks.loop import Say
from benchmarks.market import Candles
from benchmarks.strategies import WIDE_LIMITS
from benchmarks.worker import Job, Measured, measure_apart

PROTECTED = "Freqtrade's protections"
VARIANTS = {"no risk layer": "Often", "Ballast": "OftenGuarded", PROTECTED: "OftenProtected"}
# Freqtrade's read all closed trades at each close: of more of them an hour is not enough.
MOST_PROTECTED = 2_000
TARGET = 1.1
# Before the first candle that is traded.
WARMUP_DAYS = 40
_START_DAY = "2024-02-10"
SETTINGS = {
    "fee": 0.0,
    "stake_amount": 100,
    "enable_protections": True,
    "timerange": f"{_START_DAY.replace('-', '')}-",
    "ballast": WIDE_LIMITS,
}


def hours_for(trades: int, pairs: int) -> int:
    """Hours of candles in which so many trades can be made, warm-up included."""
    # Every second candle is a signal; the last two can no longer be traded.
    return WARMUP_DAYS * 24 + 2 * -(-trades // pairs) + 4


def run(candles: Candles, hours: int, counts: Sequence[int], say: Say) -> dict[str, Any]:
    """
    Measure every variant without trades and with each of the numbers of trades, once: the runs are
    long, and what is looked for is a multiple.

    Returns
    -------
    dict
        by variant a list of trades (made), loop (CPU seconds) and per_trade_ms.

    Raises
    ------
    BenchmarkError
        If something blocked or failed, or the variants did not make the same number of trades.
    """
    traded = (hours - WARMUP_DAYS * 24) * len(candles.pairs)
    turns = [0, *(max(2, traded // count) for count in counts)]
    runs: dict[tuple[str, int], Measured] = {}
    for every in turns:
        for name, strategy in VARIANTS.items():
            if name == PROTECTED and every and traded // every > MOST_PROTECTED:
                continue
            say(f"{name}, {f'about {traded // every:,}' if every else 'no'} trades")
            job = Job.on(candles, strategy, settings=SETTINGS, every=every)
            runs[name, every] = _checked(name, measure_apart(job))
        made = {name: len(run.trades) for (name, of), run in runs.items() if of == every}
        if len(set(made.values())) > 1:
            raise BenchmarkError(f"The variants did not make the same number of trades: {made}.")
    return {
        name: [_row(runs, name, every) for every in turns[1:] if (name, every) in runs]
        for name in VARIANTS
    }


def _checked(name: str, measured: Measured) -> Measured:
    if measured.locks or measured.incidents:
        raise BenchmarkError(
            f"{name} made {measured.locks} locks and had {measured.incidents} failures, "
            "where its limits are never to be reached."
        )
    return measured


def _row(runs: dict[tuple[str, int], Measured], name: str, every: int) -> dict[str, float]:
    loop, idle = (runs[name, turn].seconds["loop"] for turn in (every, 0))
    made = len(runs[name, every].trades)
    return {"trades": made, "loop": loop, "per_trade_ms": 1000 * (loop - idle) / made}
