"""The part of the command line that is about trading: wallet, fee, key and its rights."""

from __future__ import annotations

import argparse
import time
from decimal import Decimal, InvalidOperation

from sandbox.account import ClientAccount
from sandbox.errors import ApiError, SandboxError
from sandbox.exchange import Exchange
from sandbox.ledger import Ledger
from sandbox.market_data import MarketData
from sandbox.signing import DEFAULT_KEY, DEFAULT_SECRET, ApiKey
from sandbox.units import MILLION, parse

RIGHTS = ("reading", "trading", "withdrawals", "any-ip")
DEFAULT_RIGHTS = ("reading", "trading")
MAX_FEE = 100_000


def add_trading_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that the other functions of this module read."""
    add = parser.add_argument_group("trading").add_argument
    add("--live", action="store_true", help="the overlay trades live, with the key")
    add("--trade-listed", action="store_true", help="the overlay trades every pair that trades")
    add("--websocket", action="store_true", help="the overlay has candles come by websocket")
    add("--wallet", nargs="*", default=["USDT=10000"], metavar="ASSET=AMOUNT", help="%(default)s")
    add("--fee", default="0.001", help="of what a trade brings in, as a ratio (%(default)s)")
    add("--volume-share", default="0.1", help="that resting orders get, a ratio (%(default)s)")
    add("--key", default=DEFAULT_KEY, help="the API key that is accepted (%(default)s)")
    add("--secret", default=DEFAULT_SECRET, help="its secret (%(default)s)")
    add(
        "--rights",
        nargs="*",
        default=DEFAULT_RIGHTS,
        choices=RIGHTS,
        help="what the key may do, and whether from any address (reading trading)",
    )


def api_key(options: argparse.Namespace) -> ApiKey:
    """The key that the sandbox accepts."""
    return ApiKey(
        options.key,
        options.secret,
        reading="reading" in options.rights,
        spot_trading="trading" in options.rights,
        withdrawals="withdrawals" in options.rights,
        ip_restricted="any-ip" not in options.rights,
    )


def overlay_key(options: argparse.Namespace) -> ApiKey | None:
    """The key for the overlay: none unless it is for live trading."""
    return api_key(options) if options.live else None


def exchange_of(options: argparse.Namespace, market: MarketData) -> Exchange:
    """An exchange with the wallet and the fee asked for; SandboxError if they cannot be read."""
    account = ClientAccount(Ledger(), _millionths("--fee", options.fee, MAX_FEE))
    for text in options.wallet:
        asset, _, amount = text.partition("=")
        try:
            account.deposit(market.clock.now_ms(), asset, parse("amount", amount))
        except ApiError:
            asset = ""
        if not (asset.isascii() and asset.isalnum() and asset.isupper()):
            raise SandboxError(f"--wallet takes assets such as USDT=10000, not {text!r}.")
    share = _millionths("--volume-share", options.volume_share, MILLION)
    # A bot keeps its database when the sandbox is started anew: no number may come again.
    return Exchange(market, account, share_millionths=share, first_id=time.time_ns() // 1_000_000)


def _millionths(name: str, text: str, maximum: int) -> int:
    try:
        millionths = Decimal(text) * MILLION
    except InvalidOperation:
        millionths = Decimal(-1)
    if not millionths.is_finite() or not 0 <= millionths <= maximum or millionths % 1:
        highest = Decimal(maximum) / MILLION
        raise SandboxError(
            f"{name} is a ratio from 0 to {highest:f} with up to six decimals, not {text!r}."
        )
    return int(millionths)
