"""How Freqtrade asks the callbacks of a strategy, where a layer has to ask in its place.

A layer before theirs in the resolution order changes what Freqtrade asks: what is overridden, what
it names in its signature, what it says before theirs is heard. Each case is a way to lose an exit,
to loosen a stop or to buy unasked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import pytest
from freqtrade.enums import ExitCheckTuple, ExitType
from freqtrade.exceptions import OperationalException, StrategyError
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC
from freqtrade.strategy import IStrategy
from freqtrade.strategy.strategy_validation import StrategyResultValidator

from tests.contract.live_bot import PAIR, enter, live_bot
from tests.engine import ScriptedStrategy, candle_frame, flat, run_backtest

FALL = [*flat(3), (100, 100, 96, 97), *flat(3, 97)]


class Asked(ScriptedStrategy):
    """Notes the callbacks that it was asked, with the row of the candle."""

    asked: ClassVar[list[tuple[str, int]]] = []

    def note(self, name: str, time: Any) -> None:
        self.asked.append((name, time.hour))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.asked = []


def test_one_order_price_callback_refuses_the_other() -> None:
    """Where theirs adjusts entry prices, a layer wraps that one and leaves `adjust_order_price`."""

    class Theirs(ScriptedStrategy):
        def adjust_entry_price(self, **_: Any) -> float:
            return 99.0

    class Layered(Theirs):
        def adjust_order_price(self, **_: Any) -> float:
            return 99.0

    with pytest.raises(OperationalException, match="pick one approach"):
        run_backtest(Layered, {PAIR: flat(4)})


def test_adjust_order_price_asks_the_two_older_ones() -> None:
    """So wrapping `adjust_entry_price` is enough: Freqtrade itself asks `adjust_order_price`."""

    class Waiting(Asked):
        def custom_entry_price(self, **_: Any) -> float:
            return 90.0

        def adjust_entry_price(self, current_time: Any, **_: Any) -> float:
            self.note("adjust_entry_price", current_time)
            return 100.0

        def confirm_trade_entry(self, current_time: Any, **_: Any) -> bool:
            self.note("confirm_trade_entry", current_time)
            return True

    patient = {"unfilledtimeout": {"entry": 600, "exit": 600, "unit": "minutes"}}
    outcome = run_backtest(Waiting, {PAIR: flat(5)}, config=patient)
    # A backtest confirms the replaced order again, which live trading does not (below).
    confirmed = ("confirm_trade_entry", 1), ("confirm_trade_entry", 2)
    assert Waiting.asked == [confirmed[0], ("adjust_entry_price", 2), confirmed[1]]
    assert list(outcome.trades["open_rate"]) == [100]


def test_live_bot_confirms_neither_replaced_orders_nor_additions(tmp_path: Path) -> None:
    """What a layer checks before an order is sent has to be in the callback that asks for it."""

    class Refusing(ScriptedStrategy):
        position_adjustment_enable = True
        refuse = False

        def confirm_trade_entry(self, **_: Any) -> bool:
            return not self.refuse

    with live_bot(Refusing, tmp_path) as bot:
        (trade,) = enter(bot)
        bot.strategy.refuse = True
        assert not bot.execute_entry(PAIR, 1_000, mode="initial")
        for mode in ("replace", "pos_adjust"):
            assert bot.execute_entry(PAIR, 1_000, trade=trade, mode=mode)


def test_addition_asks_for_neither_stake_nor_confirmation() -> None:
    """Its size and whether it may be made are decided in `adjust_trade_position` or nowhere."""

    class Adding(Asked):
        position_adjustment_enable = True

        def custom_stake_amount(self, current_time: Any, **_: Any) -> float:
            self.note("stake", current_time)
            return 100.0

        def confirm_trade_entry(self, current_time: Any, **_: Any) -> bool:
            self.note("confirm", current_time)
            return True

        def adjust_trade_position(self, trade: Any, **_: Any) -> float | None:
            return 5_000.0 if trade.nr_of_successful_entries == 1 else None

    outcome = run_backtest(Adding, {PAIR: flat(6)})
    assert Adding.asked == [("stake", 1), ("confirm", 1)]
    assert list(outcome.trades["max_stake_amount"]) == [pytest.approx(5_100)]


def test_forced_entry_adds_to_a_position_unconfirmed_once_adjustment_is_on(tmp_path: Path) -> None:
    """Switching it on for theirs opens `/forceenter` on an open pair, which no callback sees."""

    class Adjusting(ScriptedStrategy):
        position_adjustment_enable = True
        refuse = False

        def confirm_trade_entry(self, **_: Any) -> bool:
            return not self.refuse

    with live_bot(Adjusting, tmp_path, force_entry_enable=True) as bot:
        (before,) = enter(bot)
        bot.strategy.refuse = True
        RPC(bot)._rpc_force_entry(PAIR, None, stake_amount=500.0)
        assert len(before.orders) == 2
        bot.strategy.position_adjustment_enable = False
        with pytest.raises(Exception, match="already open"):
            RPC(bot)._rpc_force_entry(PAIR, None, stake_amount=500.0)


def test_partial_exit_is_not_confirmed() -> None:
    """And so it cannot be delayed by theirs, nor counted there by us."""

    class Halving(Asked):
        position_adjustment_enable = True

        def adjust_trade_position(self, trade: Any, **_: Any) -> float | None:
            return None if trade.nr_of_successful_exits else -500.0

        def confirm_trade_exit(self, exit_reason: str, current_time: Any, **_: Any) -> bool:
            self.note(exit_reason, current_time)
            return True

    run_backtest(Halving, {PAIR: FALL})
    assert Halving.asked == []


class Leaving(Asked):
    """Opens at row 3; has exit signals for rows 4 to 6, and a `custom_exit` that leaves from 4."""

    enter_rows: ClassVar[set[int]] = {2}
    exit_rows: ClassVar[set[int]] = {3, 4, 5}

    def custom_exit(self, current_time: Any, **_: Any) -> str | None:
        self.note("custom_exit", current_time)
        return "flatten" if current_time.hour >= 4 else None


def test_exit_signal_silences_custom_exit_even_where_it_does_not_exit() -> None:
    """With `exit_profit_only` a losing position is left neither by theirs nor by a layer's."""

    class Patient(Leaving):
        exit_profit_only = True

    (trade,) = run_backtest(Patient, {PAIR: [*FALL, *flat(3, 97)]}).trades.itertuples()
    assert Patient.asked == [("custom_exit", 3), ("custom_exit", 7)]
    assert (trade.exit_reason, trade.close_date.hour) == ("flatten", 7)


def test_exit_signal_that_their_confirmation_refuses_silences_custom_exit() -> None:
    """Nothing of ours is asked on that candle, and live the stop is off the exchange by then."""

    class Refusing(Leaving):
        def confirm_trade_exit(self, exit_reason: str, **_: Any) -> bool:
            return exit_reason != "exit_signal"

    (trade,) = run_backtest(Refusing, {PAIR: flat(9)}).trades.itertuples()
    assert Refusing.asked == [("custom_exit", 3), ("custom_exit", 7)]
    assert (trade.exit_reason, trade.close_date.hour) == ("flatten", 7)


def test_exit_put_first_by_should_exit_is_taken_first() -> None:
    """The hook that no signal silences, the same in backtests and live."""

    class Flattening(Asked):
        exit_rows: ClassVar[set[int]] = {1, 2, 3}
        enter_rows: ClassVar[set[int]] = {0}
        exit_profit_only = True

        def should_exit(self, *args: Any, **kwargs: Any) -> list[ExitCheckTuple]:
            ours = ExitCheckTuple(exit_type=ExitType.CUSTOM_EXIT, exit_reason="flatten: kill")
            return [ours, *super().should_exit(*args, **kwargs)]

    assert run_backtest(Flattening, {PAIR: FALL}).reasons == ["flatten: kill"]


def test_live_bot_asks_should_exit_of_the_strategy(tmp_path: Path) -> None:
    """The same in live trading."""
    ours = ExitCheckTuple(exit_type=ExitType.CUSTOM_EXIT, exit_reason="flatten: kill")
    with live_bot(ScriptedStrategy, tmp_path) as bot:
        (trade,) = enter(bot)
        with patch.object(bot.strategy, "should_exit", return_value=[ours]):
            assert bot._check_and_execute_exit(trade, 100.0, False, False, None)
        assert Trade.session.get(Trade, trade.id).exit_reason == "flatten: kill"


def test_custom_stops_without_a_callback_trail_the_class_stop() -> None:
    """Switched on over theirs, IStrategy's own answer trails: ask only what theirs had on."""

    class Inherited(ScriptedStrategy):
        use_custom_stoploss = True

    rows = [*flat(3), (100, 120, 100, 119), (119, 119, 105, 106), *flat(2, 106)]
    (trade,) = run_backtest(Inherited, {PAIR: rows}).trades.itertuples()
    assert (trade.exit_reason, trade.close_rate) == ("trailing_stop_loss", pytest.approx(108))


class Old(IStrategy):
    """Interface version 2, with a tag for its entries."""

    INTERFACE_VERSION = 2
    timeframe = "1h"
    stoploss = -0.1
    minimal_roi: ClassVar[dict[str, float]] = {"0": 10}

    def populate_indicators(self, dataframe: Any, metadata: dict) -> Any:
        return dataframe

    def populate_buy_trend(self, dataframe: Any, metadata: dict) -> Any:
        return dataframe.assign(buy=(dataframe.index == 0) * 1, buy_tag="old")

    def populate_sell_trend(self, dataframe: Any, metadata: dict) -> Any:
        return dataframe.assign(sell=(dataframe.index == 2) * 1)


def test_version_two_is_renamed_after_the_strategy_has_been_asked() -> None:
    """A layer that looks at signals looks in `advise_entry` and `advise_exit`, not before."""
    strategy, frame = Old({}), candle_frame(flat(3), "1h")
    assert "buy" in strategy.populate_entry_trend(frame.copy(), {"pair": PAIR})
    advised = strategy.ft_advise_signals(frame, {"pair": PAIR})
    assert {"enter_long", "exit_long"} <= set(advised)
    assert not {"buy", "buy_tag", "sell"} & set(advised)


def test_tag_of_version_two_is_a_second_column_and_ends_up_as_the_exits() -> None:
    """The empty tag that Freqtrade starts with stays: a layer has to keep the last of the two."""
    advised = Old({}).ft_advise_signals(candle_frame(flat(3), "1h"), {"pair": PAIR})
    assert list(advised).count("enter_tag") == 2
    (trade,) = run_backtest(Old, {PAIR: flat(5)}).trades.itertuples()
    assert (trade.enter_tag, trade.exit_reason) == ("", "old")


class Silent(ScriptedStrategy):
    """Gives frames back as they came."""

    def populate_entry_trend(self, dataframe: Any, metadata: dict) -> Any:
        return dataframe

    populate_exit_trend = populate_entry_trend


def test_all_that_freqtrade_adds_to_signals_are_two_columns_of_empty_tags() -> None:
    """A strategy of named rules goes without: its own tags stand there, and none at exits."""
    frame = candle_frame(flat(3), "1h")
    entered = Silent({}).advise_entry(frame.copy(), {"pair": PAIR})
    left = Silent({}).advise_exit(frame.copy(), {"pair": PAIR})
    assert list(entered) == [*frame, "enter_tag"]
    assert list(left) == [*frame, "exit_tag"]
    assert {*entered["enter_tag"], *left["exit_tag"]} == {""}


def test_validation_sees_length_and_last_candle_alone() -> None:
    """Rows in another order or dates of another type are traded on; a layer compares itself."""
    frame = candle_frame([(100 + n, 101 + n, 99 + n, 100 + n) for n in range(5)], "1h")
    validator = StrategyResultValidator(frame)
    validator.assert_df(frame.iloc[[2, 0, 3, 1, 4]])
    validator.assert_df(frame.assign(date=frame["date"].astype(object)))
    with pytest.raises(StrategyError):
        validator.assert_df(frame.iloc[1:])


def test_validation_may_be_switched_off_by_the_strategy() -> None:
    """So neither is a frame of another length refused by Freqtrade."""
    frame = candle_frame(flat(5), "1h")
    StrategyResultValidator(frame, warn_only=True).assert_df(frame.iloc[1:])
