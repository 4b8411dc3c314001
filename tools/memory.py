"""How many candles an indicator remembers, measured by cutting candles off.

`python -m tools.memory` writes `ballast.core.memory`: for each indicator of TA-Lib and `technical`
how many candles it needs before its value no longer depends on where they begin, and which are no
use at all, because they look at later candles or never forget the first one.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ballast.core import raw_indicators as raw

OUT = Path(raw.__file__).with_name("memory.py")
CANDLES = 2600
SEEDS = (11, 12)
STARTS = (200, 337, 500, 811, 1000)
ENDS = (700, 1333, 2000)
# What is left of a beginning does not matter below this share of the usual movement.
TOLERANCE = 1e-3
# A path that depends on chance may remember longer than those that were measured.
MARGIN = 1.25
# Which of TA-Lib and of `technical` have to do with a price path alone, is found; these are not.
PEEKS = "it looks at later candles: what it gave for a candle changes when more follow"
ENDLESS = (
    "it never forgets the first candle there is, and a bot has another than a backtest; a change "
    "of it, or its distance from its own average, can be had by pair.apply"
)
TEXTS = "it gives texts, not numbers"
REASONS = {
    "MAXINDEX": "it counts from the first candle there is, and a bot has another than a backtest",
    "VWAP": f"{ENDLESS}; the average of a window is pair.technical('qtpylib.rolling_vwap', 20)",
    "qtpylib.vwap": f"{PEEKS}; pair.technical('qtpylib.rolling_vwap', 20) does not",
    "return_on_investment": "it measures signals, not candles",
    # A quarter of a minute for a thousand candles.
    "mmar": f"{TEXTS} (colours)",
    "madrid_sqz": f"{TEXTS} (colours)",
}
REASONS |= dict.fromkeys(("MININDEX", "MINMAXINDEX"), REASONS["MAXINDEX"])
REASONS |= dict.fromkeys(("trendline.gentrends", "trendline.segtrends"), PEEKS)
REASONS |= {"ichimoku.chikou_span": f"{PEEKS}; it is the close, drawn 26 candles too early"}

Compute = Callable[[pd.DataFrame], Mapping[str, np.ndarray]]


def walk(seed: int, candles: int = CANDLES) -> pd.DataFrame:
    """Candles of a random walk."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, candles)))
    opened = np.concatenate(([100.0], close[:-1]))
    up, down = (np.exp(random.uniform(0, 0.01, candles)) for _ in range(2))
    dates = pd.date_range("2024-01-01", periods=candles, freq="h", tz="UTC")
    high, low = np.maximum(opened, close) * up, np.minimum(opened, close) / down
    volume = random.uniform(500, 1500, candles)
    prices = {"open": opened, "high": high, "low": low, "close": close, "volume": volume}
    return pd.DataFrame({"date": dates, **prices})


def peeking(compute: Compute, frame: pd.DataFrame) -> set[str]:
    """Outputs that change on candles that were there before when later ones are cut off."""
    whole, found = compute(frame), set()
    for end in (end for end in ENDS if end < len(frame)):
        for output, cut in compute(frame[:end]).items():
            full = whole[output][:end]
            same = np.isclose(cut, full, rtol=1e-9, atol=1e-12, equal_nan=True)
            if not same.all():
                found.add(output)
    return found


def remembered(
    compute: Compute, frame: pd.DataFrame, outputs: Collection[str], starts: Sequence[int] = STARTS
) -> int:
    """Candles after a beginning until every output is what it is without that beginning."""
    whole, most = compute(frame), 1
    for start in starts:
        cut = compute(frame[start:].reset_index(drop=True))
        for output in outputs:
            late, full = cut[output], whole[output][start:]
            usual = np.nanstd(full) if np.isfinite(full).any() else 0.0
            same = (np.isnan(late) & np.isnan(full)) | (np.abs(late - full) <= TOLERANCE * usual)
            if not same.all():
                most = max(most, int(np.flatnonzero(~same)[-1]) + 2)
    return most


def calls(name: str, of_talib: bool) -> Iterator[tuple[Compute, int]]:
    """An indicator as it is by default and with windows half as long again, and their reach."""
    if of_talib:
        function = raw.talib_function(name)
        default = dict(function.info["parameters"])
    else:
        default = raw.technical_parameters(name)
    longer = {
        key: math.ceil(1.5 * value) if _is_window(key, value) else value
        for key, value in default.items()
    }
    for arguments in (default, longer):
        if of_talib:
            function.parameters = arguments
            reach = function.lookback + 1
        else:
            reach = raw.reach(arguments)
        of = raw.talib_arrays if of_talib else raw.technical_arrays

        def compute(
            frame: pd.DataFrame, of: Any = of, arguments: Any = arguments
        ) -> Mapping[str, np.ndarray]:
            return of(name, arguments, "close", frame)

        yield compute, reach


def examined(name: str, of_talib: bool) -> tuple[float, dict[str, str]]:
    """Its memory in multiples of its reach, and by output ('' for all) why it is of no use."""
    if name in REASONS:
        return 1.0, {"": REASONS[name]}
    memory, unsound = 1.0, dict[str, str]()
    for number, (compute, reach) in enumerate(calls(name, of_talib)):
        for frame in map(walk, SEEDS):
            try:
                outputs = set(compute(frame))
            except Exception as error:
                if number:
                    # Some windows of it must keep to others.
                    continue
                return 1.0, {"": f"it fails on candles ({error})"}
            peeks = peeking(compute, frame)
            if peeks == outputs:
                return 1.0, {"": PEEKS}
            unsound |= {output: REASONS.get(f"{name}.{output}", PEEKS) for output in peeks}
            needed = remembered(compute, frame, outputs - peeks)
            if needed > CANDLES - max(STARTS) - 100:
                return 1.0, {"": ENDLESS}
            memory = max(memory, MARGIN * needed / reach if needed > reach else 1.0)
    return math.ceil(10 * memory) / 10, unsound


def table(names: Mapping[str, bool]) -> tuple[dict[str, float], dict[str, str]]:
    """By name what is remembered beyond its reach, and why it is of no use."""
    memory: dict[str, float] = {}
    unsound: dict[str, str] = {}
    for name, of_talib in names.items():
        if of_talib and "periods" in raw.talib_function(name).input_names.values():
            continue
        multiple, reasons = examined(name, of_talib)
        if multiple > 1:
            memory[name] = multiple
        unsound |= {f"{name}.{output}".rstrip("."): why for output, why in reasons.items()}
    return memory, unsound


def text() -> str:
    """The module."""
    names = {
        "TALIB": dict.fromkeys(raw.talib_names(), True),
        "TECHNICAL": dict.fromkeys(raw.technical_functions(), False),
    }
    parts = [HEAD]
    for name, listed in names.items():
        memory, unsound = table(listed)
        known = {PEEKS: "PEEKS", ENDLESS: "ENDLESS"}
        whys = {key: known.get(why, f'"{why}"') for key, why in unsound.items()}
        parts += [_literal(f"{name}: dict[str, float]", memory)]
        parts += [_literal(f"{name}_UNSOUND: dict[str, str]", whys)]
    return "\n".join(parts) + "\n"


def main() -> None:
    """Write the module anew."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        OUT.write_text(text(), encoding="utf-8")


def _literal(name: str, values: Mapping[str, Any]) -> str:
    lines = [f'    "{key}": {value},' for key, value in values.items()]
    return "\n".join([f"{name} = {{", *lines, "}"])


def _is_window(name: str, value: Any) -> bool:
    is_whole = isinstance(value, int) and not isinstance(value, bool) and value > 1
    return is_whole and any(part in name for part in ("period", "length", "window", "fast", "slow"))


HEAD = f'''# ruff: noqa: E501
"""
What indicators by name remember, and which are of no use; made by `python -m tools.memory`.

Candles before a value no longer depends on where they begin, in multiples of TA-Lib's own
look-back, or of all windows of `technical` together; 1 where it is not listed. Of an indicator that
is not sound, or of one output of it ('name.output'), nothing is given.
"""

PEEKS = "{PEEKS}"
ENDLESS = "{ENDLESS}"
'''


if __name__ == "__main__":
    main()
