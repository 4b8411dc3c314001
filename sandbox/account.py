"""The client's account: what an order locks, what a trade moves, what a fee takes."""

from __future__ import annotations

from sandbox.errors import ApiError
from sandbox.ledger import Account, Ledger, transfer
from sandbox.orders import Fill, Order, Side
from sandbox.units import share_down

DEFAULT_FEE_MILLIONTHS = 1_000


class ClientAccount:
    """The one account of the exchange, kept in a ledger.

    Parameters
    ----------
    fee_millionths : of what a trade brings in, maker and taker alike [millionths]. As on Binance
        without BNB it is taken in the asset received.
    """

    def __init__(self, ledger: Ledger, fee_millionths: int = DEFAULT_FEE_MILLIONTHS) -> None:
        self.ledger = ledger
        self.fee_millionths = fee_millionths

    def free(self, asset: str) -> int:
        """What can be ordered with [units]."""
        return self.ledger.balance(Account.FREE, asset)

    def locked(self, asset: str) -> int:
        """What open orders hold [units]."""
        return self.ledger.balance(Account.LOCKED, asset)

    def assets(self) -> list[str]:
        """Assets the client holds any of."""
        held = self.ledger.balances()
        return sorted({*held[Account.FREE], *held[Account.LOCKED]})

    def deposit(self, time_ms: int, asset: str, amount: int) -> None:
        """Bring in an amount [units]."""
        self.ledger.post(
            time_ms, "deposit", "", transfer(asset, amount, Account.OUTSIDE, Account.FREE)
        )

    def withdraw(self, time_ms: int, asset: str, amount: int) -> None:
        """Take out a free amount [units]; LedgerError if there is less."""
        self.ledger.post(
            time_ms, "withdraw", "", transfer(asset, amount, Account.FREE, Account.OUTSIDE)
        )

    def lock(self, order: Order, amount: int, time_ms: int) -> None:
        """Hold an amount [units] for an order; ApiError -2010 if less is free."""
        asset = order.asset_given
        if self.free(asset) < amount:
            raise insufficient_balance()
        self.ledger.post(
            time_ms, "lock", order.reference, transfer(asset, amount, Account.FREE, Account.LOCKED)
        )
        order.locked += amount

    def release(self, order: Order, amount: int, time_ms: int) -> None:
        """Give back an amount [units] of what an order holds."""
        self.ledger.post(
            time_ms,
            "release",
            order.reference,
            transfer(order.asset_given, amount, Account.LOCKED, Account.FREE),
        )
        order.locked -= amount

    def fee(self, received: int) -> int:
        """The fee on an amount received [units of the same asset], rounded down."""
        return share_down(received, self.fee_millionths)

    def settle(self, order: Order, fill: Fill) -> None:
        """Exchange what a trade gives and takes; paid from what the order has locked."""
        given, received = fill.quote, fill.amount
        if order.side is Side.SELL:
            given, received = received, given
        self.ledger.post(
            fill.time_ms,
            "trade",
            f"trade {fill.trade_id} {order.reference}",
            transfer(order.asset_given, given, Account.LOCKED, Account.MARKET),
            transfer(order.asset_received, received, Account.MARKET, Account.FREE),
            transfer(order.asset_received, fill.fee, Account.FREE, Account.FEES),
        )
        order.locked -= given


def insufficient_balance() -> ApiError:
    """The refusal of an order that the account cannot pay (-2010)."""
    return ApiError(-2010, "Account has insufficient balance for requested action.")
