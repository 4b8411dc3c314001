"""Callbacks that the layer needs only where the strategy behind it has them.

`guarded` puts them into the class it makes: Freqtrade looks at what is overridden, refuses some
together, and asks others at every candle.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from freqtrade.strategy import IStrategy

from ballast.core.refusals import EntryRefused
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


@asked_with_the_trade
def confirm_trade_exit(self: Any, **asked: Any) -> bool:
    """
    Theirs may delay an exit of theirs: never a stop, and nothing that the layer leaves for. It is
    asked there as well, since it may count what it is asked.
    """
    trade, reason = asked["trade"], asked["exit_reason"]
    binding = reason in NO_VETO or self._ballast.leaving.get(trade.id) == reason
    try:
        return bool(self._behind().confirm_trade_exit(**_copied(asked))) or binding
    except Exception as error:
        self._ballast.incident("confirm_trade_exit", error)
        return True


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
    stake = answer[0] if isinstance(answer, tuple) else answer
    if not stake or stake < 0:
        return answer
    tag = answer[1] if isinstance(answer, tuple) and len(answer) > 1 else ""
    trade, now = asked["trade"], asked["current_time"]
    limits = {
        "min_stake": asked["min_stake"] or 0.0,
        "max_stake": asked["max_stake"],
        "user_stake": stake,
    }
    decisions = self._ballast.decisions
    try:
        return decisions.addition(trade, asked["current_entry_rate"], limits, now), tag
    except EntryRefused as refusal:
        decisions.tell(trade.pair, now, refusal)
        return None


def needed_for(theirs: type[IStrategy]) -> dict[str, Callable[..., Any]]:
    """By name, the callbacks that a class under the layer needs because of what `theirs` has."""
    found: dict[str, Callable[..., Any]] = {}
    for callback in (confirm_trade_exit, adjust_order_price, adjust_trade_position):
        if implements(theirs, callback.__name__):
            found[callback.__name__] = callback
    if implements(theirs, "adjust_entry_price") or implements(theirs, "adjust_exit_price"):
        # Freqtrade refuses both names together; its own `adjust_order_price` asks the older ones.
        found["adjust_order_price"] = IStrategy.adjust_order_price
        found["adjust_entry_price"] = adjust_entry_price
    return found


def implements(theirs: type[IStrategy], name: str) -> bool:
    """Whether a strategy class has a callback of its own."""
    return getattr(theirs, name) is not getattr(IStrategy, name)


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
