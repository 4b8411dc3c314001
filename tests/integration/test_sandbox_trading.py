"""ccxt itself trades on the sandbox exchange: every order type, every refusal it can be told."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ccxt
import pytest
import time_machine

from sandbox.account import ClientAccount
from sandbox.beside import running_sandbox
from sandbox.clock import RealClock
from sandbox.exchange import Exchange
from sandbox.ledger import Ledger
from sandbox.market_data import MarketData
from sandbox.overlay import overlay
from sandbox.server import build_exchange_app
from sandbox.signing import ApiKey
from sandbox.units import from_float
from tests.exchange import PAIR, START_MS, table
from tests.exchange_thread import serving

# Still, then a fall to 90 in the third candle, then a jump to 80.
STORY = table([(100, 100, 100, 100, 600)] * 2 + [(100, 100, 90, 92, 600)] + [(80, 81, 79, 80, 600)])
READ_ONLY = ApiKey("reader", "r", spot_trading=False)
IMMEDIATELY = ccxt.OrderImmediatelyFillable
BLIND = ApiKey("blind", "b", reading=False)


def through_ccxt(url: str, key: ApiKey | None = None) -> ccxt.binance:
    key = key or ApiKey()
    section = overlay(url, key)["exchange"]
    return ccxt.binance(section["ccxt_config"] | {"apiKey": key.key, "secret": key.secret})


@dataclass
class Client:
    """ccxt, the exchange it speaks to, and the clock of both."""

    ccxt: ccxt.binance
    exchange: Exchange
    url: str
    clock: Any

    def wait(self, minutes: float) -> None:
        self.clock.shift(timedelta(minutes=minutes))

    def admin(self, path: str, body: dict | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}/sandbox/{path}", data) as response:  # noqa: S310
            return json.load(response)


@pytest.fixture
def client() -> Iterator[Client]:
    start = datetime.fromtimestamp(START_MS / 1000, tz=UTC)
    with time_machine.travel(start, tick=False) as clock:
        account = ClientAccount(Ledger())
        account.deposit(START_MS, "USDT", from_float(10_000))
        account.deposit(START_MS, "AAA", from_float(20))
        exchange = Exchange(MarketData(STORY, RealClock()), account)
        app = build_exchange_app(exchange, [ApiKey(), READ_ONLY, BLIND])
        with serving(app) as url:
            trader = through_ccxt(url)
            trader.load_markets()
            yield Client(trader, exchange, url, clock)
            trader.session.close()
        assert exchange.audit() == []


def test_a_market_order_comes_back_filled_with_its_trades_and_fee(client: Client) -> None:
    order = client.ccxt.create_order(PAIR, "market", "buy", 2)
    assert (order["status"], order["filled"]) == ("closed", 2)
    assert order["average"] == pytest.approx(100.01)
    assert order["fee"] == {"currency": "AAA", "cost": 0.002}
    (trade,) = client.ccxt.fetch_my_trades(PAIR, params={"orderId": order["id"]})
    assert trade["fee"] == {"currency": "AAA", "cost": 0.002}
    assert trade["takerOrMaker"] == "taker"
    balance = client.ccxt.fetch_balance()
    assert balance["AAA"]["free"] == pytest.approx(21.998)
    assert balance["USDT"]["free"] == pytest.approx(10_000 - order["cost"])


def test_a_limit_order_rests_fills_in_part_and_is_cancelled(client: Client) -> None:
    order = client.ccxt.create_order(PAIR, "limit", "buy", 50, 95)
    assert order["status"] == "open"
    assert client.ccxt.fetch_balance()["USDT"]["used"] == 4750
    client.wait(12.5 + 20 / 60)
    partly = client.ccxt.fetch_order(order["id"], PAIR)
    # Past 95 for twenty seconds of a candle in which a fifth of a coin a second is for us.
    assert partly["status"] == "open"
    assert partly["filled"] == pytest.approx(4, abs=0.01)
    assert client.ccxt.fetch_open_orders(PAIR)[0]["id"] == order["id"]
    cancelled = client.ccxt.cancel_order(order["id"], PAIR)
    assert cancelled["status"] == "canceled"
    assert cancelled["filled"] == partly["filled"]
    assert client.ccxt.fetch_balance()["USDT"]["used"] == 0
    assert client.ccxt.private_get_openorders() == []
    assert client.ccxt.fetch_orders(PAIR)[0]["status"] == "canceled"


@pytest.mark.parametrize(("lasts", "status"), [("IOC", "expired"), ("FOK", "expired")])
def test_what_may_not_wait_expires(client: Client, lasts: str, status: str) -> None:
    order = client.ccxt.create_order(PAIR, "limit", "buy", 5, 95, {"timeInForce": lasts})
    assert order["status"] == status
    assert client.ccxt.fetch_order(order["id"], PAIR)["status"] == status


def test_a_post_only_order_rests_or_is_refused(client: Client) -> None:
    resting = client.ccxt.create_order(PAIR, "limit", "buy", 1, 99, {"postOnly": True})
    assert resting["status"] == "open"
    with pytest.raises(ccxt.ExchangeError, match="immediately match"):
        client.ccxt.create_order(PAIR, "limit", "buy", 1, 101, {"postOnly": True})


def test_a_stop_limit_is_placed_fetched_triggered_and_filled(client: Client) -> None:
    stop = client.ccxt.create_order(PAIR, "stop_loss_limit", "sell", 5, 94, {"stopPrice": 95})
    assert (stop["status"], stop["stopPrice"]) == ("open", 95)
    assert client.ccxt.fetch_balance()["AAA"] == {"free": 15, "used": 5, "total": 20}
    client.wait(15)
    filled = client.ccxt.fetch_order(stop["id"], PAIR)
    assert (filled["status"], filled["filled"]) == ("closed", 5)
    assert 94 <= filled["average"] <= 95


def test_a_stop_that_is_jumped_over_stays_open(client: Client) -> None:
    client.wait(12.5)
    stop = client.ccxt.create_order(PAIR, "stop_loss_limit", "sell", 5, 88, {"stopPrice": 89})
    client.wait(4)
    left = client.ccxt.fetch_order(stop["id"], PAIR)
    assert (left["status"], left["filled"]) == ("open", 0)
    assert left["info"]["isWorking"] is True


def test_a_stop_without_a_limit_and_a_take_profit_are_placed_and_cancelled(client: Client) -> None:
    for kind, price in (("STOP_LOSS", 95), ("TAKE_PROFIT", 105)):
        order = client.ccxt.create_order(PAIR, kind, "sell", 5, None, {"stopPrice": price})
        assert client.ccxt.fetch_order(order["id"], PAIR)["status"] == "open"
        assert client.ccxt.cancel_order(order["id"], PAIR)["status"] == "canceled"


@pytest.mark.parametrize(
    ("order", "refusal", "text"),
    [
        (("limit", "buy", 1, 3.0), ccxt.InvalidOrder, "PERCENT_PRICE"),
        (("limit", "buy", 0.01, 99), ccxt.BadRequest, "NOTIONAL"),
        (("limit", "buy", 200, 99), ccxt.InsufficientFunds, "insufficient balance"),
        (("stop_loss_limit", "sell", 1, 101, {"stopPrice": 101}), IMMEDIATELY, "trigger"),
    ],
)
def test_refusals_arrive_as_ccxts_own_errors(
    client: Client, order: tuple, refusal: type[Exception], text: str
) -> None:
    with pytest.raises(refusal, match=text):
        client.ccxt.create_order(PAIR, *order)
    assert client.exchange.orders == []


def test_unknown_orders_are_told_apart_when_asked_for_and_when_cancelled(client: Client) -> None:
    with pytest.raises(ccxt.OrderNotFound, match="-2013"):
        client.ccxt.fetch_order("77", PAIR)
    with pytest.raises(ccxt.OrderNotFound, match="-2011"):
        client.ccxt.cancel_order("77", PAIR)


def test_a_wrong_secret_a_wrong_key_and_a_wrong_clock_are_refused(client: Client) -> None:
    for key, refusal in (
        (ApiKey(secret="wrong"), "-1022"),  # noqa: S106
        (ApiKey("unknown"), "-2015"),
    ):
        with pytest.raises(ccxt.AuthenticationError, match=refusal):
            through_ccxt(client.url, key).private_get_account()
    client.ccxt.options["timeDifference"] = 20_000
    with pytest.raises(ccxt.InvalidNonce, match="-1021"):
        client.ccxt.fetch_balance()
    client.ccxt.options["timeDifference"] = -20_000
    with pytest.raises(ccxt.InvalidNonce, match="ahead of the server"):
        client.ccxt.fetch_balance()


def test_a_key_may_do_what_its_rights_say(client: Client) -> None:
    reader, blind = (through_ccxt(client.url, key) for key in (READ_ONLY, BLIND))
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        reader.private_post_order({"symbol": "AAAUSDT"})
    assert reader.fetch_balance()["USDT"]["free"] == 10_000
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        blind.private_get_account()
    rights = client.ccxt.sapi_get_account_apirestrictions()
    assert rights["enableReading"] is rights["enableSpotAndMarginTrading"] is True
    assert rights["enableWithdrawals"] is False
    assert rights["ipRestrict"] is True


def test_money_comes_and_goes_behind_the_clients_back_and_the_books_show_it(
    client: Client,
) -> None:
    client.admin("deposit", {"asset": "USDT", "amount": "5"})
    client.admin("withdraw", {"asset": "AAA", "amount": "20"})
    balance = client.ccxt.fetch_balance()
    assert balance["USDT"]["free"] == 10_005
    assert "AAA" not in balance["total"]
    postings = client.admin("ledger?after=2")
    assert [posting["kind"] for posting in postings] == ["deposit", "withdraw"]
    assert client.admin("audit") == []


def test_the_admin_sees_orders_with_what_they_hold_and_their_trades(client: Client) -> None:
    client.ccxt.create_order(PAIR, "market", "sell", 1)
    client.ccxt.create_order(PAIR, "limit", "buy", 1, 95)
    sold, resting = client.admin("orders")
    assert sold["trades"][0]["qty"] == "1.00000000"
    assert (resting["locked"], resting["lockedAsset"]) == ("95.00000000", "USDT")
    assert client.admin("balances")["locked"] == {"USDT": "95.00000000"}


@pytest.mark.usefixtures("any_hour")
def test_a_process_trades_with_the_wallet_key_and_fee_it_was_started_with(tmp_path: Path) -> None:
    line = ["--generate", "7", "--days", "30", "--pairs", "BTC/USDT", "--shift-to-now", "--live"]
    line += ["--wallet", "USDT=500", "BTC=2", "--fee", "0.002", "--key", "k", "--secret", "s"]
    with running_sandbox(tmp_path, *line) as sandbox:
        config = json.loads(sandbox.overlay.read_text())
        assert config["dry_run"] is False
        exchange = config["exchange"]
        keys = {"apiKey": exchange["key"], "secret": exchange["secret"]}
        trader = ccxt.binance(exchange["ccxt_config"] | keys)
        order = trader.create_order("BTC/USDT", "market", "sell", 0.5)
        assert order["fee"]["cost"] == pytest.approx(order["cost"] * 0.002)
        assert trader.fetch_balance()["BTC"]["free"] == 1.5
        assert sandbox.get("/sandbox/audit") == []
        trader.session.close()


def test_a_clock_that_stands_can_be_moved_by_its_admin(tmp_path: Path) -> None:
    line = ["--generate", "7", "--days", "30", "--pairs", "BTC/USDT", "--now", "2024-01-10"]
    with running_sandbox(tmp_path, *line) as sandbox:
        before = sandbox.get("/sandbox/clock")["now_ms"]
        body = json.dumps({"seconds": 90}).encode()
        request = urllib.request.Request(sandbox.url + "/sandbox/clock", body)  # noqa: S310
        with urllib.request.urlopen(request) as response:  # noqa: S310
            assert json.load(response) == {"now_ms": before + 90_000}
        assert sandbox.get("/api/v3/time")["serverTime"] == before + 90_000
