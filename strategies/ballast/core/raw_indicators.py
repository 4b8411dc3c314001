"""What TA-Lib and `technical` have, and what they give for candles: names, arguments, arrays."""

import functools
import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import talib

from ballast.core.frames import PRICES, prices_of

Arrays = dict[str, np.ndarray]
PRICE_NAMES = tuple(PRICES[1:])
# Prices that are the mean of several.
MEANS = {
    "typical": ("high", "low", "close"),
    "median": ("high", "low"),
    "average": ("open", "high", "low", "close"),
}
# What TA-Lib calls an input that may be any price.
_PRICE = "price"
# Candles on which a call is tried.
_TRIED = 400
# Functions of `technical` about something else than candles.
_NO_INDICATORS = ("crossed", "numpy_", "nans", "session", "shift")
# Those that call candles a series, and the outputs of those that do not name them.
_OF_CANDLES = ("qtpylib.cci",)
_OUTPUTS = {"supertrend": ("supertrend", "direction")}
_TEXTS = {"up": 1.0, "down": -1.0}


def talib_function(name: str) -> Any:
    """TA-Lib's description of a function, which can be called."""
    # Only where one is asked for: it describes all two hundred as it is imported.
    from talib import abstract

    return abstract.Function(name)  # type: ignore[attr-defined]


@functools.cache
def talib_names() -> tuple[str, ...]:
    """All functions of TA-Lib."""
    return tuple(sorted(_listed()))


@functools.cache
def technical_functions() -> dict[str, Callable[..., Any]]:
    """All indicators of `technical`, by name."""
    # Only where one is asked for: the import gives every frame methods such as `rsi` and `macd`,
    # which hide columns of those names from a strategy of others that writes `dataframe.rsi`.
    import technical.candles
    import technical.indicators
    import technical.qtpylib
    import technical.trendline

    found: dict[str, Callable[..., Any]] = {}
    modules = (technical.indicators, technical.qtpylib, technical.candles, technical.trendline)
    for module in modules:
        prefix = "" if module is technical.indicators else f"{module.__name__.split('.')[-1]}."
        found |= {f"{prefix}{name}": function for name, function in _public(module)}
    return found


def technical_parameters(name: str) -> dict[str, Any]:
    """What an indicator of `technical` accepts, with defaults; the period where it has none."""
    _, *rest = inspect.signature(technical_functions()[name]).parameters.values()
    none = inspect.Parameter.empty
    # Of those without a default, all are windows.
    return {
        p.name: 20 if p.default is none else p.default
        for p in rest
        if p.name not in ("debug", "charts", "field", "colum_prefix")
    }


def price_of(frame: pd.DataFrame, price: str) -> pd.Series:
    """A column of candles, or one of `MEANS` of several."""
    return frame[list(MEANS[price])].mean(axis=1) if price in MEANS else frame[price]


def takes_a_price(name: str) -> bool:
    """Whether an indicator of `technical` is of one price, which can be another than the close."""
    return any(_technical_takes(name))


def reach(arguments: Mapping[str, Any]) -> int:
    """Candles that the windows among arguments span together."""
    whole = [v for v in arguments.values() if isinstance(v, int) and not isinstance(v, bool)]
    return max(1, sum(abs(value) for value in whole))


def talib_arrays(
    name: str, arguments: Mapping[str, Any], price: str, frame: pd.DataFrame
) -> Arrays:
    """What TA-Lib gives for a frame of prices."""
    inputs, outputs = _talib_columns(name)
    columns = [price_of(frame, price if column == _PRICE else column) for column in inputs]
    # Not through its description, which takes ten times as long to be called.
    result = getattr(talib, name)(*(c.to_numpy(dtype=float) for c in columns), **arguments)
    arrays = result if isinstance(result, list | tuple) else [result]
    return {
        output: np.asarray(values, dtype=float)
        for output, values in zip(outputs, arrays, strict=True)
    }


def technical_arrays(
    name: str, arguments: Mapping[str, Any], price: str, frame: pd.DataFrame
) -> Arrays:
    """What `technical` gives for a frame of prices; its columns, or the names of its series."""
    function = technical_functions()[name]
    candles = prices_of(frame).reset_index(drop=True)
    of_series, has_field = _technical_takes(name)
    field = {"field": price} if has_field else {}
    if price in MEANS:
        candles = candles.assign(**{price: price_of(candles, price)})
    result = function(candles[price] if of_series else candles, **arguments, **field)
    if isinstance(result, pd.DataFrame):
        result = {column: result[column] for column in result if column != "date"}
    elif not isinstance(result, dict):
        listed = result if isinstance(result, tuple) else (result,)
        names = _OUTPUTS.get(name) or [str(getattr(one, "name", None)) for one in listed]
        result = dict(zip(names if len(listed) > 1 else [name], listed, strict=True))
    return {str(output): _numbers(values) for output, values in result.items()}


@functools.cache
def _technical_takes(name: str) -> tuple[bool, bool]:
    """Whether an indicator is of a series, and whether it can be told of which column."""
    parameters = inspect.signature(technical_functions()[name]).parameters
    of_series = next(iter(parameters)) == "series" and name not in _OF_CANDLES
    return of_series, "field" in parameters


@functools.cache
def _talib_columns(name: str) -> tuple[list[str], list[str]]:
    """Columns that a function takes, in order (`_PRICE` where it may be any), and gives."""
    function = talib_function(name)
    taken: list[str] = []
    for key, columns in function.input_names.items():
        taken += [_PRICE if key == _PRICE else columns] if isinstance(columns, str) else columns
    return taken, list(function.output_names)


@functools.cache
def tried_candles() -> pd.DataFrame:
    """Candles of a random walk, on which a call shows whether its arguments are accepted."""
    random = np.random.default_rng(1)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, _TRIED)))
    opened = np.concatenate(([100.0], close[:-1]))
    span = random.uniform(0, 0.01, _TRIED)
    return pd.DataFrame(
        {
            "date": pd.date_range("2024-01-01", periods=_TRIED, freq="h", tz="UTC"),
            "open": opened,
            "high": np.maximum(opened, close) * (1 + span),
            "low": np.minimum(opened, close) * (1 - span[::-1]),
            "close": close,
            "volume": random.uniform(500, 1500, _TRIED),
        }
    )


def _listed() -> list[str]:
    return list(talib.get_functions())  # type: ignore[no-untyped-call]


def _public(module: ModuleType) -> list[tuple[str, Callable[..., Any]]]:
    found = inspect.getmembers(module, inspect.isfunction)
    return [pair for pair in found if not pair[0].startswith(("_", *_NO_INDICATORS))]


def _numbers(values: Any) -> np.ndarray:
    """Numbers of a series; what is no number is unknown."""
    given = np.asarray(values)
    if given.dtype.kind in "biuf":
        return given.astype(float)
    said = [_TEXTS.get(value, value) for value in given.tolist()]
    try:
        return np.array(said, dtype=float)
    except (TypeError, ValueError):
        return np.asarray(pd.to_numeric(pd.Series(said, dtype=object), errors="coerce"), float)
