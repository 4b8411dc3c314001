"""A story traded live (see `tests.behaviour.mini`) on an exchange that fails as a plan says.

``faulty_run(folder, {"kind": "answer_lost"})`` starts Ballast, ``strategy=Plain`` Freqtrade without
it, on the same signals: both buy the close of row 2, at the beginning of row 3, unless something
keeps them from it. What happened is read from the exchange's orders, never from the bot.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from aiohttp import web
from aiohttp.typedefs import Handler
from freqtrade.strategy import IStrategy

from ballast.strategy.guarded import GuardedStrategy
from sandbox.clock import RealClock
from sandbox.faults import Fault
from sandbox.faults_answers import Answers
from sandbox.faults_http import misbehave
from sandbox.faults_orders import OrderFaults
from sandbox.faults_plan import FaultPlan
from sandbox.market_data import MarketData
from sandbox.orders import Order, Side
from sandbox.units import UNIT
from tests.behaviour.live_story import hourly
from tests.behaviour.mini import Mini, Story, at, quiet, signal
from tests.exchange import PAIR, SYMBOL
from tests.live_run import LiveRun, live_run
from tools import soak_truth

BOUGHT: Story = [*quiet(2), signal(), *quiet(5, 101)]
# The bot is there before the signal's candle has ended.
BEGIN = at(3) - timedelta(seconds=30)
LOOP_S = 5
ENTRY, ANY_ORDER = "POST /api/v3/order", "/api/v3/order"


class Plain(IStrategy):
    """The same signals in plain Freqtrade, with a stop on the exchange."""

    timeframe = "1h"
    stoploss = -0.04
    minimal_roi: ClassVar[dict[str, float]] = {"0": 10}
    startup_candle_count = 10
    process_only_new_candles = True
    order_types: ClassVar[dict[str, Any]] = GuardedStrategy.order_types

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["enter_long"] = (dataframe["close"] > 100.5).astype(int)
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe


@dataclass
class Faulty:
    """A bot, the exchange it trades on, and what goes wrong there."""

    run: LiveRun
    plan: FaultPlan
    folder: Path

    def suffer(self, **fault: Any) -> int:
        """Inject a fault from now on; returns its number."""
        return self.plan.add(Fault.from_json(fault, "Fault"))

    def bought(self) -> None:
        """Loop until an entry has been sent."""
        while not self.buys:
            self.run.loop()

    def until(self, moment: datetime) -> None:
        """Let time pass up to a moment."""
        self.run.minutes((moment - self.run.now).total_seconds() / 60)

    @property
    def buys(self) -> list[Order]:
        return [order for order in self.run.exchange.orders if order.side is Side.BUY]

    @property
    def attempts(self) -> int:
        """Entries that were sent, accepted or not."""
        refused = [s for s in self.plan.strikes if s.asked.method == "POST"]
        return len(self.buys) + len(refused)

    @property
    def coins(self) -> float:
        """Coins that the account holds, in orders or not."""
        account = self.run.exchange.account
        return (account.free("AAA") + account.locked("AAA")) / UNIT

    @property
    def protected(self) -> float:
        """Coins that a stop, still waiting for its price, would sell."""
        stops = [o for o in self.run.exchange.open_orders(SYMBOL) if o.waits_for_trigger]
        return sum(stop.remaining for stop in stops) / UNIT

    @property
    def uncovered_s(self) -> float:
        """The longest time that a position stood without a stop [s]."""
        now_ms = round(self.run.now.timestamp() * 1000)
        found = soak_truth.positions(SYMBOL, self.run.exchange.orders, now_ms)
        return max((position.uncovered_s for position in found), default=0.0)

    @property
    def books_agree(self) -> bool:
        """Whether the database knows what traded, to the unit, and what is held and open."""
        exchange = self.run.exchange
        exchange.advance()
        books = soak_truth.read_books(self.folder / "trades.sqlite")
        lost = soak_truth.lost_orders(exchange.orders, books)
        unlike = soak_truth.difference(exchange.orders, books)
        return not (lost or unlike or soak_truth.unknown_coins(exchange, books))

    @property
    def is_bought_once(self) -> bool:
        """One position, no more of it than one order was for, covered by a stop."""
        largest = max((order.amount for order in self.buys), default=0) / UNIT
        once = 0 < self.coins <= soak_truth.TWICE * largest
        return once and self.protected >= soak_truth.COVER * self.coins


@contextmanager
def faulty_run(
    folder: Path,
    *faults: dict[str, Any],
    strategy: type[IStrategy] = Mini,
    story: Story = BOUGHT,
    begin: datetime = BEGIN,
    **settings: Any,
) -> Iterator[Faulty]:
    """Start a bot, then the faults; it has not looped yet."""
    source, plan = hourly(story), FaultPlan(RealClock(), 1)
    answers = Answers(plan, MarketData(source, RealClock()))
    started: list[OrderFaults] = []
    running: list[LiveRun] = []

    async def sleep(seconds: float) -> None:
        for run in running:
            run.clock.shift(timedelta(seconds=seconds))

    @web.middleware
    async def close_delisted(request: web.Request, handler: Handler) -> web.StreamResponse:
        for orders in started:
            orders.close_delisted()
        return await handler(request)

    own: dict[str, Any] = {"stake_amount": 1000.0, "max_open_trades": 1, "loop_seconds": LOOP_S}
    if issubclass(strategy, GuardedStrategy):
        own |= {"stake_amount": "unlimited", "ballast": {"market": {"leader": PAIR}}}
    middlewares = [misbehave(plan, answers, sleep), close_delisted]
    with live_run(
        strategy, source, folder, begin, middlewares=middlewares, **(own | settings)
    ) as run:
        running.append(run)
        started.append(OrderFaults(plan, run.exchange))
        run.exchange.hooks = started[0]
        made = Faulty(run, plan, folder)
        for fault in faults:
            made.suffer(**fault)
        yield made
        assert run.exchange.audit() == []
