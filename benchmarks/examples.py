"""What the analysis of a new candle takes an example, beside its plain Freqtrade twin.

As in `benchmarks.analysis`: frames of 1,000 candles, ten pairs, both on the same frames in turn.
The twins are those of the tests, which hold that both signal on the same candles.
"""

import statistics
import tempfile
from pathlib import Path
from typing import Any

from ballast.core.windows import minutes
from benchmarks import ROOT, market
from benchmarks.analysis import (
    CANDLES_AN_HOUR,
    HOURLY,
    Bench,
    database,
    rounds_of,
    stored,
    typical,
)
from benchmarks.loop import Say
from tests.behaviour import twins

TARGET = 1.2
EXAMPLES, TWINS = ROOT / "examples", ROOT / "tests" / "behaviour"
# A thousand days of candles take a while to make: only of those that are so long.
_LONG = ("4h", "1d")
_DAYS, _LONG_DAYS = 60, 1_040


def run(cache: Path, seed: int, rounds: int, say: Say) -> dict[str, dict[str, Any]]:
    """
    Analyse `rounds` candles of every pair with every example and its twin; an hour of fine ones.

    Returns
    -------
    dict
        by example: timeframe; example and twin: milliseconds for a pair (medians; on fine
        timeframes means); ratio.
    """
    folders = {
        _LONG: market.generated(cache, seed, _LONG_DAYS, _LONG),
        ("5m", "15m", HOURLY): market.generated(cache, seed, _DAYS, ("5m", "15m", HOURLY, *_LONG)),
    }
    found = {}
    for path in sorted(EXAMPLES.glob("*.py")):
        timeframe = getattr(twins, path.stem).timeframe
        timeframes, candles = next(one for one in folders.items() if timeframe in one[0])
        say(f"{path.stem} on {timeframe} and its twin")
        wanted = (*timeframes, *_LONG)
        found[path.stem] = _measured(path.stem, timeframe, candles, wanted, rounds)
    return found


def _measured(
    name: str,
    timeframe: str,
    candles: market.Candles,
    timeframes: tuple[str, ...],
    rounds: int,
) -> dict[str, Any]:
    history = stored(candles, *(of for of in timeframes if minutes(of) >= minutes(timeframe)))
    count = rounds if minutes(timeframe) >= minutes(HOURLY) else CANDLES_AN_HOUR
    with database(), tempfile.TemporaryDirectory() as folder:
        pair = [
            Bench(name, timeframe, candles.pairs, Path(folder), where)
            for where in (EXAMPLES, TWINS)
        ]
        taken: list[list[float]] = [[], []]
        # The first round warms up what is imported and cached on first use.
        for number, frames in enumerate(rounds_of(history, timeframe, count + 1)):
            for bench, rows in zip(pair, taken, strict=True):
                mean = statistics.fmean(bench.analyse(frames))
                if number:
                    rows.append(1000 * mean)
        for bench in pair:
            bench.exchange.close()
    ours, plain = (typical(timeframe)(rows) for rows in taken)
    return {"timeframe": timeframe, "example": ours, "twin": plain, "ratio": ours / plain}
