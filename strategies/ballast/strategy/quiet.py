"""Candles of a backtest on which Freqtrade's own look at exits can find nothing.

It works the profit of a position out twice, in decimal arithmetic, before it looks at anything:
most of what an open position costs. Where no signal leaves, the low stays above the stop and the
high below what raises a trailing stop or reaches a profit target, the answer is known without.
"""

import math
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from freqtrade.persistence import LocalTrade

from ballast.core.guard_set import NEVER, GuardSet
from ballast.risk.stop_plans import ManagedStop
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
# What profit targets and trailing stops follow from.
_stated = attrgetter(
    "minimal_roi",
    "stoploss",
    "trailing_stop",
    "trailing_stop_positive",
    "trailing_stop_positive_offset",
    "trailing_only_offset_is_reached",
    "use_custom_roi",
)
# Freqtrade rounds profits to eight digits.
_ROUNDING = 1e-7


class Target(NamedTuple):
    """Price (quote currency) at which the present profit target is reached, and until when."""

    price: float
    until: datetime


class Bounds(NamedTuple):
    """
    Where a position was found quiet: as long as nothing of this changes, it is.

    Parameters
    ----------
    stop, stop_loss : float
        The plan's stop and Freqtrade's, quote currency: lows are above both.
    ceiling : float
        Highs are below it, quote currency.
    target : Target
    until : datetime
        When another profit target holds, or the position's time is up.
    stated : tuple
        What the strategy says of targets and trailing stops.
    """

    trade: LocalTrade
    managed: ManagedStop
    guards: GuardSet
    stop: float
    stop_loss: float
    amount: float
    ceiling: float
    target: Target
    until: datetime
    stated: tuple[Any, ...]

    def keeps_target(self, strategy: Any, trade: LocalTrade, now: datetime) -> bool:
        """Whether the profit target is still the same."""
        return (
            self.trade is trade
            and now < self.target.until
            and trade.amount == self.amount
            and _stated(strategy) == self.stated
        )

    def holds(
        self, strategy: Any, trade: LocalTrade, now: datetime, low: float, high: float
    ) -> bool:
        """Whether a candle lies within, to which the plan has been advanced."""
        managed, plan = self.managed, self.managed.plan
        return (
            self.trade is trade
            and self.stop < low
            and self.stop_loss < low
            and high < self.ceiling
            and now < self.until
            and managed.asked == now
            and plan.stop == self.stop
            and not plan.closed_below
            and trade.stop_loss == self.stop_loss
            and trade.amount == self.amount
            and self.guards.flattens is None
            and _stated(strategy) == self.stated
        )


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
    if not low or not high:
        return False
    known = state.bounds.get(trade.id)
    if known is not None and known.holds(strategy, trade, now, low, high):
        trade.adjust_min_max_rates(high, low)
        return True
    state.bounds.pop(trade.id, None)
    if not ASKED.isdisjoint(strategy._theirs) or state.own_custom_stop or strategy.use_custom_roi:
        return False
    stop = state.decisions.staying(trade, rate, now)
    if stop is None or not (0 < (trade.stop_loss or 0.0) < low and stop < low):
        return False
    is_same = known is not None and known.keeps_target(strategy, trade, now)
    target = known.target if known is not None and is_same else target_of(strategy, trade, now)
    price = ceiling(strategy, trade, target, state.own_stoploss)
    if high >= price:
        return False
    trade.adjust_min_max_rates(high, low)
    before = trade.stop_loss
    trade_stops.raise_to(trade, stop, high, after_fill=False)
    # It is rounded up to the exchange's steps.
    if trade.stop_loss >= low:
        return False
    if known is not None and known.trade is trade:
        managed = known.managed
    else:
        managed = state.decisions.steady(trade)
    if managed is not None:
        if trade.stop_loss != before:
            # A trailing stop begins elsewhere now.
            price = ceiling(strategy, trade, target, state.own_stoploss)
        # Targets may be changed in place.
        targets, *rest = _stated(strategy)
        state.bounds[trade.id] = Bounds(
            trade,
            managed,
            state.decisions.connected.engine.guard_set,
            stop,
            trade.stop_loss,
            trade.amount,
            price,
            target,
            min(target.until, managed.time_is_up or NEVER),
            (dict(targets), *rest),
        )
    return True


def ceiling(strategy: Any, trade: LocalTrade, target: Target, own_stoploss: float | None) -> float:
    """
    Price (quote currency) below which a profit target is not reached and no trailing stop raised.

    `own_stoploss` is the trailing stop's distance where it stands for the class stop (negative
    ratio).
    """
    if not strategy.trailing_stop:
        return target.price
    return min(target.price, _trail(strategy, trade, own_stoploss))


def target_of(strategy: Any, trade: LocalTrade, now: datetime) -> Target:
    """The profit target that holds by now."""
    targets: dict[int, float] = strategy.minimal_roi
    if not targets:
        return Target(math.inf, NEVER)
    opened = trade.open_date_utc
    held = int((now.timestamp() - opened.timestamp()) // 60)
    _, target = strategy.min_roi_reached_entry(trade, held, now)
    later = min((minute for minute in targets if minute > held), default=None)
    until = NEVER if later is None else opened + timedelta(minutes=later)
    return Target(math.inf if target is None else price_at(trade, target), until)


def _trail(strategy: Any, trade: LocalTrade, own_stoploss: float | None) -> float:
    """Price from which the strategy's trailing stop may raise the stop."""
    distance = abs(own_stoploss or strategy.stoploss)
    # About at the offset or beyond it: whichever distance holds, it is not less than this.
    closest = min(distance, strategy.trailing_stop_positive or distance)
    offset = price_at(trade, strategy.trailing_stop_positive_offset)
    if not strategy.trailing_only_offset_is_reached:
        before = _raised_at(trade, distance)
        if before < offset:
            return before
    return max(offset, _raised_at(trade, closest))


def _raised_at(trade: LocalTrade, distance: float) -> float:
    """Price from which a stop that trails at a distance (ratio) is above the present one."""
    level = float(trade.stop_loss or 0.0) * (1 - _ROUNDING)
    return level / (1 - distance) if distance < 1 else math.inf


def price_at(trade: LocalTrade, profit: float) -> float:
    """Price at which a long position may have earned a profit (ratio), fees or none."""
    return trade.open_trade_value * (1 + profit - _ROUNDING) / trade.amount
