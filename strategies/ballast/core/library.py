"""Every indicator of TA-Lib and of `technical`, by name, with its arguments checked.

An indicator is asked for by the name and with the arguments of its own documentation. How many
candles it needs before its value no longer depends on where they begin was measured by cutting
candles off (`python -m tools.memory`) and is kept in `memory`.
"""

import difflib
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ballast.core import memory
from ballast.core.raw_indicators import (
    MEANS,
    PRICE_NAMES,
    Arrays,
    reach,
    takes_a_price,
    talib_arrays,
    talib_function,
    talib_names,
    technical_arrays,
    technical_functions,
    technical_parameters,
    tried_candles,
)
from ballast.core.windows import candles as candles_in

# A number, a text such as 'sma', or a window as a length of time.
Argument = str | float
Named = tuple[tuple[str, Argument], ...]


@dataclass(frozen=True)
class Indicator:
    """
    One call of one indicator.

    Parameters
    ----------
    history : int
        Candles before its value no longer depends on where they begin.
    outputs : tuple of str
        What it gives, by name.
    compute : callable
        From a frame of prices to one array per output.
    """

    key: tuple[Any, ...]
    history: int
    outputs: tuple[str, ...]
    compute: Callable[[pd.DataFrame], Arrays]
    unsound: Mapping[str, str | None] = field(default_factory=dict)

    def output(self, wanted: str | None) -> str:
        """
        The output that is wanted; it may be left out where there is one.

        Raises
        ------
        ValueError
            Where it is not one of them, or not to be had.
        """
        call = f"pair.{self.key[0]}({self.key[1]!r})"
        if wanted is None and len(self.outputs) == 1:
            return self.outputs[0]
        if wanted not in self.outputs:
            said = f"has no output {wanted!r}" if wanted else "gives several"
            raise ValueError(f'{call} {said}: expected output="..." of {", ".join(self.outputs)}')
        if reason := self.unsound.get(wanted):
            raise ValueError(f"{call}, output {wanted}: {reason}")
        return wanted


def check_call(whose: str, name: object, arguments: Sequence[object]) -> None:
    """
    Refuse what is no call: calls are remembered by what they are made of.

    Raises
    ------
    ValueError
        Where the name is no text, or an argument neither a number nor a text.
    """
    call = f"pair.{whose}({name!r}): "
    if not isinstance(name, str):
        raise ValueError(f"{call}expected the name of an indicator first, such as 'RSI'")
    for value in arguments:
        if not isinstance(value, str | float | int | np.number | None):
            what = f"{type(value).__name__} {value!r}"
            hint = "; of a parameter it is .value" if hasattr(value, "value") else ""
            raise ValueError(f"{call}expected numbers, windows or texts, not {what}{hint}")


@functools.lru_cache(maxsize=1024)
def from_talib(
    name: str, given: tuple[Argument, ...], named: Named, price: str, timeframe: str
) -> Indicator:
    """
    An indicator of TA-Lib.

    Parameters
    ----------
    given, named : tuple
        Arguments in order, and by name as pairs.
    price : str
        Column that stands for the close.
    timeframe : str
        In whose candles windows of time are counted.

    Raises
    ------
    ValueError
        Where there is none of that name, or not with such arguments: one sentence that says what
        is accepted.
    """
    call = f"pair.ta({name!r}): "
    if name not in talib_names():
        raise ValueError(f"{call}{_unknown(name, talib_names(), 'TA-Lib')}")
    _refuse_unsound(call, memory.TALIB_UNSOUND.get(name))
    function = talib_function(name)
    accepted = dict(function.info["parameters"])
    arguments = _bound(call, name, accepted, given, dict(named), timeframe)
    inputs = dict(function.input_names)
    _refuse_price(call, price, usable="price" in inputs)
    if unknown := [column for column in _flat(inputs.values()) if column not in PRICE_NAMES]:
        raise ValueError(f"{call}it needs {unknown[0]}, which candles have not: use pair.apply")
    compute = functools.partial(talib_arrays, name, arguments, price)
    _try(call, compute, name, accepted)
    function.parameters = arguments
    history = math.ceil(memory.TALIB.get(name, 1) * (function.lookback + 1))
    key = ("ta", name, tuple(sorted(arguments.items())), price)
    return Indicator(key, history, tuple(function.output_names), compute)


@functools.lru_cache(maxsize=1024)
def from_technical(
    name: str, given: tuple[Argument, ...], named: Named, price: str, timeframe: str
) -> Indicator:
    """
    An indicator of `technical`, likewise; those of its modules beside `technical.indicators` with
    the module before the name, such as 'qtpylib.heikinashi'.
    """
    call = f"pair.technical({name!r}): "
    functions = technical_functions()
    if name not in functions:
        raise ValueError(f"{call}{_unknown(name, functions, 'technical')}")
    _refuse_unsound(call, memory.TECHNICAL_UNSOUND.get(name))
    accepted = technical_parameters(name)
    arguments = _bound(call, name, accepted, given, dict(named), timeframe)
    _refuse_price(call, price, usable=takes_a_price(name))
    compute = functools.partial(technical_arrays, name, arguments, price)
    tried = tried_candles()
    # Candles that are handed back are no output, but for those that it has changed.
    outputs = [
        output
        for output, values in _try(call, compute, name, accepted).items()
        if output not in MEANS
        and (output not in PRICE_NAMES or not np.array_equal(values, tried[output]))
    ]
    history = math.ceil(memory.TECHNICAL.get(name, 1) * reach(arguments))
    unsound = {output: memory.TECHNICAL_UNSOUND.get(f"{name}.{output}") for output in outputs}
    key = ("technical", name, tuple(sorted(arguments.items())), price)
    return Indicator(key, history, tuple(outputs), compute, unsound)


def _bound(
    call: str,
    name: str,
    accepted: Mapping[str, Any],
    given: Sequence[Argument],
    named: Mapping[str, Argument],
    timeframe: str,
) -> dict[str, Any]:
    """All arguments by name; lengths of time as candles."""
    what = _accepts(name, accepted)
    if len(given) > len(accepted):
        raise ValueError(f"{call}{len(given)} arguments; {what}")
    if unknown := [key for key in named if key not in accepted]:
        raise ValueError(f"{call}it has no {unknown[0]}; {what}")
    arguments = {**accepted, **dict(zip(accepted, given, strict=False)), **named}
    for key, value in arguments.items():
        default = accepted[key]
        if isinstance(default, str | None):
            continue
        if isinstance(value, str) and isinstance(default, int):
            value = _candles(call, key, value, timeframe)
        if isinstance(value, np.integer | np.floating):
            value = value.item()
        if isinstance(value, bool) != isinstance(default, bool) or not isinstance(
            value, int | float
        ):
            raise ValueError(f"{call}{key} is {value!r}; {what}")
        if isinstance(default, int) and default > 0 and value <= 0:
            raise ValueError(f"{call}{key} is {value!r}, expected more than 0; {what}")
        arguments[key] = value
    return arguments


def _candles(call: str, key: str, window: str, timeframe: str) -> int:
    try:
        return candles_in(window, timeframe)
    except ValueError as error:
        raise ValueError(f"{call}{key}: {error}") from None


def _try(
    call: str, compute: Callable[[pd.DataFrame], Arrays], name: str, accepted: Mapping[str, Any]
) -> Arrays:
    try:
        return compute(tried_candles())
    except Exception as error:
        text = str(error).split(": ")[-1]
        raise ValueError(f"{call}refused ({text}); {_accepts(name, accepted)}") from None


def _accepts(name: str, accepted: Mapping[str, Any]) -> str:
    listed = ", ".join(f"{key} ({value!r})" for key, value in accepted.items())
    return f"{name} accepts {listed}" if listed else f"{name} has no arguments"


def _unknown(name: str, names: Sequence[str] | Mapping[str, Any], whose: str) -> str:
    near = difflib.get_close_matches(name, list(names), n=3, cutoff=0.5)
    near = near or [one for one in names if one.lower() == name.lower()]
    hint = f"; nearest {'are' if len(near) > 1 else 'is'} {', '.join(near)}" if near else ""
    return f"{whose} has no such indicator{hint}"


def _refuse_unsound(call: str, reason: str | None) -> None:
    if reason:
        raise ValueError(f"{call}{reason}")


def _refuse_price(call: str, price: str, *, usable: bool) -> None:
    if price != "close" and not usable:
        raise ValueError(f"{call}price is {price!r}, but its prices are given")
    if price not in (known := (*PRICE_NAMES, *MEANS)):
        raise ValueError(f"{call}price is {price!r}; expected one of {', '.join(known)}")


def _flat(values: Any) -> list[str]:
    return [one for value in values for one in ([value] if isinstance(value, str) else value)]
