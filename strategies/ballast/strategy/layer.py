"""The layer: Freqtrade's entry points, between a strategy's own class and what it derives from.

In the order of resolution stand the user's class, `Layer`, the strategy that states signals, and
`IStrategy`: the layer asks what stands behind it through `super()`. What that strategy decides is a
proposal, a cap, or an exit; what the layer decides is in `ballast.strategy.decisions`.
"""

import math
import time
from copy import deepcopy
from datetime import datetime
from typing import Any, ClassVar

from freqtrade.enums import ExitCheckTuple, ExitType
from freqtrade.persistence import LocalTrade, Order, Trade
from freqtrade.strategy import IStrategy

from ballast.core.reasons import Reason
from ballast.core.refusals import EntryRefused, refused
from ballast.core.sizing import NO_TRADE
from ballast.risk.read_once import read_once
from ballast.strategy import quiet, trade_stops
from ballast.strategy.decisions import EntryOrder
from ballast.strategy.fail_closed import asked_with_the_trade, fail_closed
from ballast.strategy.held_callbacks import HeldCallbacks
from ballast.strategy.held_values import HeldValues
from ballast.strategy.overrides import OverrideRefused
from ballast.strategy.state import LayerState

# Freqtrade's own limit says nothing: it stands behind the pre-trade checks', which does.
_SAYS_WHY_S = 60
# What the layer sets at every candle it need not ask itself about.
_set = object.__setattr__


class Layer(IStrategy):
    """Entry points of Freqtrade, for whatever strategy stands behind it."""

    __module__ = "ballast.strategy.layer"  # see `strategy/__init__.py`

    # Callbacks that the strategy behind the layer has of its own.
    _theirs: ClassVar[frozenset[str]] = frozenset()
    # What a strategy does where a callback is not its own.
    _instead: ClassVar[str] = "state entry_rules, exit_rules and stops instead"

    _ballast: LayerState
    order_types: dict[str, Any]
    stoploss: float
    use_custom_stoploss: bool

    def __init__(self, config: dict[str, Any]) -> None:
        self._ballast = LayerState(self, config)
        super().__init__(config)
        # Where it is not set (it is copied into the configuration), Freqtrade neither asks for the
        # stop right after a fill nor moves the one on the exchange.
        self._ballast.own_custom_stop = self.use_custom_stoploss
        self.use_custom_stoploss = True
        # Freqtrade's backtest takes the stop off the exchange in here, for every strategy to come.
        self.order_types = dict(self.order_types)
        limit = self._ballast.settings.gate.signal_age_s + _SAYS_WHY_S
        self.ignore_buying_expired_candle_after = math.ceil(limit)
        self._ballast.check_protections()

    def __setattr__(self, name: str, value: Any) -> None:
        """Set what a strategy keeps on itself; once it runs, nothing that the layer answers for."""
        state = vars(self).get("_ballast")
        if state is not None and state.held is not None:
            state.held.refuse(name)
        super().__setattr__(name, value)

    @classmethod
    def layer_option(cls, name: str, default: Any) -> Any:
        """What the user's class says to the layer; a strategy behind it may mean another thing."""
        for base in cls.__mro__[: cls.__mro__.index(Layer)]:
            if name in vars(base):
                return vars(base)[name]
        return default

    @property
    def protections(self) -> list[dict[str, Any]]:
        """Freqtrade's protections: the guards, the strategy's own and those of the settings."""
        return self._ballast.protections()

    def _ballast_own_protections(self) -> list[dict[str, Any]]:
        """Protections of the strategy behind the layer, where it has any."""
        return []

    def _behind(self) -> Any:
        """What stands behind the layer."""
        return super()

    def version(self) -> str:
        """Version of the pack, of the settings that decide, and which guards are off."""
        return self._ballast.version()

    def ft_bot_start(self, **kwargs: Any) -> None:
        """Start the strategy, then hold what it has left and connect the session."""
        super().ft_bot_start(**kwargs)
        self._hold_attributes()
        state = self._ballast
        state.warmup = self._asked_warm_up()
        state.decisions.connect()
        state.held = HeldCallbacks(self, self._instead)
        if state.decisions.connected.feeds.live:
            state.values = HeldValues(self)

    def _ballast_hold_callbacks(self) -> None:
        """Take off callbacks that were hung on since the start; nothing is bought from then on."""
        state = self._ballast
        try:
            if state.held is not None:
                state.held.take_off()
        except OverrideRefused as refusal:
            state.decisions.connected.execution.checks.spoiled = "its callbacks were changed"
            state.incident("callbacks", refusal)

    def _asked_warm_up(self) -> int:
        """Candles before the first signal, of the strategy as it will trade."""
        return self.startup_candle_count

    def _hold_attributes(self) -> None:
        """Put back what the layer needs; hyperopt may set attributes anew at every epoch."""
        if (values := self._ballast.values) is not None:
            try:
                values.put_back()
            except OverrideRefused as refusal:
                self._ballast.incident("attributes", refusal)

    def _ballast_hold_stops(self) -> None:
        """Live: raise stops again that were lowered on the trades themselves."""
        if (values := self._ballast.values) is not None:
            try:
                values.put_back_stops(read_once(Trade.get_open_trades))
            except Exception as error:
                self._ballast.incident("stops", error)

    def ft_bot_cleanup(self) -> None:
        """The last look at orders and positions, while the exchange can still be asked."""
        self._ballast.decisions.last_look()
        super().ft_bot_cleanup()

    def informative_pairs(self) -> list[Any]:
        """Frames beside the pairs' own: theirs, the market's and, on fine timeframes, hourly."""
        session = self._ballast.decisions.session
        return [*super().informative_pairs(), *(session.feeds.wanted() if session else [])]

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Let guards and watches look first; then the strategy, whose failure is told."""
        self._hold_attributes()
        self._ballast.decisions.on_loop(current_time)
        if "bot_loop_start" in self._theirs:
            try:
                super().bot_loop_start(current_time=current_time, **kwargs)
            except Exception as error:
                self._ballast.incident("bot_loop_start", error)
            self._hold_attributes()
            self._ballast_hold_callbacks()
        held = self._ballast.held
        # A look that costs a backtest next to nothing; live `analyze` looks at all at once.
        if held is not None and (
            len(self.__dict__) != held.size or len(type(self).__dict__) != held.size_of_class
        ):
            self._ballast_hold_callbacks()
        self._ballast_hold_stops()

    def analyze(self, pairs: list[str]) -> None:
        """Live: analyse, then let the guards judge the new candle."""
        began = time.perf_counter()
        super().analyze(pairs)
        self._hold_attributes()
        self._ballast_hold_stops()
        self._ballast_hold_callbacks()
        self._ballast.decisions.on_analysed(pairs, began)

    @fail_closed(refusal=NO_TRADE)
    def custom_stake_amount(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_stake: float,
        min_stake: float | None,
        max_stake: float,
        leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """Stake by risk at the stop, at most theirs; 0 refuses (see `Decisions.stake`)."""
        limits = {
            "min_stake": min_stake or 0.0,
            "max_stake": max_stake,
            "proposed_stake": proposed_stake,
        }
        if "custom_stake_amount" in self._theirs:
            theirs = super().custom_stake_amount(
                pair=pair,
                current_time=current_time,
                current_rate=current_rate,
                proposed_stake=proposed_stake,
                min_stake=min_stake,
                max_stake=max_stake,
                leverage=leverage,
                entry_tag=entry_tag,
                side=side,
                **kwargs,
            )
            if not theirs or not theirs > 0:
                refusal = refused(Reason.STRATEGY_STAKE, theirs or 0.0, min_stake or 0.0)
                self._ballast.decisions.tell(pair, current_time, refusal)
                return NO_TRADE
            limits["user_stake"] = theirs
        return self._ballast.decisions.stake(pair, current_time, current_rate, entry_tag, limits)

    @fail_closed(refusal=False)
    def confirm_trade_entry(
        self,
        pair: str,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        current_time: datetime,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> bool:
        """The layer's last checks, then theirs, which may refuse and never force."""
        decisions, order = self._ballast.decisions, EntryOrder(pair, amount, rate, entry_tag)
        self._ballast_hold_callbacks()
        try:
            decisions.check_entry(order, current_time)
            if "confirm_trade_entry" in self._theirs and not super().confirm_trade_entry(
                pair=pair,
                order_type=order_type,
                amount=amount,
                rate=rate,
                time_in_force=time_in_force,
                current_time=current_time,
                entry_tag=entry_tag,
                side=side,
                **kwargs,
            ):
                raise refused(Reason.STRATEGY_REFUSED, 0, 1, "confirm_trade_entry")
        except EntryRefused as refusal:
            decisions.tell(pair, current_time, refusal)
            return False
        decisions.entry_sent(order, current_time)
        return True

    @asked_with_the_trade
    def order_filled(
        self, pair: str, trade: LocalTrade, order: Order, current_time: datetime, **kwargs: Any
    ) -> None:
        """Start the plan, charge the costs, tell; then theirs, whose failure is told."""
        self._ballast.decisions.filled(trade, order, current_time)
        if "order_filled" in self._theirs:
            try:
                super().order_filled(
                    pair=pair,
                    trade=deepcopy(trade),
                    order=order,
                    current_time=current_time,
                    **kwargs,
                )
            except Exception as error:
                self._ballast.incident("order_filled", error)

    def ft_stoploss_adjust(
        self,
        current_rate: float,
        trade: LocalTrade,
        current_time: datetime,
        current_profit: float,
        force_stoploss: float,
        low: float | None = None,
        high: float | None = None,
        bound_profit: float | None = None,
        after_fill: bool = False,
    ) -> None:
        """
        The highest of the present stop, theirs (class stop, trailing, own) and the plan's; after a
        fill it is placed at once.
        """
        before = trade.stop_loss, trade.stop_loss_pct
        # As Freqtrade has it: on a candle that reaches the stop, the stop does not move.
        moves = (before[0] or 0.0) < (low or current_rate)
        _set(self, "use_custom_stoploss", self._ballast.own_custom_stop)
        try:
            super().ft_stoploss_adjust(
                current_rate,
                trade,
                current_time,
                current_profit,
                force_stoploss or self._ballast.own_stoploss or 0.0,
                low,
                high,
                bound_profit,
                after_fill,
            )
        except Exception as error:
            self._ballast.incident("ft_stoploss_adjust", error)
        finally:
            _set(self, "use_custom_stoploss", True)
        if before[0] and trade.stop_loss < before[0]:
            self._keep_higher(trade, *before)
        if 0 < (before[0] or 0.0) < trade.stop_loss:
            self._ballast.decisions.raised_by_strategy(trade, before[0], current_time)
        if moves:
            stop = self._ballast.decisions.stop(trade, current_time)
            trade_stops.raise_to(trade, stop, high or current_rate, after_fill)
        if self._ballast.values is not None:
            self._ballast.values.note_stop(trade)
        if after_fill:
            self._ballast.decisions.after_fill(trade, current_rate, current_time)

    def _keep_higher(self, trade: LocalTrade, stop: float, ratio: float | None) -> None:
        """Put the stop back where theirs has widened it: at a fill Freqtrade lets it."""
        trade.stop_loss, trade.stop_loss_pct = stop, ratio

    def should_exit(
        self,
        trade: LocalTrade,
        rate: float,
        current_time: datetime,
        *,
        enter: bool,
        exit_: bool,
        low: float | None = None,
        high: float | None = None,
        force_stoploss: float = 0,
    ) -> list[ExitCheckTuple]:
        """Theirs, and before them the layer's own reason to leave, whatever theirs say."""
        exits: list[ExitCheckTuple] = []
        leaving = self._ballast.leaving
        try:
            if not exit_ and quiet.passes(self, trade, rate, current_time, low, high):
                leaving.pop(trade.id, None)
                return exits
            exits = self._ballast_their_exits(
                trade,
                rate,
                current_time,
                enter=enter,
                exit_=exit_,
                low=low,
                high=high,
                force_stoploss=force_stoploss,
            )
        except Exception as error:
            self._ballast.incident("should_exit", error)
        reason = self._ballast.decisions.reason_to_leave(trade, rate, current_time)
        if reason is None:
            leaving.pop(trade.id, None)
        else:
            leaving[trade.id] = reason
            exits = [ExitCheckTuple(exit_type=ExitType.CUSTOM_EXIT, exit_reason=reason), *exits]
        return self._ballast_tried(exits, trade, rate, current_time) if exits else exits

    def _ballast_tried(
        self, exits: list[ExitCheckTuple], trade: LocalTrade, rate: float, now: datetime
    ) -> list[ExitCheckTuple]:
        """Of the exits found, those that are tried now: all."""
        return exits

    def _ballast_their_exits(self, *asked: Any, **named: Any) -> list[ExitCheckTuple]:
        return super().should_exit(*asked, **named)

    def ft_check_timed_out(self, trade: LocalTrade, order: Order, current_time: datetime) -> bool:
        """Whether an open order is cancelled: by theirs, or by the layer."""
        decisions = self._ballast.decisions
        theirs = super().ft_check_timed_out(trade, order, current_time)
        if order.ft_order_side == trade.entry_side:
            return decisions.gives_up_entry(trade, order, current_time) or theirs
        return decisions.gives_up_exit(order, current_time) or theirs

    @fail_closed(refusal=None)
    def adjust_order_price(
        self,
        trade: LocalTrade,
        order: Order | None,
        pair: str,
        current_time: datetime,
        proposed_rate: float,
        current_order_rate: float,
        entry_tag: str | None,
        side: str,
        is_entry: bool,
        **kwargs: Any,
    ) -> float | None:
        """
        New limit of an order that is open at a new candle; None gives it up.

        Entries follow the market within bounds (see `OpenEntries.follow`). An exit is given a limit
        by a person alone (`/forceexit`): it is left as it is.
        """
        if not is_entry or order is None:
            return current_order_rate
        return self._ballast.decisions.followed(
            trade, order, proposed_rate, current_order_rate, current_time, entry_tag
        )
