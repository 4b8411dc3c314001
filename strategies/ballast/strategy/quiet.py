"""Candles of a backtest on which Freqtrade's own look at exits can find nothing.

It works the profit of a position out twice, in decimal arithmetic, before it looks at anything:
most of what an open position costs. Where no signal leaves, the low stays above the stop and the
high below what profit targets and a trailing stop wait for, the answer is known without.
"""

import math
from datetime import datetime
from typing import Any

from freqtrade.persistence import LocalTrade

from ballast.strategy import trade_stops

# What Freqtrade asks there: a strategy with one of its own is asked at every candle.
ASKED = frozenset(
    {
        "should_exit",
        "ft_stoploss_reached",
        "ft_stoploss_adjust",
        "min_roi_reached",
        "min_roi_reached_entry",
        "custom_exit",
        "custom_sell",
    }
)
# Freqtrade rounds profits to eight digits.
_ROUNDING = 1e-7


def passes(
    strategy: Any, trade: LocalTrade, now: datetime, low: float | None, high: float | None
) -> bool:
    """
    Whether Freqtrade would find no exit at a candle where no signal leaves; live (None) never.

    The candle is then done with: extremes are noted, and the stop is where the plan wants it.
    """
    state = strategy._ballast
    if not low or not high or not ASKED.isdisjoint(strategy._theirs):
        return False
    if not earns_less(trade, high, least_awaited(strategy, state.own_custom_stop)) and (
        not earns_less(trade, high, awaited(strategy, trade, now, state.own_custom_stop))
    ):
        return False
    stop = state.decisions.stop(trade, now)
    if not (0 < (trade.stop_loss or 0.0) < low and stop < low):
        return False
    trade.adjust_min_max_rates(high, low)
    trade_stops.raise_to(trade, stop, high, after_fill=False)
    # It is rounded up to the exchange's steps.
    return trade.stop_loss < low


def least_awaited(strategy: Any, has_own_stop: bool) -> float:
    """No more than `awaited` says, at whatever time: found without asking Freqtrade."""
    if has_own_stop or strategy.use_custom_roi:
        return -math.inf
    least: float = min(strategy.minimal_roi.values(), default=math.inf)
    return _or_trailing(strategy, least)


def awaited(strategy: Any, trade: LocalTrade, now: datetime, has_own_stop: bool) -> float:
    """
    The least profit (ratio) that a target or trailing stop waits for; minus infinity where
    something looks at every candle.
    """
    if has_own_stop or strategy.use_custom_roi:
        return -math.inf
    return _or_trailing(strategy, _target(strategy, trade, now))


def _or_trailing(strategy: Any, target: float) -> float:
    if not strategy.trailing_stop:
        return target
    if not strategy.trailing_only_offset_is_reached:
        return -math.inf
    return min(target, strategy.trailing_stop_positive_offset)


def _target(strategy: Any, trade: LocalTrade, now: datetime) -> float:
    """The profit target (ratio) that holds by now."""
    targets: dict[int, float] = strategy.minimal_roi
    if len(targets) > 1:
        held = int((now.timestamp() - trade.open_date_utc.timestamp()) // 60)
        _, target = strategy.min_roi_reached_entry(trade, held, now)
        return math.inf if target is None else float(target)
    # One, whatever it waits for.
    return min(targets.values(), default=math.inf)


def earns_less(trade: LocalTrade, high: float, profit: float) -> bool:
    """Whether a long position earns less than a profit (ratio) up to a high, fees or none."""
    return trade.amount * high < trade.open_trade_value * (1 + profit - _ROUNDING)
