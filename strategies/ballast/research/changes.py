"""What of a strategy can be changed for one backtest, by name.

=============================  =====================================================================
`channel_days`                 a hyperopt parameter
`stops.initial_atr`            a distance of the stops of every setup, as a factor: 'x0.75'
`uptrend.SLOW`                 a window that the trend strategies share, such as '15d'
`ballast.risk.per_trade_pct`   a setting of the risk layer
=============================  =====================================================================
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import copy, deepcopy
from typing import Any
from unittest.mock import patch

from freqtrade.strategy import IntParameter, IStrategy

from ballast.config import settings
from ballast.core import uptrend

SETTING, STOP, WINDOW = f"{settings.SECTION}.", "stops.", "uptrend."


def with_settings(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with the settings among some changes."""
    changed = deepcopy(dict(config))
    for name, value in changes.items():
        if name.startswith(SETTING):
            *path, last = name.split(".")
            section = changed
            for part in path:
                section = section.setdefault(part, {})
            section[last] = value
    return changed


@contextmanager
def applied(strategy: IStrategy, changes: Mapping[str, Any]) -> Iterator[None]:
    """Change a strategy in all but its settings until the block is left."""
    factors = {
        name.removeprefix(STOP): float(value.removeprefix("x"))
        for name, value in changes.items()
        if name.startswith(STOP)
    }
    with ExitStack() as stack:
        for name, value in changes.items():
            if name.startswith(WINDOW):
                stack.enter_context(patch.object(uptrend, name.removeprefix(WINDOW), value))
            elif not name.startswith((SETTING, STOP)):
                _set_parameter(strategy, name, value)
        if factors:
            strategy.setups = _with_stops(strategy.setups, factors)
        yield


def scaled_window(window: str, factor: float) -> str:
    """A length of time times a factor: '20d' and 0.75 give '15d'."""
    return f"{float(window[:-1]) * factor:g}{window[-1]}"


def _set_parameter(strategy: IStrategy, name: str, value: Any) -> None:
    """Parameters belong to the class, which later runs share: the strategy gets its own copy."""
    parameter = copy(getattr(strategy, name))
    parameter.value = int(value) if isinstance(parameter, IntParameter) else value
    setattr(strategy, name, parameter)


def _with_stops(
    setups: Callable[..., list[Any]], factors: Mapping[str, float]
) -> Callable[..., list[Any]]:
    def changed(*views: Any) -> list[Any]:
        return [dataclasses.replace(s, stops=_scaled(s.stops, factors)) for s in setups(*views)]

    return changed


def _scaled(rules: Any, factors: Mapping[str, float]) -> Any:
    """Stop rules with the distances scaled that they have; what is off stays off."""
    scaled = {
        name: scaled_window(value, factor) if isinstance(value, str) else value * factor
        for name, factor in factors.items()
        if (value := getattr(rules, name))
    }
    return dataclasses.replace(rules, **scaled)
