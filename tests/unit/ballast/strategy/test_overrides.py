"""Nothing stands before the risk layer where Freqtrade asks: no method, no mixin, no attribute."""

from __future__ import annotations

from typing import Any

import pytest
from freqtrade.strategy import IntParameter, IStrategy

from ballast.strategy.guarded import GuardedStrategy
from ballast.strategy.overrides import OverrideRefused, overrides, refuse_overrides


class Veto:
    def confirm_trade_exit(self, *args: Any, **kwargs: Any) -> bool:
        return False


def answer(self: Any, *args: Any, **kwargs: Any) -> None:
    """Whatever is asked."""


CALLS = [
    *("custom_stoploss", "confirm_trade_entry", "bot_loop_start", "custom_stake_amount"),
    *("confirm_trade_exit", "should_exit", "ft_stoploss_adjust", "ft_stoploss_reached", "leverage"),
    *("min_roi_reached", "adjust_trade_position", "custom_exit_price", "custom_entry_price"),
    *("ft_bot_start", "bot_start", "informative_pairs", "advise_entry", "populate_entry_trend"),
    *("startup_candle_count", "lock_pair", "is_pair_locked", "ft_load_hyper_params", "analyze"),
    *("__getattribute__", "__init_subclass__", "__getstate__", "_behind", "setup", "_keep_higher"),
]


@pytest.mark.parametrize("name", CALLS)
def test_a_strategy_cannot_redefine_what_freqtrade_asks(name: str) -> None:
    with pytest.raises(TypeError, match=f"Own redefines .*{name}"):
        type("Own", (GuardedStrategy,), {name: answer, "__module__": "Own"})


@pytest.mark.parametrize("name", CALLS)
def test_a_mixin_cannot_either(name: str) -> None:
    mixin = type("Mixin", (), {name: answer, "__module__": "mixins"})
    with pytest.raises(OverrideRefused, match=f"Mixin redefines .*{name}"):
        # The last is a mixin that looks at new classes in the layer's place: start refuses it.
        refuse_overrides(type("Own", (mixin, GuardedStrategy), {"__module__": "Own"}))


def test_not_even_by_a_plain_value() -> None:
    with pytest.raises(OverrideRefused, match="Own redefines custom_exit"):
        type("Own", (GuardedStrategy,), {"custom_exit": None, "__module__": "Own"})


def test_a_class_behind_the_layer_does_not_answer_in_freqtrades_place() -> None:
    class Behind(IStrategy):
        def leverage(self, *args: Any, **kwargs: Any) -> float:
            return 5.0

    with pytest.raises(OverrideRefused, match="Behind redefines leverage"):
        type("Own", (GuardedStrategy, Behind), {"__module__": "Own"})


def test_what_a_strategy_states_is_its_own() -> None:
    class Helper:
        def floor(self) -> int:
            return 1

        def exit_rules(self, pair: Any, market: Any) -> dict[str, Any]:
            return {}

    class Own(Helper, GuardedStrategy):
        timeframe = "5m"
        size = 0.5
        days = IntParameter(1, 9, default=3, space="buy")

        def __init__(self, config: dict[str, Any]) -> None:
            super().__init__(config)

        def entry_rules(self, pair: Any, market: Any) -> dict[str, Any]:
            return {}

        def own_helper(self) -> int:
            return 2

    assert not list(overrides(Own, set()))


def test_a_class_that_is_filled_after_it_was_made_is_refused_at_start() -> None:
    """So does a pickle: it makes the class empty, which is when classes are looked at first."""
    own = type("Own", (GuardedStrategy,), {"timeframe": "1h", "__module__": "Own"})
    refuse_overrides(own)
    own.confirm_trade_exit = Veto.confirm_trade_exit  # type: ignore[attr-defined]
    with pytest.raises(OverrideRefused, match="Own redefines confirm_trade_exit"):
        refuse_overrides(own)


def test_an_attribute_of_the_instance_is_refused_as_well() -> None:
    class Own(GuardedStrategy):
        timeframe = "1h"

    strategy = Own({"stake_currency": "USDT"})
    refuse_overrides(Own, tuple(vars(strategy)))
    strategy.__dict__["custom_stoploss"] = answer
    with pytest.raises(OverrideRefused, match="Own redefines custom_stoploss"):
        refuse_overrides(Own, tuple(vars(strategy)))
