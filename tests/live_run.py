"""A real Freqtrade worker, trading live on a sandbox exchange, on a clock that only moves in steps.

What a test writes::

    with live_run(MyStrategy, GeneratedSource(7, days=40), tmp_path, begin, wallet={"USDT": 10_000},
                  max_open_trades=3, order_types={...}) as run:
        run.minutes(90)              # ninety simulated minutes, as fast as they can be computed
        run.trades                   # Freqtrade's trades, from its database
        run.exchange                 # sandbox.exchange.Exchange: orders, account, ledger, hooks
        run.bot                      # the FreqtradeBot that is running
        run.killed()                 # the bot is gone without a word; the exchange goes on
        run.minutes(5)               # time passes there
        run.started()                # a new bot on the same database
        assert run.differences() == []   # database against ledger, to the last unit

Everything is in the test's process: the exchange in a thread, the bot in the test's own. Time is
`time_machine`'s and stands still except where Freqtrade sleeps: between two loops (at most
``loop_seconds``, or until a second after the next candle), before it tries again, and while it
waits for a cancellation. Two runs with the same arguments give the same trades.

``strategy`` is a class or the path of a strategy file, as in `tests.engine`. ``source`` is any
candle source: a generated market, or `tests.exchange.table`. ``begin`` must lie within its candles,
a second after a candle's border, with enough of them before it for the strategy to start up.
Keyword arguments beyond those named go into the bot's configuration, merged over a small one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware
from freqtrade.enums import RunMode, State
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.misc import deep_merge_dicts
from freqtrade.persistence import Order, Trade
from freqtrade.strategy import IStrategy
from freqtrade.worker import Worker

from sandbox.account import ClientAccount
from sandbox.clock import RealClock
from sandbox.exchange import Exchange
from sandbox.hooks import Hooks
from sandbox.ledger import Account, Ledger
from sandbox.market_data import MarketData
from sandbox.overlay import overlay
from sandbox.server import build_exchange_app
from sandbox.signing import ApiKey
from sandbox.sources import CandleSource
from sandbox.units import UNIT, from_float, text
from tests.engine import base_config, resolvable
from tests.exchange_thread import serving
from tools.stepped_time import stepped_time


@dataclass
class LiveRun:
    """A bot that is running, the exchange it trades on, and the clock of both."""

    exchange: Exchange
    url: str
    clock: Any
    config: dict[str, Any]
    worker: Worker | None = None
    loops: int = 0
    _state: State | None = None

    @property
    def bot(self) -> FreqtradeBot:
        """The bot that is running."""
        assert self.worker is not None, "the bot was killed"
        return self.worker.freqtrade

    @property
    def now(self) -> datetime:
        """The simulated time."""
        return datetime.now(UTC)

    @property
    def trades(self) -> list[Trade]:
        """All trades of the database, open and closed, by opening."""
        return sorted(Trade.get_trades().all(), key=lambda trade: (trade.open_date, trade.id))

    def minutes(self, count: float) -> None:
        """Let time pass; the bot loops meanwhile if it is running."""
        end = self.now + timedelta(minutes=count)
        while self.worker is not None and self.now < end:
            self.loop()
        if self.now < end:
            self.clock.move_to(end)
        self.exchange.advance()

    def loop(self) -> None:
        """One loop of the worker, and the sleep after it."""
        assert self.worker is not None, "the bot was killed"
        self._state = self.worker._worker(old_state=self._state)
        self.loops += 1

    def started(self) -> None:
        """Start a bot on the run's database."""
        self.worker, self._state = Worker({}, deepcopy(self.config)), None

    def stopped(self) -> None:
        """Stop the bot the way SIGINT stops it."""
        worker = self.worker
        self.worker = None
        if worker is not None:
            worker.exit()

    def killed(self) -> None:
        """Take the bot away as SIGKILL would: nothing is cancelled, saved or said."""
        worker = self.worker
        self.worker = None
        if worker is not None:
            Trade.session.remove()
            worker.freqtrade.rpc.cleanup()
            worker.freqtrade.exchange.close()

    def differences(self) -> list[str]:
        """What the database and the exchange disagree about; empty if they agree to the unit.

        Compares every order of both sides by amount filled and value paid, the coins of open trades
        with what was bought and not sold, and what is wrong with the exchange's own books.
        """
        self.exchange.advance()
        Trade.session.expire_all()
        return [
            *self.exchange.audit(),
            *_order_differences(self.exchange, Order.session.query(Order).all()),
            *_holding_differences(self.exchange, self.trades),
        ]


def _order_differences(exchange: Exchange, known: Iterable[Order]) -> Iterator[str]:
    by_id = {order.order_id: order for order in known}
    for order in exchange.orders:
        record = by_id.pop(str(order.id), None)
        if record is None:
            # Freqtrade forgets an entry that was cancelled with nothing filled.
            if order.is_open or order.executed:
                yield f"Order {order.id} is not in the database."
        elif from_float(record.safe_filled) != order.executed:
            yield f"Order {order.id} filled {text(order.executed)}, not {record.safe_filled}."
        elif order.executed and from_float(record.safe_cost) != order.quote_executed:
            yield f"Order {order.id} cost {text(order.quote_executed)}, not {record.safe_cost}."
    for order_id in by_id:
        yield f"Order {order_id} of the database is not on the exchange."


def _holding_differences(exchange: Exchange, trades: Iterable[Trade]) -> Iterator[str]:
    """Coins held beyond what was deposited and is in a trade, or missing from one.

    Each trade may leave less than a lot behind, which cannot be sold.
    """
    account, trades = exchange.account, list(trades)
    for market in exchange.market.markets():
        asset, lot = market.base, exchange.limits(market).lot
        held = account.free(asset) + account.locked(asset)
        held += account.ledger.balance(Account.OUTSIDE, asset)
        of_pair = [trade for trade in trades if trade.pair == market.pair]
        amount = sum(from_float(trade.amount) for trade in of_pair if trade.is_open)
        if not 0 <= held - amount <= lot * len(of_pair):
            yield f"{text(held)} {asset} were bought and not sold, {text(amount)} are in trades."


def live_config(folder: Path, source: CandleSource, url: str, loop_seconds: float) -> dict:
    """A small configuration for live trading of every pair of a source at a sandbox."""
    config = base_config(folder, [market.pair for market in source.markets()])
    live = {
        "runmode": RunMode.LIVE,
        "db_url": f"sqlite:///{folder / 'trades.sqlite'}",
        "initial_state": "running",
        "entry_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
        "exit_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
        "internals": {"process_throttle_secs": loop_seconds},
    }
    return deep_merge_dicts(deep_merge_dicts(overlay(url, ApiKey()), live), config)


@contextmanager
def live_run(
    strategy: type[IStrategy] | str | Path,
    source: CandleSource,
    folder: Path,
    begin: datetime,
    *,
    wallet: Mapping[str, float] | None = None,
    fee: float = 0.001,
    volume_share: float = 0.1,
    hooks: Hooks | None = None,
    middlewares: Iterable[Middleware] = (),
    routes: Iterable[web.RouteDef] = (),
    loop_seconds: float = 30,
    **settings: Any,
) -> Iterator[LiveRun]:
    """Start an exchange and a bot on it at a moment; see the module's docstring.

    Parameters
    ----------
    folder : empty; the database is kept there.
    wallet : amounts by asset, 10,000 USDT by default.
    fee, volume_share : of a trade, and of the volume that resting orders get [ratio].
    hooks, middlewares, routes : what goes wrong, and how it is told to.
    loop_seconds : between two loops of the bot at most [simulated s].
    settings : of the bot's configuration.
    """
    with ExitStack() as stack:
        clock = stack.enter_context(stepped_time(begin))
        account = ClientAccount(Ledger(), round(fee * 1e6))
        for asset, amount in (wallet or {"USDT": 10_000}).items():
            account.deposit(round(begin.timestamp() * 1000), asset, round(amount * UNIT))
        market = MarketData(source, RealClock())
        exchange = Exchange(market, account, hooks, round(volume_share * 1e6))
        app = build_exchange_app(exchange, [ApiKey()], routes, middlewares)
        url = stack.enter_context(serving(app))
        config = live_config(folder, source, url, loop_seconds)
        config = deep_merge_dicts(settings, config) | stack.enter_context(resolvable(strategy))
        run = LiveRun(exchange, url, clock, config)
        run.started()
        try:
            yield run
        finally:
            run.stopped()
            Trade.session.remove()
