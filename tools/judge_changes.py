"""What can be moved in a strategy to see whether its figures stand on it.

Four kinds: its hyperopt parameters, the distances of its stops, the settings of the risk layer and
the windows that the trend strategies share. A change is applied to one run and undone after it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from copy import copy, deepcopy
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from freqtrade.strategy import IntParameter, IStrategy
from freqtrade.strategy.hyper import detect_all_parameters

PARAMETER, STOP, SETTING, WINDOW = KINDS = ("parameter", "stop", "setting", "window")
# Settings that decide how much is at risk and when trading pauses.
RISK_SETTINGS = (
    "risk.per_trade_pct",
    "risk.position_cap_pct",
    "risk.daily_volatility_pct",
    "guards.PortfolioHeat.limit_pct",
    "guards.PortfolioHeat.cluster_pct",
    "guards.MarketShockHalt.leader_fall_pct",
    "guards.DailyLossLimit.reducing_pct",
)
SHARED_WINDOWS = ("SLOW", "FAST", "MOMENTUM")


@dataclass(frozen=True)
class Change:
    """
    One thing that differs in a run.

    Parameters
    ----------
    kind : str
        PARAMETER, STOP, SETTING or WINDOW.
    name : str
        Attribute of the strategy, field of its `StopRules`, dotted name below `ballast`, or
        constant of `ballast.core.uptrend`.
    value : float or str
        The value instead; for a stop the factor on the distance of every setup.
    """

    kind: str
    name: str
    value: float | str


@dataclass(frozen=True)
class Knob:
    """Something that can be moved, and the value that it has; a stop's is the factor 1."""

    kind: str
    name: str
    value: float | str

    def moved(self, factor: float) -> Change:
        """
        The change to `factor` times the value.

        Whole numbers stay whole and move by at least one; windows stay windows ('20d' to '15d').
        """
        if isinstance(self.value, str):
            return Change(self.kind, self.name, scaled_window(self.value, factor))
        if isinstance(self.value, int):
            step = round(self.value * (factor - 1)) or (1 if factor > 1 else -1)
            return Change(self.kind, self.name, self.value + step)
        return Change(self.kind, self.name, self.value * factor)


def knobs(strategy: IStrategy) -> list[Knob]:
    """
    Everything that can be moved in a strategy, in the order of the kinds.

    A strategy without the risk layer has its hyperopt parameters only.
    """
    # The strategy itself knows its parameters only once a run has started.
    spaces = detect_all_parameters(type(strategy)).values()
    found = [Knob(PARAMETER, name, p.value) for space in spaces for name, p in space.items()]
    settings = getattr(strategy, "settings", None)
    if settings is None:
        return found
    found += [Knob(STOP, name, 1.0) for name in _stop_fields(strategy)]
    found += [Knob(SETTING, name, _setting(settings, name)) for name in RISK_SETTINGS]
    return found + [Knob(WINDOW, name, getattr(_uptrend(), name)) for name in SHARED_WINDOWS]


def scaled_window(window: str, factor: float) -> str:
    """A length of time times a factor: '20d' and 0.75 give '15d'."""
    return f"{float(window[:-1]) * factor:g}{window[-1]}"


def merged_settings(config: dict[str, Any], changes: Sequence[Change]) -> dict[str, Any]:
    """A configuration with the changed settings in its `ballast` section."""
    config = {**config, "ballast": deepcopy(config.get("ballast", {}))}
    for change in changes:
        if change.kind == SETTING:
            *path, last = change.name.split(".")
            section = config["ballast"]
            for name in path:
                section = section.setdefault(name, {})
            section[last] = change.value
    return config


@contextmanager
def apply(strategy: IStrategy, changes: Sequence[Change]) -> Iterator[None]:
    """
    Apply what is not a setting to a strategy; windows are put back afterwards.

    Parameters belong to the class, which later runs share: the strategy gets copies of its own.
    """
    stops = {change.name: float(change.value) for change in changes if change.kind == STOP}
    with ExitStack() as stack:
        for change in changes:
            if change.kind == PARAMETER:
                _set_parameter(strategy, change.name, change.value)
            elif change.kind == WINDOW:
                stack.enter_context(patch.object(_uptrend(), change.name, change.value))
        if stops:
            strategy.setups = _with_stops(strategy.setups, stops)
        yield


def _set_parameter(strategy: IStrategy, name: str, value: Any) -> None:
    parameter = copy(getattr(strategy, name))
    parameter.value = int(value) if isinstance(parameter, IntParameter) else value
    setattr(strategy, name, parameter)


def _with_stops(setups: Callable[..., list[Any]], factors: dict[str, float]) -> Callable[..., Any]:
    def changed(*views: Any) -> list[Any]:
        return [
            dataclasses.replace(setup, stops=_scaled(setup.stops, factors))
            for setup in setups(*views)
        ]

    return changed


def _scaled(rules: Any, factors: dict[str, float]) -> Any:
    """Stop rules with the distances that they have scaled; what is off stays off."""
    values = {name: getattr(rules, name) for name in factors}
    scaled = {
        name: scaled_window(value, factors[name])
        if isinstance(value, str)
        else value * factors[name]
        for name, value in values.items()
        if value
    }
    return dataclasses.replace(rules, **scaled)


def _stop_fields(strategy: IStrategy) -> list[str]:
    """Fields of the stop rules that some setup of the strategy has set."""
    classes = getattr(strategy, "components", (type(strategy),))
    rules = [component.stops for component in classes]
    names = [field.name for field in dataclasses.fields(rules[0])]
    return [name for name in names if any(getattr(rule, name) for rule in rules)]


def _setting(settings: Any, name: str) -> float:
    for part in name.split("."):
        settings = getattr(settings, part)
    return float(settings)


def _uptrend() -> Any:
    from ballast.core import uptrend

    return uptrend
