"""Exits of a strategy that knows nothing of the layer: whatever it does, its stop is looked at.

Live, theirs is asked whether it agrees to an exit before Freqtrade takes the stop off the exchange.
Freqtrade cancels the stop first and asks `confirm_trade_exit` then: an exit that theirs delays
would leave the position without a stop until the next loop, loop after loop.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

from freqtrade.enums import ExitCheckTuple, ExitType
from freqtrade.persistence import LocalTrade
from freqtrade.strategy import IStrategy

from ballast.strategy.conditional import NO_VETO, implements
from ballast.strategy.state import LayerState

_STOPS = (ExitType.STOP_LOSS, ExitType.TRAILING_STOP_LOSS, ExitType.LIQUIDATION)


class ForeignExits(IStrategy):
    """The part of the layer that stands between theirs and the way out."""

    __module__ = "ballast.strategy.foreign_exits"  # see `strategy/__init__.py`

    _own: ClassVar[type[IStrategy]]
    # Whether theirs looks for exits, or at the stop, in a way of its own.
    _own_way_out: ClassVar[bool] = False
    _ballast: LayerState

    def _ballast_tried(
        self, exits: list[ExitCheckTuple], trade: LocalTrade, rate: float, now: datetime
    ) -> list[ExitCheckTuple]:
        """As the layer has it; live, without those that theirs would delay."""
        live = self._ballast.decisions.connected.feeds.live and not trade.has_open_orders
        if live and implements(self._own, "confirm_trade_exit"):
            return list(self._ballast_agreed(exits, trade, rate, now))
        return exits

    def _ballast_their_exits(
        self, trade: LocalTrade, rate: float, now: datetime, **asked: Any
    ) -> list[ExitCheckTuple]:
        """Theirs, and the stop where a way of its own has not looked at it."""
        layer: Any = super()
        try:
            exits: list[ExitCheckTuple] = layer._ballast_their_exits(trade, rate, now, **asked)
        except Exception as error:
            # One of its own: Freqtrade's catches what it asks.
            self._ballast.incident("should_exit", error)
            return IStrategy.should_exit(self, trade, rate, now, **asked)
        if self._own_way_out and not any(check.exit_type in _STOPS for check in exits):
            low, high, profit = asked.get("low"), asked.get("high"), trade.calc_profit_ratio(rate)
            reached = IStrategy.ft_stoploss_reached(self, rate, trade, now, profit, 0, low, high)
            return [*exits, reached] if reached.exit_flag else exits
        return exits

    def _ballast_agreed(
        self, exits: Sequence[ExitCheckTuple], trade: LocalTrade, rate: float, now: datetime
    ) -> Iterator[ExitCheckTuple]:
        """
        The exits from the first on that nobody may delay, or to which theirs agrees.

        Freqtrade tries them in order until one is sent, and is told the same answer then.
        """
        state = self._ballast
        state.agreed.pop(trade.id, None)
        for number, check in enumerate(exits):
            reason = self._ballast_reason(trade, check)
            binding = reason in NO_VETO or state.leaving.get(trade.id) == reason
            if binding or self._ballast_agrees(trade, rate, reason, now):
                if not binding:
                    state.agreed[trade.id] = reason
                yield from exits[number:]
                return

    def _ballast_agrees(self, trade: LocalTrade, rate: float, reason: str, now: datetime) -> bool:
        """Asked as Freqtrade would."""
        return self.confirm_trade_exit(
            pair=trade.pair,
            trade=trade,
            order_type=self.order_types["exit"],
            amount=trade.amount,
            rate=rate,
            time_in_force=self.order_time_in_force["exit"],
            exit_reason=reason,
            sell_reason=reason,
            current_time=now,
        )

    def _ballast_reason(self, trade: LocalTrade, check: ExitCheckTuple) -> str:
        """What Freqtrade will call the exit."""
        tag: str | None = None
        if check.exit_type is ExitType.EXIT_SIGNAL:
            frame, _ = self.dp.get_analyzed_dataframe(trade.pair, self.timeframe)
            tag = self.get_exit_signal(trade.pair, self.timeframe, frame)[2]
        return tag or check.exit_reason
