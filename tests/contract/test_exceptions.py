"""What Freqtrade does when a strategy's callback raises: mostly, it trades.

Each of these defaults is why Ballast wraps its callbacks itself: an exception in a guard has to
refuse the entry, and Freqtrade's answer to an exception is to go on.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from freqtrade.exceptions import OperationalException, StrategyError
from freqtrade.strategy.strategy_wrapper import strategy_safe_wrapper

from tests.contract.live_bot import PAIR, candles_opened, enter, feed, live_bot
from tests.engine import ScriptedStrategy, flat, run_backtest

CANDLES = {PAIR: [*flat(4), (100, 100, 80, 82), *flat(2, 82)]}


def broken(*_args: Any, **_kwargs: Any) -> Any:
    raise KeyError("a guard lost its data")


def breaking(callback: str) -> type[ScriptedStrategy]:
    """A strategy that buys at row 1, with one callback that raises."""
    namespace = {
        callback: broken,
        "use_custom_stoploss": callback == "custom_stoploss",
        "position_adjustment_enable": True,
    }
    return type("Breaking", (ScriptedStrategy,), namespace)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


@pytest.mark.parametrize(
    "callback",
    [
        "confirm_trade_entry",
        "custom_stake_amount",
        "custom_entry_price",
        "bot_loop_start",
        "order_filled",
        "adjust_trade_position",
        "custom_stoploss",
        "custom_exit",
        "confirm_trade_exit",
    ],
)
def test_backtest_trades_on_with_the_full_stake_and_the_class_stop(callback: str) -> None:
    """None of these may be the place where Ballast refuses by raising."""
    outcome = run_backtest(breaking(callback), CANDLES)
    (trade,) = outcome.trades.itertuples()
    assert trade.stake_amount == pytest.approx(1_000)
    assert trade.open_rate == 100
    assert (trade.exit_reason, trade.close_rate) == ("stop_loss", 90)


@pytest.mark.parametrize("callback", ["populate_indicators", "populate_entry_trend"])
def test_backtest_stops_when_a_frame_cannot_be_computed(callback: str) -> None:
    """The one place where a backtest is stricter than live, so it cannot prove live safe."""
    with pytest.raises(KeyError):
        run_backtest(breaking(callback), CANDLES)


def test_bot_start_that_raises_stops_the_run() -> None:
    """Ballast validates its settings there: it fails closed."""
    with pytest.raises(StrategyError):
        run_backtest(breaking("bot_start"), CANDLES)


@pytest.mark.parametrize("callback", ["confirm_trade_entry", "custom_stake_amount"])
def test_live_bot_buys_for_the_full_stake(callback: str, tmp_path: Path) -> None:
    """The same fail-open default with real money behind it."""
    with live_bot(breaking(callback), tmp_path) as bot:
        (trade,) = enter(bot)
        assert trade.stake_amount == pytest.approx(1_000)


def test_live_bot_keeps_trading_on_the_old_frame(tmp_path: Path) -> None:
    """Ballast checks the age of the frame itself, because nobody else does."""

    class BreaksOnSecondCall(ScriptedStrategy):
        calls = 0

        def populate_indicators(self, dataframe: Any, metadata: dict) -> Any:
            type(self).calls += 1
            return broken() if self.calls > 1 else dataframe

    with live_bot(BreaksOnSecondCall, tmp_path) as bot:
        frame = candles_opened(timedelta(minutes=61))
        feed(bot, frame.iloc[:-1])
        feed(bot, frame)
        kept, _ = bot.dataprovider.get_analyzed_dataframe(PAIR, "1h")
        assert BreaksOnSecondCall.calls == 2
        assert kept["date"].iloc[-1] == frame["date"].iloc[-2]


def test_live_bot_does_not_start_when_bot_start_raises(tmp_path: Path) -> None:
    """Wrong settings are found before anything trades."""
    with pytest.raises(StrategyError), live_bot(breaking("bot_start"), tmp_path):
        pass


def test_wrapper_turns_every_exception_into_the_default() -> None:
    """All of the above rests on this one function; OperationalException is no exception to it."""

    def stop(**_kwargs: Any) -> bool:
        raise OperationalException("stop the bot")

    assert strategy_safe_wrapper(stop, default_retval=True)() is True


class Spy:
    """Remembers whether the trade that a callback was given was the caller's own."""

    def __init__(self) -> None:
        self.given: list[Any] = []

    def callback(self, *, trade: Any) -> None:
        self.given.append(trade)


def test_callback_gets_a_deep_copy_of_the_trade() -> None:
    """Nothing written to a trade in a callback persists, except custom data."""
    spy, trade = Spy(), {"orders": [1]}
    strategy_safe_wrapper(spy.callback, supress_error=True)(trade=trade)
    assert spy.given == [trade]
    assert spy.given[0] is not trade


def test_function_named_as_istrategys_own_gets_the_trade_itself() -> None:
    """Ballast avoids the copy, most of the cost of a stop in a backtest, by this name."""
    spy, trade = Spy(), {"orders": [1]}

    def callback(*, trade: Any) -> None:
        spy.given.append(trade)

    callback.__qualname__ = "IStrategy.custom_stoploss"
    strategy_safe_wrapper(callback, supress_error=True)(trade=trade)
    assert spy.given[0] is trade
