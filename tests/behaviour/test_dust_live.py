"""An entry of which too little has filled can be taken back, and what it bought is written off.

Freqtrade alone keeps such an order in the book, whatever asks for its end: hours later it buys the
rest, on a signal nobody believes in any more, and after the end of the process with nobody there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from freqtrade.enums import State
from freqtrade.exchange import Exchange
from freqtrade.persistence import Trade

from ballast.__main__ import main
from ballast.core.events import EventKind
from ballast.core.verdict import Verdict
from ballast.execution.recorded_positions import recorded_positions
from ballast.risk.engine import RiskEngine
from sandbox.hooks import Hooks
from sandbox.orders import Order
from tests.behaviour.live_story import Shy, Told, story_run
from tests.behaviour.test_stop_watch_live import JUMPS
from tests.behaviour.waiting_entry import PLAN, fill, resting, waiting
from tests.exchange import PAIR

# Of some ten coins at 101: less than the exchange's smallest order of five.
CRUMB = 0.003


def by_time(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = told.run.bot.strategy.session.execution.open_entries
    entries._pricing = entries._pricing.model_copy(update={"entry_timeout_s": 1.0})
    told.loops(2)


def by_guard(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    block = Verdict("TEST", 1.0, 0.0, 0.0)
    monkeypatch.setattr(RiskEngine, "entry_verdict", lambda *_: block)
    told.loops(2)


def by_kill_file(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    (Path(told.run.config["user_data_dir"]) / "KILL").touch()
    told.loops(2)


def by_a_fill_that_waits(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    told.loops(6)


def by_stop(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    told.run.bot.state = State.STOPPED
    told.loops(1)


def by_end_of_the_process(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    told.run.stopped()


WAYS = (by_time, by_guard, by_kill_file, by_a_fill_that_waits, by_stop, by_end_of_the_process)


def written_off(told: Told) -> None:
    """The order is gone, the trade closed as a loss, the coins are accounted for."""
    assert told.run.exchange.open_orders() == []
    Trade.session.expire_all()
    trade = told.trade
    assert (trade.is_open, trade.exit_reason) == (False, "dust")
    assert trade.amount == pytest.approx(told.coins, abs=0.001)
    assert trade.close_profit_abs == pytest.approx(-trade.orders[0].safe_cost, rel=1e-5)
    assert trade.close_profit == pytest.approx(-1.0)
    assert told.coins > 0
    assert recorded_positions(PAIR).left == pytest.approx(told.coins, abs=1e-6)


@pytest.mark.parametrize("withdraw", WAYS)
def test_a_first_fill_below_the_smallest_order_is_withdrawn_and_written_off(
    withdraw: Callable[[Told, pytest.MonkeyPatch], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with waiting(tmp_path) as (told, _):
        fill(told, CRUMB)
        told.loops(1)
        withdraw(told, monkeypatch)
        written_off(told)
        assert told.codes().count("DUST") == 1
        (end,) = [event for event in told.events if event.kind is EventKind.EXIT]
        assert (end.code, end.value) == ("dust", pytest.approx(-100.0))


def test_the_coins_of_a_written_off_entry_are_listed_as_not_the_bots(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with waiting(tmp_path) as (told, _):
        fill(told, CRUMB)
        told.loops(7)
        config = tmp_path / "config.json"
        config.write_text(json.dumps({"db_url": told.run.config["db_url"]}), encoding="utf-8")
        assert main(["holdings", "-c", str(config)]) == 0
        assert f"{told.coins:.8g}" in capsys.readouterr().out


class FillsMeanwhile(Hooks):
    """Fills a share of what is left of an entry while it is being cancelled."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.told: Told | None = None

    def fillable(self, order: Order, amount: int, time_ms: int) -> int:
        return amount if order.request.stop_price or order.request.side.value == "SELL" else 0

    def before_cancel(self, order: Order) -> None:
        if self.told is not None and not order.request.stop_price:
            fill(self.told, self.share)


@pytest.mark.parametrize("share", [0.5, 1.0])
@pytest.mark.parametrize("withdraw", [by_time, by_end_of_the_process])
def test_what_fills_while_a_crumb_is_withdrawn_has_its_stop(
    withdraw: Callable[[Told, pytest.MonkeyPatch], None],
    share: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hooks = FillsMeanwhile(share)
    with waiting(tmp_path, hooks=hooks) as (told, _):
        fill(told, CRUMB)
        told.loops(1)
        hooks.told = told
        withdraw(told, monkeypatch)
        assert resting(told) == [PLAN]
        Trade.session.expire_all()
        assert told.trade.is_open
        assert told.trade.amount == pytest.approx(told.coins, abs=0.001)
        assert told.run.differences() == []


def test_a_written_off_crumb_is_no_losing_trade(tmp_path: Path) -> None:
    """Lost is a hundredth of what one trade may lose; a streak counts from a quarter."""
    with waiting(tmp_path) as (told, _):
        fill(told, CRUMB)
        told.loops(7)
        session = told.run.bot.strategy.session
        assert -0.2 < session.stop_manager.result_in_r(told.trade) < 0


def test_a_crumb_that_a_stop_has_left_is_written_off_with_what_the_stop_has_earned(
    tmp_path: Path,
) -> None:
    with story_run(tmp_path, JUMPS, hooks=Shy(stop=0.9975)) as told:
        told.loops(3)
        told.run.clock.shift(45 * 60)
        told.loops(8)
        trade = told.trade
        assert (trade.is_open, trade.exit_reason) == (False, "dust")
        sold = sum(order.safe_cost for order in trade.orders if order.side == "sell")
        bought = trade.orders[0].safe_cost
        assert trade.close_profit_abs == pytest.approx(sold - bought, abs=0.0021 * bought)
        assert trade.close_profit == pytest.approx(trade.close_profit_abs / bought, rel=0.01)


def test_a_price_that_is_wrong_makes_no_dust(tmp_path: Path) -> None:
    with waiting(tmp_path) as (told, _):
        fill(told)
        with patch.object(Exchange, "get_rate", lambda *_, **__: 0.1):
            told.loops(1)
        told.loops(2)
        assert told.codes().count("DUST") == 0
        assert told.trade.exit_reason != "dust"
        assert told.coins < 0.01 or told.trade.has_open_sl_orders


def test_a_crumb_takes_no_place_and_is_not_bought_again_on_its_candle(tmp_path: Path) -> None:
    with waiting(tmp_path) as (told, _):
        fill(told, CRUMB)
        told.loops(12)
        assert len(told.run.trades) == 1
        assert Trade.get_open_trade_count() == 0


def test_an_entry_that_has_filled_in_part_is_never_moved(tmp_path: Path) -> None:
    """Freqtrade deletes the trade of an order that it wants to move and cannot cancel."""
    rises = [(100.1, 100.5, 99.5, 99.9), (99.9, 100.4, 99.5, 100.1), (100.1, 101.0, 99.9, 100.9)]
    rises += [(101, 101.3, 100.8, 101.2), *[(101.25, 101.4, 101.1, 101.25)] * 4]
    small = {"risk": {"position_cap_pct": 5.0}, "watch": {"partial_fill_s": 3600.0}}
    with waiting(tmp_path, rises, ballast=small) as (told, _):
        entries: Any = told.run.bot.strategy.session.execution.open_entries
        entries._gate = entries._gate.model_copy(update={"signal_age_s": 10_000.0})
        entry = fill(told, CRUMB)
        told.run.clock.shift(3_600)
        told.loops(2)
        assert told.run.exchange.open_orders() == [entry]
        assert told.trade.open_orders[0].order_id == str(entry.id)
