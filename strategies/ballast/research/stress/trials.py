"""Trials of parameters: a strategy with each of its hyperopt parameters a quarter away."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from freqtrade.enums import RunMode
from freqtrade.exceptions import FreqtradeException
from freqtrade.resolvers import StrategyResolver
from freqtrade.strategy.hyper import detect_all_parameters

from ballast.research.backtests import TaskError

_FACTORS = (0.75, 1.25)


def moved_by_a_quarter(
    strategy: str, strategy_path: str, config: Mapping[str, Any]
) -> list[dict[str, float]]:
    """
    One trial for each parameter and direction; whole numbers stay whole and move by at least one.

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
    spaces = detect_all_parameters(type(loaded)).values()
    return [
        {name: _moved(parameter.value, factor)}
        for space in spaces
        for name, parameter in space.items()
        for factor in _FACTORS
    ]


def _moved(value: float, factor: float) -> float:
    if isinstance(value, int):
        return value + (round(value * (factor - 1)) or (1 if factor > 1 else -1))
    return value * factor
