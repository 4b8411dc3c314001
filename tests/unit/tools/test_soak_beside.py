"""Who else uses the account of a soak run acts when it is due; the bot's truth leaves it out."""

from __future__ import annotations

import asyncio
import random
from typing import Any, cast

import pytest

from sandbox.account import ClientAccount
from sandbox.clock import FixedClock
from sandbox.exchange import Exchange
from sandbox.ledger import Ledger
from sandbox.market_data import MarketData
from sandbox.sources import GeneratedSource
from sandbox.units import UNIT, from_float
from tools import soak_truth
from tools.run_soak import BEGIN
from tools.soak_beside import OTHER_COIN, OTHER_PAIR, Beside, Others

NOW_MS = round(BEGIN.timestamp() * 1000)


def others(who: Beside, moments: list[int]) -> Others:
    account = ClientAccount(Ledger())
    account.deposit(NOW_MS, "USDT", from_float(10_000))
    source = GeneratedSource(1, pairs=("BTC/USDT", OTHER_PAIR))
    exchange = Exchange(MarketData(source, FixedClock(NOW_MS)), account)
    return Others(who, exchange, moments, random.Random(1))


def a_request(who: Others) -> None:
    """One that the exchange is sent."""

    async def answer(request: Any) -> Any:
        return "answered"

    assert asyncio.run(cast(Any, who.middleware())(None, answer)) == "answered"


@pytest.mark.parametrize("who", [Beside.PERSON, Beside.BOT])
def test_nothing_happens_before_its_time(who: Beside) -> None:
    waiting = others(who, [NOW_MS + 1])
    a_request(waiting)
    assert (waiting.flows, waiting.trades, len(waiting.moments)) == ([], 0, 1)


def test_what_a_person_pays_is_what_the_account_has_more_or_less() -> None:
    person = others(Beside.PERSON, [NOW_MS, NOW_MS])
    a_request(person)
    paid = sum(amount for _, amount in person.flows)
    assert len(person.flows) == 2
    assert person.exchange.account.free("USDT") / UNIT == pytest.approx(10_000 + paid)


def test_another_bot_buys_and_sells_what_the_bot_does_not_trade() -> None:
    bot = others(Beside.BOT, [NOW_MS])
    a_request(bot)
    account = bot.exchange.account
    assert account.free(OTHER_COIN) > 0
    assert soak_truth.unknown_coins(bot.exchange, soak_truth.NOTHING) == {}
    assert [market.pair for market in soak_truth.traded(bot.exchange)] == ["BTC/USDT"]
    bot.moments.append(NOW_MS)
    a_request(bot)
    assert account.free(OTHER_COIN) < bot.exchange.orders[0].executed / 100
    assert bot.trades == 2


def test_nobody_does_nothing() -> None:
    nobody = others(Beside.NOBODY, [NOW_MS])
    a_request(nobody)
    assert nobody.exchange.orders == []
