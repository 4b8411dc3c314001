"""How Freqtrade moves, reads and fills stops.

Ballast decides an absolute price and hands it over in Freqtrade's relative form; everything that
can silently leave the old stop in place, or loosen it, is written down here.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from freqtrade.enums import ExitType
from freqtrade.persistence import LocalTrade, Order
from freqtrade.strategy import stoploss_from_absolute, stoploss_from_open

from ballast.strategy import trade_stops
from tests.engine import ScriptedStrategy, flat, run_backtest

PAIR = "BTC/USDT"
QUIET, FALL = flat(3), [(100, 100, 80, 82), *flat(2, 82)]


class Stopping(ScriptedStrategy):
    """Buys at row 1 and answers `custom_stoploss` with `answer`, noting how it was asked."""

    use_custom_stoploss = True
    answer: ClassVar[Any] = None
    asked: ClassVar[list[dict[str, Any]]] = []

    def custom_stoploss(self, **asked: Any) -> Any:
        self.asked.append(asked)
        return self.answer


def stopping(answer: Any) -> type[Stopping]:
    return type("Stopping", (Stopping,), {"answer": answer, "asked": []})


def only_trade(strategy: type[ScriptedStrategy], rows: list) -> Any:
    (trade,) = run_backtest(strategy, {PAIR: rows}).trades.itertuples()
    return trade


@pytest.mark.parametrize("answer", [None, 0, 0.0, math.nan, math.inf])
def test_answer_that_means_no_change(answer: Any) -> None:
    """'No stop' and 'no change' look the same, so Ballast never answers with these by accident."""
    trade = only_trade(stopping(answer), [*QUIET, *FALL])
    assert (trade.exit_reason, trade.close_rate) == ("stop_loss", 90)


def test_answer_tightens_from_the_candles_high() -> None:
    """A relative answer counts from the high of the candle, not from its close or open."""
    trade = only_trade(stopping(-0.05), [*QUIET, (107, 110, 106, 108), *FALL])
    assert trade.stop_loss_abs == pytest.approx(110 * 0.95)
    assert trade.exit_reason == "trailing_stop_loss"


def test_sign_of_the_answer_does_not_matter() -> None:
    """Freqtrade's helpers answer with positive numbers, its class stop is negative."""
    rows = [*QUIET, (107, 110, 106, 108), *FALL]
    both = [only_trade(stopping(answer), rows).stop_loss_abs for answer in (-0.05, 0.05)]
    assert both[0] == both[1]


def test_answer_never_loosens() -> None:
    """The class stop is the floor: a custom stop further away is ignored."""
    trade = only_trade(stopping(-0.5), [*QUIET, *FALL])
    assert trade.stop_loss_abs == 90


def test_backtest_asks_on_the_entry_candle_with_its_high() -> None:
    """A stop computed from the candle in progress would look ahead; Ballast uses closed ones."""
    strategy = stopping(None)
    run_backtest(strategy, {PAIR: [*flat(1), (100, 107, 99, 101), *flat(2)]})
    first = strategy.asked[0]
    assert first["current_rate"] == 107
    assert first["current_time"] == datetime(2024, 1, 1, 1, tzinfo=UTC)
    assert first["after_fill"] is False


def test_backtest_asks_once_a_candle() -> None:
    """The journal counts on one question for each candle of an open trade."""
    strategy = stopping(None)
    run_backtest(strategy, {PAIR: flat(6)})
    times = [asked["current_time"].hour for asked in strategy.asked]
    assert times == [1, 2, 3, 4, 5]


def test_after_fill_must_be_a_named_argument() -> None:
    """With `**kwargs` alone, Freqtrade never asks at the fill."""

    class Named(stopping(None)):  # type: ignore[misc]
        def custom_stoploss(self, after_fill: bool, **asked: Any) -> None:
            self.asked.append({**asked, "after_fill": after_fill})

    for strategy, expected in ((stopping(None), False), (Named, True)):
        run_backtest(strategy, {PAIR: flat(4)})
        assert any(asked["after_fill"] for asked in strategy.asked) is expected


def test_answer_after_the_fill_may_widen_the_class_stop() -> None:
    """A bug there would remove the disaster stop, so Ballast clips what it answers at a fill."""

    class Widening(ScriptedStrategy):
        use_custom_stoploss = True

        def custom_stoploss(self, after_fill: bool, **_: Any) -> float | None:
            return -0.99 if after_fill else None

    trade = only_trade(Widening, [*QUIET, *FALL])
    assert trade.stop_loss_abs == pytest.approx(1, abs=0.02)  # up to a tick
    assert trade.exit_reason == "force_exit"


def test_stop_set_at_the_fill_is_not_called_trailing() -> None:
    """Exit reasons tell the first stop from a trailed one only because of this."""

    class SetAtFill(ScriptedStrategy):
        use_custom_stoploss = True

        def custom_stoploss(self, after_fill: bool, **_: Any) -> float | None:
            return -0.05 if after_fill else None

    trade = only_trade(SetAtFill, [*QUIET, *FALL])
    assert (trade.exit_reason, trade.close_rate) == ("stop_loss", 95)
    assert trade.initial_stop_loss_abs == 90


def test_helpers_answer_zero_when_the_stop_is_through_the_market() -> None:
    """Zero means 'no change': the wanted exit silently does not happen."""
    assert stoploss_from_absolute(101, current_rate=100) == 0
    assert stoploss_from_open(0.05, current_profit=0.04) == 0


def test_helper_and_engine_agree_on_the_absolute_price() -> None:
    """Ballast's one conversion rests on this round trip."""
    trade = open_trade()
    trade.adjust_stop_loss(110, stoploss_from_absolute(104.5, current_rate=110))
    assert trade.stop_loss == pytest.approx(104.5)


def test_stop_on_a_trade_only_tightens() -> None:
    """The last word is the trade's: a lower stop changes nothing unless a refresh is allowed."""
    trade = open_trade()
    for answer, expected in ((-0.05, 95), (-0.20, 95), (-0.01, 99)):
        trade.adjust_stop_loss(100, answer)
        assert trade.stop_loss == pytest.approx(expected)
    trade.adjust_stop_loss(100, -0.30, allow_refresh=True)
    assert trade.stop_loss == pytest.approx(70)


def test_a_partial_exit_moves_the_stop_by_where_price_stood_when_it_was_set() -> None:
    """Set three percent below a price of 95, it goes to three percent below the entry at 100."""
    trade = open_trade()
    trade.adjust_stop_loss(95, -0.03)
    assert trade.stop_loss == pytest.approx(92.15)
    trade.orders = [filled("buy", 10.0, 100.0), filled("sell", 5.0, 95.0)]
    trade.recalc_trade_from_orders()
    assert trade.amount == 5.0
    assert trade.stop_loss == pytest.approx(97)


@pytest.mark.parametrize("price", [95.0, 100.0, 110.0])
def test_a_stop_that_ballast_has_raised_stays_where_it_is(price: float) -> None:
    trade = open_trade()
    trade_stops.raise_to(trade, 0.97 * price, price, after_fill=False)
    trade.orders = [filled("buy", 10.0, 100.0), filled("sell", 5.0, 95.0)]
    trade.recalc_trade_from_orders()
    assert trade.stop_loss == pytest.approx(0.97 * price, abs=1.1e-6)


def filled(side: str, amount: float, price: float) -> Order:
    """An order that has filled."""
    return Order(
        ft_order_side=side,
        ft_is_open=False,
        ft_amount=amount,
        ft_price=price,
        amount=amount,
        filled=amount,
        price=price,
        average=price,
        status="closed",
    )


def test_backtest_fills_a_stop_exactly_at_its_level() -> None:
    """Optimistic: gaps within a candle cost nothing, so Ballast adds slippage of its own."""
    assert only_trade(ScriptedStrategy, [*QUIET, (100, 100, 60, 65), *flat(2, 65)]).close_rate == 90


def test_backtest_fills_at_the_open_when_the_whole_candle_is_beyond_the_stop() -> None:
    """A gap between candles is paid for."""
    trade = only_trade(ScriptedStrategy, [*QUIET, (70, 75, 60, 65), *flat(2, 65)])
    assert trade.close_rate == 70


def test_backtest_fills_at_the_stop_when_the_candle_opens_beyond_and_comes_back() -> None:
    """The optimism goes this far: an open at 80 with a high above 90 still sells at 90."""
    trade = only_trade(ScriptedStrategy, [*QUIET, (80, 91, 60, 65), *flat(2, 65)])
    assert trade.close_rate == 90


def test_backtest_switches_the_exchange_stop_off() -> None:
    """A backtest proves nothing about resting stops; the live tests have to."""

    class Resting(ScriptedStrategy):
        order_types: ClassVar[dict[str, Any]] = {
            "entry": "limit",
            "exit": "limit",
            "stoploss": "market",
            "stoploss_on_exchange": True,
        }

    outcome = run_backtest(Resting, {PAIR: flat(3)})
    assert outcome.strategy.order_types["stoploss_on_exchange"] is False


def test_confirm_trade_exit_can_veto_a_stop() -> None:
    """The reason why Ballast's own always says yes to a stop."""

    class Vetoing(ScriptedStrategy):
        def confirm_trade_exit(self, exit_reason: str, **_: Any) -> bool:
            return exit_reason != "stop_loss"

    assert only_trade(Vetoing, [*QUIET, *FALL]).exit_reason == "force_exit"


def test_exit_signal_comes_before_the_stop_of_the_same_candle() -> None:
    """`should_exit` answers signal, stop, ROI, trailing stop; the first that fills wins."""
    strategy = run_backtest(ScriptedStrategy, {PAIR: flat(3)}).strategy
    strategy.minimal_roi = {0: -1.0}
    trade = open_trade()
    exits = strategy.should_exit(
        trade, 85, datetime(2024, 1, 1, 1, tzinfo=UTC), enter=False, exit_=True, low=80, high=86
    )
    assert [each.exit_type for each in exits] == [
        ExitType.EXIT_SIGNAL,
        ExitType.STOP_LOSS,
        ExitType.ROI,
    ]


def open_trade() -> LocalTrade:
    """A long of 10 at 100 with a stop at 90."""
    trade = LocalTrade(
        pair=PAIR,
        open_rate=100.0,
        open_date=datetime(2024, 1, 1, tzinfo=UTC),
        amount=10.0,
        stake_amount=1_000.0,
        fee_open=0.0,
        fee_close=0.0,
        exchange="binance",
        leverage=1.0,
        is_short=False,
        price_precision=1e-6,
        precision_mode_price=4,
    )
    trade.adjust_stop_loss(100, -0.10, initial=True)
    return trade
