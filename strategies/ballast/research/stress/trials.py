"""Trials of a strategy: each of its values a quarter away, one at a time."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from freqtrade.enums import RunMode
from freqtrade.exceptions import FreqtradeException
from freqtrade.resolvers import StrategyResolver
from freqtrade.strategy import IStrategy
from freqtrade.strategy.hyper import detect_all_parameters

from ballast.core import uptrend
from ballast.research.backtests import TaskError
from ballast.research.changes import SETTING, STOP, WINDOW, scaled_window
from ballast.strategy.guarded import GuardedStrategy
from ballast.strategy.layer import Layer

OWN, WIDE = KINDS = ("own", "wide")
_FACTORS = (0.75, 1.25)
# Settings that decide how much is at risk and when trading pauses.
_SETTINGS = (
    "risk.per_trade_pct",
    "risk.position_cap_pct",
    "risk.daily_volatility_pct",
    "guards.PortfolioHeat.limit_pct",
    "guards.PortfolioHeat.cluster_pct",
    "guards.MarketShockHalt.leader_fall_pct",
    "guards.DailyLossLimit.reducing_pct",
)
_WINDOWS = ("SLOW", "FAST", "MOMENTUM")


def moved_by_a_quarter(
    strategy: str, strategy_path: str, config: Mapping[str, Any], kind: str = OWN
) -> list[dict[str, Any]]:
    """
    Two trials for each value, a quarter less and a quarter more (see `research.changes`).

    Parameters
    ----------
    kind : str
        OWN for the hyperopt parameters; WIDE for the distances of the stops, the settings of the
        risk layer and the windows of the trend as well.

    Raises
    ------
    TaskError
        If there is no such strategy.
    """
    try:
        loaded = StrategyResolver.load_strategy(
            {
                **config,
                "strategy": strategy,
                "strategy_path": strategy_path,
                "user_data_dir": Path(strategy_path).parent,
                "runmode": RunMode.BACKTEST,
            }
        )
    except FreqtradeException as error:
        raise TaskError(str(error).splitlines()[0]) from None
    values = dict(_parameters(loaded))
    if kind == WIDE and isinstance(loaded, Layer):
        values |= _of_layer(loaded)
    return [{name: _moved(value, factor)} for name, value in values.items() for factor in _FACTORS]


def _parameters(strategy: IStrategy) -> Iterator[tuple[str, Any]]:
    # The strategy itself knows its parameters only once a run has started.
    for space in detect_all_parameters(type(strategy)).values():
        yield from ((name, parameter.value) for name, parameter in space.items())


def _of_layer(strategy: Layer) -> dict[str, Any]:
    """Settings; of a strategy that states rules, distances that its stops have, and windows."""
    settings = strategy._ballast.settings
    values: dict[str, Any] = {f"{SETTING}{name}": _setting(settings, name) for name in _SETTINGS}
    if not isinstance(strategy, GuardedStrategy):
        return values
    rules = [part.stops for part in getattr(strategy, "components", (type(strategy),))]
    fields = [field.name for field in dataclasses.fields(rules[0])]
    return {
        **{f"{STOP}{f}": "x1" for f in fields if any(getattr(rule, f) for rule in rules)},
        **values,
        **{f"{WINDOW}{name}": getattr(uptrend, name) for name in _WINDOWS},
    }


def _setting(section: Any, name: str) -> float:
    for part in name.split("."):
        section = getattr(section, part)
    return float(section)


def _moved(value: Any, factor: float) -> Any:
    """Whole numbers stay whole and move by at least one; windows stay windows."""
    if value == "x1":
        return f"x{factor:g}"
    if isinstance(value, str):
        return scaled_window(value, factor)
    if isinstance(value, int):
        return value + (round(value * (factor - 1)) or (1 if factor > 1 else -1))
    return value * factor
