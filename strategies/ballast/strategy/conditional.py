"""Callbacks that the layer needs only where the strategy behind it has them.

`guarded` puts them into the class it makes: Freqtrade looks at what is overridden, refuses some
together, and asks others at every candle.
"""

import inspect
import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from freqtrade.strategy import IStrategy

from ballast.core.reasons import Reason
from ballast.core.refusals import EntryRefused, refused
from ballast.strategy.decisions import EntryOrder
from ballast.strategy.fail_closed import asked_with_the_trade, fail_closed

# Exits that are no wish of the strategy's: no veto of theirs holds there.
NO_VETO = frozenset(
    {
        "stop_loss",
        "trailing_stop_loss",
        "stoploss_on_exchange",
        "liquidation",
        "emergency_exit",
        "force_exit",
    }
)
# Asked as Freqtrade asks them; what fails is counted and told, and changes nothing. Under each name
# those of older interfaces that Freqtrade's own asks.
_COUNTED = {
    "custom_exit": ("custom_sell",),
    "custom_stoploss": (),
    "custom_roi": (),
    "check_entry_timeout": ("check_buy_timeout",),
    "check_exit_timeout": ("check_sell_timeout",),
}


@asked_with_the_trade
def confirm_trade_exit(self: Any, **asked: Any) -> bool:
    """
    Theirs may delay an exit of theirs: never a stop, and nothing that the layer leaves for. It is
    asked there as well, since it may count what it is asked.
    """
    trade, reason = asked["trade"], asked["exit_reason"]
    if self._ballast.agreed.pop(trade.id, None) == reason:
        return True
    binding = reason in NO_VETO or self._ballast.leaving.get(trade.id) == reason
    try:
        return bool(self._behind().confirm_trade_exit(**_copied(asked))) or binding
    except Exception as error:
        self._ballast.incident("confirm_trade_exit", error)
        return True


@asked_with_the_trade
def custom_entry_price(self: Any, **asked: Any) -> float:
    """Theirs, which the checks before the order judge; no higher than an addition was sized."""
    proposed, trade = float(asked["proposed_rate"]), asked["trade"]
    rate = proposed
    try:
        # What is no number would end Freqtrade.
        rate = float(self._behind().custom_entry_price(**_copied(asked)) or proposed)
    except Exception as error:
        self._ballast.incident("custom_entry_price", error)
    stake = self._ballast.additions.pop(trade.id, None) if trade is not None else None
    if stake is None:
        return rate
    rate = min(rate, proposed) if math.isfinite(rate) else proposed
    order = EntryOrder(trade.pair, stake / rate, rate, asked["entry_tag"])
    self._ballast.decisions.addition_sent(order, asked["current_time"])
    return rate


@fail_closed(refusal=None)
def adjust_entry_price(self: Any, **asked: Any) -> float | None:
    """Where theirs would move an entry order, within the bounds of the layer; None gives it up."""
    return _followed(self, "adjust_entry_price", asked)


@fail_closed(refusal=None)
def adjust_order_price(self: Any, **asked: Any) -> float | None:
    """The same under its newer name; an exit waits for no price, and stays as it is."""
    if not asked["is_entry"]:
        return float(asked["current_order_rate"])
    return _followed(self, "adjust_order_price", asked)


@fail_closed(refusal=None)
def adjust_trade_position(self: Any, **asked: Any) -> Any:
    """Reductions are theirs; an addition is sized so that the whole position keeps its budget."""
    answer = self._behind().adjust_trade_position(**_copied(asked))
    stake, tag = answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, "")
    stake = stake[0] if isinstance(stake, tuple) and stake else stake
    if not stake:
        return None
    given = _reduced(self, stake, asked) if stake < 0 else _added(self, stake, asked)
    return given, tag


def _reduced(strategy: Any, stake: float, asked: dict[str, Any]) -> float | None:
    # One that is refused has taken the stop off the exchange first, in every loop again.
    rate, now = asked["current_exit_rate"], asked["current_time"]
    given: float | None = strategy._ballast.decisions.reduction(
        asked["trade"], stake, rate, asked["min_stake"], now
    )
    return given


def _added(strategy: Any, stake: float, asked: dict[str, Any]) -> float | None:
    trade, now, state = asked["trade"], asked["current_time"], strategy._ballast
    if -1 < strategy.max_entry_position_adjustment < trade.nr_of_successful_entries:
        # Freqtrade drops it without a word.
        return None
    limits = {
        "min_stake": asked["min_stake"] or 0.0,
        "max_stake": asked["max_stake"],
        "user_stake": stake,
    }
    try:
        if trade.pair in state.unanalysed:
            raise refused(Reason.STRATEGY_FAILED, 1, 0, "its last candle could not be analysed")
        given: float = state.decisions.addition(trade, asked["current_entry_rate"], limits, now)
    except EntryRefused as refusal:
        # Theirs asks again at every candle, live in every loop.
        if (trade.id, refusal.verdict.code) not in state.told:
            state.told.add((trade.id, refusal.verdict.code))
            state.decisions.tell(trade.pair, now, refusal)
        return None
    state.additions[trade.id] = given
    return given


def needed_for(theirs: type[IStrategy]) -> dict[str, Callable[..., Any]]:
    """By name, the callbacks that a class under the layer needs because of what `theirs` has."""
    found: dict[str, Callable[..., Any]] = {
        name: _counted(theirs, name)
        for name, former in _COUNTED.items()
        if any(implements(theirs, one) for one in (name, *former))
    }
    for callback in (confirm_trade_exit, custom_entry_price, adjust_order_price):
        if implements(theirs, callback.__name__):
            found[callback.__name__] = callback
    if implements(theirs, "adjust_trade_position"):
        found["adjust_trade_position"] = adjust_trade_position
        # Here alone an addition is seen on its way to the exchange.
        found["custom_entry_price"] = custom_entry_price
    if implements(theirs, "adjust_entry_price") or implements(theirs, "adjust_exit_price"):
        # Freqtrade refuses both names together; its own `adjust_order_price` asks the older ones.
        found["adjust_order_price"] = IStrategy.adjust_order_price
        found["adjust_entry_price"] = adjust_entry_price
    return found


def implements(theirs: type[IStrategy], name: str) -> bool:
    """Whether a strategy class has a callback of its own."""
    return getattr(theirs, name) is not getattr(IStrategy, name)


def _counted(theirs: type[IStrategy], name: str) -> Callable[..., Any]:
    def ask(self: Any, **asked: Any) -> Any:
        try:
            return getattr(self._behind(), name)(**_copied(asked))
        except Exception as error:
            self._ballast.incident(name, error)
            return None

    ask.__name__ = name
    ask.__doc__ = f"`{name}` of theirs; what it raises is counted and told, and changes nothing."
    # Freqtrade reads in the argument names what theirs wants to be told.
    ask.__signature__ = inspect.signature(getattr(theirs, name))  # type: ignore[attr-defined]
    return asked_with_the_trade(ask)


def _followed(strategy: Any, name: str, asked: dict[str, Any]) -> float | None:
    current, order = asked["current_order_rate"], asked["order"]
    wanted: float | None = None
    try:
        wanted = getattr(strategy._behind(), name)(**_copied(asked))
    except Exception as error:
        strategy._ballast.incident(name, error)
    if wanted == current or order is None:
        return wanted
    now, tag = asked["current_time"], asked["entry_tag"]
    rate: float | None = strategy._ballast.decisions.followed(
        asked["trade"], order, wanted, current, now, tag
    )
    return rate


def _copied(asked: dict[str, Any]) -> dict[str, Any]:
    """What Freqtrade would have given them: a copy of the trade."""
    return {**asked, "trade": deepcopy(asked["trade"])}
