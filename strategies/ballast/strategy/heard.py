"""What of another's strategy is heard, and how: from what its class really has."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from freqtrade.strategy import IStrategy
from freqtrade.strategy.parameters import BaseParameter

from ballast.strategy.conditional import implements
from ballast.strategy.state import DISASTER_STOP, ORDER_TYPES, todays_order_types


class Hearing(StrEnum):
    """What becomes of something that a strategy states."""

    KEPT = "kept"
    CAPPED = "capped"
    REPLACED = "replaced"
    REFUSED = "refused"


@dataclass(frozen=True)
class Heard:
    """
    One thing that a strategy has.

    Parameters
    ----------
    what : str
        Its name.
    value : str
        What the strategy says, where that is a value.
    how : Hearing
    why : str
    """

    what: str
    value: str
    how: Hearing
    why: str


_KEPT, _CAPPED, _REPLACED, _REFUSED = Hearing
_COUNTED = "asked as ever; a failure is counted and told"
_BOUNDS = "within the bounds of the checks before an order"
_WAITS_FOR_NO_PRICE = "what leaves waits for no price: never asked"
_TIMED_OUT = "may cancel an order, beside the layer's own limit"
# Callbacks, in the order in which a trade meets them.
_CALLBACKS: tuple[tuple[str, Hearing, str], ...] = (
    ("bot_start", _KEPT, "asked as ever; where it fails the bot does not start"),
    ("bot_loop_start", _KEPT, _COUNTED),
    ("informative_pairs", _KEPT, "loaded beside those of the layer"),
    ("custom_stake_amount", _CAPPED, "the smaller of theirs and what the risk at the stop allows"),
    ("leverage", _REFUSED, "spot alone is traded: never asked"),
    ("custom_entry_price", _CAPPED, _BOUNDS),
    ("confirm_trade_entry", _KEPT, "may refuse an entry, never force one; a failure refuses"),
    ("adjust_order_price", _CAPPED, _BOUNDS),
    ("adjust_entry_price", _CAPPED, _BOUNDS),
    ("adjust_exit_price", _REPLACED, _WAITS_FOR_NO_PRICE),
    ("check_entry_timeout", _KEPT, _TIMED_OUT),
    ("check_exit_timeout", _KEPT, _TIMED_OUT),
    ("check_buy_timeout", _KEPT, _TIMED_OUT),
    ("check_sell_timeout", _KEPT, _TIMED_OUT),
    ("order_filled", _KEPT, _COUNTED),
    ("custom_stoploss", _CAPPED, "a proposal: the tighter of theirs and ours holds, none loosens"),
    ("custom_roi", _KEPT, "ends risk"),
    ("custom_exit", _KEPT, "ends risk"),
    ("custom_sell", _KEPT, "ends risk"),
    ("custom_exit_price", _REPLACED, _WAITS_FOR_NO_PRICE),
    ("confirm_trade_exit", _CAPPED, "may delay an exit of theirs; no stop, kill or exit of ours"),
)


def heard(strategy: Any, most_additions: int) -> list[Heard]:
    """
    All that a strategy under the layer has of its own, and what becomes of it.

    Parameters
    ----------
    strategy : ForeignLayer
        As Freqtrade has loaded it, with its parameters read and before the layer holds its values.
    most_additions : int
        What the settings allow to add to a position.
    """
    theirs: type[IStrategy] = strategy._own
    return [
        *_signals(strategy, theirs),
        *_stops(strategy),
        *_exits(strategy),
        *_orders(theirs),
        *_callbacks(theirs),
        *_additions(strategy, theirs, most_additions),
        *_rest(strategy, theirs),
    ]


def _signals(strategy: Any, theirs: type[IStrategy]) -> Iterator[Heard]:
    yield Heard("entry signals", "", _KEPT, "the layer decides how much, and may refuse")
    unheard = "" if strategy.use_exit_signal else "use_exit_signal is off"
    yield Heard("exit signals", unheard, _KEPT, "end risk")
    if strategy._ballast.shorts:
        yield Heard("short signals", "", _REFUSED, "spot alone is traded: not heard")
    number = len(strategy._ft_informative)
    if number:
        yield Heard("@informative", f"{number}", _KEPT, "loaded beside those of the layer")
    count, own = strategy.startup_candle_count, strategy._behind().startup_candle_count
    if count > own:
        why = f"{count}: what the layer needs; more history changes no rule"
        yield Heard("startup_candle_count", f"{own}", _REPLACED, why)
    if not theirs.process_only_new_candles:
        why = "True: decisions are made on closed candles"
        yield Heard("process_only_new_candles", "False", _REPLACED, why)


def _stops(strategy: Any) -> Iterator[Heard]:
    stop = f"{100 * strategy.stoploss:g} %"
    if strategy.stoploss < DISASTER_STOP:
        why = f"{100 * DISASTER_STOP:g} %, the disaster stop; above it stands the stop of the layer"
        yield Heard("stoploss", stop, _REPLACED, why)
    else:
        yield Heard("stoploss", stop, _CAPPED, "the tighter of theirs and ours holds")
    if strategy.trailing_stop:
        why = "a proposal: the tighter of theirs and ours holds, none loosens"
        yield Heard("trailing_stop", "", _CAPPED, why)


def _exits(strategy: Any) -> Iterator[Heard]:
    targets = ", ".join(f"{100 * each:g} %" for each in strategy.minimal_roi.values())
    yield Heard("minimal_roi", targets, _KEPT, "ends risk")


def _orders(theirs: type[IStrategy]) -> Iterator[Heard]:
    free = ("entry", "force_entry", "stoploss_on_exchange_interval")
    others = {
        name: value
        for name, value in todays_order_types(theirs.order_types).items()
        if name not in free and value != ORDER_TYPES.get(name, value)
    }
    if others:
        said = ", ".join(f"{name} {value}" for name, value in others.items())
        ours = ", ".join(f"{name} {ORDER_TYPES[name]}" for name in others)
        why = f"{ours}: the stop rests on the exchange, and what leaves waits for no price"
        yield Heard("order_types", said, _REPLACED, why)
    limit = theirs.ignore_buying_expired_candle_after
    if limit:
        why = "by `gate.signal_age_s`: an old signal is not bought"
        yield Heard("ignore_buying_expired_candle_after", f"{limit} s", _REPLACED, why)


def _callbacks(theirs: type[IStrategy]) -> Iterator[Heard]:
    for name, how, why in _CALLBACKS:
        if implements(theirs, name):
            yield Heard(name, "", how, why)


def _additions(strategy: Any, theirs: type[IStrategy], most: int) -> Iterator[Heard]:
    name = "adjust_trade_position"
    if not implements(theirs, name):
        return
    if not strategy.position_adjustment_enable:
        yield Heard(name, "position_adjustment_enable is off", _KEPT, "not asked, as ever")
        return
    yield Heard(f"{name}: reductions", "", _KEPT, "end risk; the stop is back in the same loop")
    if most:
        why = f"at most {most}, sized so that the whole position loses one trade's budget"
        yield Heard(f"{name}: additions", "", _CAPPED, why)
    else:
        why = "not without `ballast.additions.most`: averaging down adds to a loss"
        yield Heard(f"{name}: additions", "", _REFUSED, why)


def _rest(strategy: Any, theirs: type[IStrategy]) -> Iterator[Heard]:
    listed = strategy._behind().protections
    if listed:
        names = ", ".join(str(each.get("method")) for each in listed)
        yield Heard("protections", names, _KEPT, "asked at every candle, beside the guards")
    if theirs.plot_config or isinstance(theirs.__dict__.get("plot_config"), property):
        yield Heard("plot_config", "", _KEPT, "drawn beside the layer's")
    values = (getattr(theirs, name, None) for name in dir(theirs))
    count = sum(isinstance(value, BaseParameter) for value in values)
    if count:
        why = f"read from {type(strategy).__name__}.json, else from {theirs.__name__}.json"
        yield Heard("hyperopt parameters", f"{count}", _KEPT, why)
