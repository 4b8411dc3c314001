"""The capital of a bot, and flows: from Freqtrade's configuration, wallets and orders.

The capital is what Freqtrade's `get_total_stake_amount` begins with: `available_capital` where that
is set (the ratio is not applied to it then), else `tradable_balance_ratio` of the balance. A stated
capital (`available_capital`, or the `dry_run_wallet` of paper trading) changes with the statement
alone: the rest of the account is not the bot's. Otherwise the wallet is watched for money that own
orders do not explain.
"""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from freqtrade.enums import RunMode
from freqtrade.persistence import Order, Trade
from freqtrade.util import get_dry_run_wallet
from freqtrade.wallets import Wallets
from sqlalchemy import case, func, or_, select

from ballast.core.cash_watch import CashReading, CashWatch
from ballast.core.ledger import Cause, Ledger, LedgerMemory
from ballast.risk.read_once import read_once


def stated_capital(config: Mapping[str, Any]) -> float | None:
    """Capital that the configuration gives, quote currency; None where it is the balance's."""
    if "available_capital" in config:
        return float(config["available_capital"])
    # As Freqtrade's wallets tell a simulated account from a real one.
    if config["dry_run"] and config.get("runmode") != RunMode.LIVE:
        return float(get_dry_run_wallet(config)) * config["tradable_balance_ratio"]
    return None


class Flows:
    """
    Watches what comes and goes, live and in paper trading.

    Parameters
    ----------
    config : mapping
        Freqtrade's.
    wallets : callable
        Gives Freqtrade's wallets; they are attached to the strategy after it is made.
    ledger : Ledger
        Told about every flow.
    is_certain : callable
        Whether it is known what has become of every own order.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        wallets: Callable[[], Wallets],
        ledger: Ledger,
        is_certain: Callable[[], bool],
    ) -> None:
        self._stake_currency = config["stake_currency"]
        self._ratio = float(config["tradable_balance_ratio"])
        self._stated = stated_capital(config)
        self._wallets = wallets
        self._ledger = ledger
        self._is_certain = is_certain
        self._watch: CashWatch | None = None
        self._read: datetime | None = None
        # What was found pending in this loop, by when the balances had been read.
        self._pending: tuple[datetime | None, float] | None = None

    def begin(self, memory: LedgerMemory | None) -> None:
        """Take up the capital of an earlier run, or begin with what there is now."""
        ledger = self._ledger
        if memory is not None:
            ledger.memory = memory
        capital = self._stated
        if capital is None:
            base = ledger.memory.cash
            if base is None:
                now = self._reading()
                base = now.cash - now.own
            self._watch = CashWatch(base)
            capital = base * self._ratio
        ledger.memory.cash = self._watch.base if self._watch is not None else None
        if ledger.memory.capital is None:
            ledger.memory.capital = capital
        if not math.isclose(capital, ledger.capital):
            ledger.arrive(capital - ledger.capital, Cause.CAPITAL)

    def look(self, equity: float) -> None:
        """
        Tell the ledger of flows that have become certain; does nothing until balances were read.

        Parameters
        ----------
        equity : float
            As known last, quote currency.
        """
        if self._watch is None or self._refreshed() == self._read:
            return
        reading = self._reading()
        self._read = reading.at
        flow = self._watch.see(reading, equity)
        self._ledger.memory.cash = self._watch.base
        self._ledger.arrive(flow * self._ratio, Cause.CASH)

    @property
    def pending(self) -> float:
        """
        What the balances read last do not explain, and flows that are not in the capital yet, quote
        currency: below zero where less is there than the capital says.
        """
        if self._watch is None:
            return self._ledger.on_its_way
        read = self._refreshed()
        if self._pending is None or self._pending[0] != read:
            self._pending = (read, self._watch.residual(self._reading()))
        return self._pending[1] * self._ratio + self._ledger.on_its_way

    def look_anew(self) -> None:
        """A loop begins, or an order has filled: own orders are added up once more."""
        self._pending = None

    def balance(self) -> float:
        """Quote currency on the whole account, as read last."""
        return float(self._wallets().get_total(self._stake_currency))

    def _refreshed(self) -> datetime | None:
        """When Freqtrade read the balances last (a private name, held by a contract test)."""
        return self._wallets()._last_wallet_refresh

    def _reading(self) -> CashReading:
        at = self._refreshed()
        own, fees, count, filled = read_once(self._own_orders)
        if at is None:
            raise RuntimeError("the balances have not been read")
        orders = (count, filled)
        return CashReading(at, self.balance(), own, fees, orders, self._is_certain())

    def _own_orders(self) -> tuple[float, float, int, float]:
        """
        What all own orders have brought in less what they cost, their fees (quote currency), their
        number and the units filled.

        A fee is in the cash only where it was paid in the quote currency: not one in the coin that
        was bought, nor one in another coin such as BNB. That of a sale whose coin is not known is
        taken for quote currency, as exchanges take it from what a trade brings in.
        """
        sold = Order.ft_order_side != "buy"
        value = case((Order.filled > 0, func.coalesce(Order.cost, 0.0)), else_=0.0)
        paid_in_quote = or_(
            Trade.fee_close_currency.is_(None), Trade.fee_close_currency == self._stake_currency
        )
        fee = case((sold, func.coalesce(Trade.fee_close, 0.0)), else_=Trade.fee_open)
        quote_fee = case(
            (sold, case((paid_in_quote, func.coalesce(Trade.fee_close, 0.0)), else_=0.0)),
            (Trade.fee_open_currency == self._stake_currency, Trade.fee_open),
            else_=0.0,
        )
        moved = case((sold, value), else_=-value) - value * quote_fee
        sums = select(
            func.coalesce(func.sum(moved), 0.0),
            func.coalesce(func.sum(value * fee), 0.0),
            func.count(),
            func.coalesce(func.sum(Order.filled), 0.0),
        ).join(Trade, Trade.id == Order.ft_trade_id)
        own, fees, count, filled = Order.session.execute(sums).one()
        return float(own), float(fees), int(count), float(filled)
