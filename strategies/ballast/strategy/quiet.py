"""Candles of a backtest on which Freqtrade's own look at exits can find nothing.

It works the profit of a position out twice, in decimal arithmetic, before it looks at anything:
most of what an open position costs. Where no signal leaves, the low stays above the stop and the
high below what raises a trailing stop or reaches a profit target, the answer is known without.
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
    strategy: Any,
    trade: LocalTrade,
    rate: float,
    now: datetime,
    low: float | None,
    high: float | None,
) -> bool:
    """
    Whether neither Freqtrade nor the layer would find an exit at a candle where no signal leaves;
    live (low and high are None) never.

    The candle is then done with: extremes are noted, and the stop is where the plan wants it.
    """
    state = strategy._ballast
    if not low or not high or not ASKED.isdisjoint(strategy._theirs):
        return False
    if state.own_custom_stop or strategy.use_custom_roi:
        return False
    stop = state.decisions.staying(trade, rate, now)
    if stop is None or not (0 < (trade.stop_loss or 0.0) < low and stop < low):
        return False
    if reaches_target(strategy, trade, high, now):
        return False
    if strategy.trailing_stop and trails(strategy, trade, high, state.own_stoploss):
        return False
    trade.adjust_min_max_rates(high, low)
    trade_stops.raise_to(trade, stop, high, after_fill=False)
    # It is rounded up to the exchange's steps.
    return trade.stop_loss < low


def reaches_target(strategy: Any, trade: LocalTrade, high: float, now: datetime) -> bool:
    """Whether a high may reach the profit target that holds by now."""
    targets: dict[int, float] = strategy.minimal_roi
    earned = most_earned(trade, high)
    # No target is lower than the least, found without asking Freqtrade which holds.
    if earned < min(targets.values(), default=math.inf):
        return False
    if len(targets) > 1:
        held = int((now.timestamp() - trade.open_date_utc.timestamp()) // 60)
        _, target = strategy.min_roi_reached_entry(trade, held, now)
        return target is not None and earned >= target
    return True


def trails(strategy: Any, trade: LocalTrade, high: float, own_stoploss: float | None) -> bool:
    """
    Whether the strategy's trailing stop may raise the stop at a high.

    `own_stoploss` is its distance where it stands for the class stop (negative ratio).
    """
    distance = abs(own_stoploss or strategy.stoploss)
    if most_earned(trade, high) >= strategy.trailing_stop_positive_offset:
        # About at the offset or beyond it: whichever distance holds, it is not less than this.
        distance = min(distance, strategy.trailing_stop_positive or distance)
    elif strategy.trailing_only_offset_is_reached:
        return False
    return high * (1 - distance) > trade.stop_loss * (1 - _ROUNDING)


def most_earned(trade: LocalTrade, high: float) -> float:
    """What a long position earns at a high (ratio) at most, fees or none."""
    return trade.amount * high / trade.open_trade_value - 1 + _ROUNDING
