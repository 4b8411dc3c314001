"""A pair that the exchange does not list, or lists no more, is named, and holds up no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from aiohttp import web
from freqtrade.exceptions import ExchangeError

from ballast.core.events import EventKind
from ballast.execution.exchange_view import ExchangeView
from sandbox.candles import Candles
from sandbox.markets import Market
from sandbox.regimes import Label
from tests.behaviour.live_story import Told, hourly
from tests.behaviour.mini import Mini, Story, at, quiet, signal
from tests.live_run import live_run

HELD, OTHER = "AAA/USDT", "BBB/USDT"
# Bought at row 3; the other signals in row 6.
STORIES: dict[str, Story] = {
    HELD: [*quiet(2), signal(), *quiet(9, 101)],
    OTHER: [*quiet(6), signal(), *quiet(5, 101)],
}


def ms(row: int) -> int:
    return round(at(row).timestamp() * 1000)


@dataclass(frozen=True)
class Stories:
    """A market for each story."""

    by_market: dict[Market, Candles]

    def markets(self) -> tuple[Market, ...]:
        return tuple(self.by_market)

    def candles(self, pair: str) -> Candles:
        return next(rows for market, rows in self.by_market.items() if market.pair == pair)

    def labels(self) -> tuple[Label, ...]:
        return ()


def market(stories: dict[str, Story], **delisted: dict[str, Any]) -> Stories:
    """The stories' market; by base currency, when a pair is delisted and removed."""
    found = {}
    for pair, story in stories.items():
        table = hourly(story)
        ends = delisted.get(pair.split("/")[0], {})
        found[replace(table.market, pair=pair, **ends)] = table.rows
    return Stories(found)


@contextmanager
def bot(source: Stories, folder: Path, ballast: dict[str, Any], **settings: Any) -> Iterator[Told]:
    settings = {"loop_seconds": 60, "stake_amount": "unlimited", **settings}
    begin = at(3) + timedelta(seconds=1)
    with live_run(Mini, source, folder, begin, ballast=ballast, **settings) as run:
        told = Told(run)
        told.listen()
        yield told


def bought(told: Told) -> list[str]:
    return [trade.pair for trade in told.run.trades]


def test_a_held_coin_that_was_removed_holds_up_no_other_pair(tmp_path: Path) -> None:
    """It was asked for all the same: DATA_OUTAGE and RECONCILE_FAILED for all pairs, for ever."""
    gone = {"delisted_ms": ms(4), "removed_ms": ms(5)}
    with bot(market(STORIES, AAA=gone), tmp_path, {"market": {"leader": OTHER}}) as told:
        told.loops(3)
        assert bought(told) == [HELD]
        number = told.run.trades[0].id
        told.run.minutes(30)
        # Freqtrade reads what is listed at its start, and once an hour.
        told.run.killed()
        told.run.minutes(120)
        told.run.started()
        told.listen()
        told.run.minutes(130)
        assert bought(told) == [HELD, OTHER]
        (unlisted,) = [event for event in told.events if event.code == "NOT_LISTED"]
        assert (unlisted.pair, unlisted.trade_id) == (HELD, number)
        assert f"then /delete {number}" in unlisted.facts["detail"]
        assert not {"RECONCILE_FAILED", "DATA_OUTAGE"} & {event.code for event in told.events}


def test_nor_does_one_that_was_delisted_while_the_bot_ran(tmp_path: Path) -> None:
    """The exchange knows it still, has ended its candles, and expired its stop."""
    ends = {"delisted_ms": ms(4)}
    with bot(market(STORIES, AAA=ends), tmp_path, {"market": {"leader": OTHER}}) as told:
        told.run.minutes(5 * 60)
        assert bought(told) == [HELD, OTHER]
        assert [event.pair for event in told.events if event.code == "NOT_LISTED"] == [HELD]
        blocked = [event for event in told.events if event.kind is EventKind.GUARD]
        assert "*" not in {event.pair for event in blocked}


@pytest.mark.parametrize(
    "leader", [None, "XYZ/USDT", HELD], ids=["its default", "none there is", "delisted"]
)
def test_a_leader_that_is_not_listed_is_named_and_never_asked_for(
    leader: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """BTC/BTC, for example, which stake currency BTC asks for."""
    stories = {HELD: quiet(12), OTHER: STORIES[OTHER]}
    asked: list[str] = []
    ends = {"delisted_ms": ms(-5)}

    @web.middleware
    async def listening(request: web.Request, handler: Any) -> web.StreamResponse:
        asked.append(request.query.get("symbol", ""))
        return await handler(request)

    settings = {"market": {"leader": leader}, "trust": {"late_candle_s": 0}}
    source = market(stories, AAA=ends)
    with bot(source, tmp_path, settings, middlewares=[listening]) as told:
        told.run.minutes(250)
        assert bought(told) == [OTHER]
        assert not {"DATA_OUTAGE"} & {event.code for event in told.events}
    name = leader or "BTC/USDT"
    assert f"no 1h candles of {name} (not listed) as ballast.market.leader" in caplog.text
    assert set(asked) <= {"", "BBBUSDT"}


def test_what_the_exchange_refuses_of_one_pair_refuses_that_pair(tmp_path: Path) -> None:
    """Not a lost connection: that ends a comparison at once, as it did."""
    stories = {HELD: STORIES[HELD], OTHER: STORIES[HELD]}
    own = ExchangeView.open_orders

    def refusing(self: ExchangeView, pair: str) -> Any:
        if pair == OTHER:
            raise ExchangeError("no such permission")
        return own(self, pair)

    with (
        patch.object(ExchangeView, "open_orders", refusing),
        bot(market(stories), tmp_path, {"market": {"leader": HELD}}) as told,
    ):
        told.loops(2)
        assert bought(told) == [HELD]
        (failed,) = [event for event in told.events if event.code == "RECONCILE_FAILED"]
        assert failed.pair == OTHER
        refused = [event for event in told.events if event.kind is EventKind.REFUSED]
        assert {(event.pair, event.code) for event in refused} == {(OTHER, "NOT_RECONCILED")}
        with patch.object(ExchangeView, "open_orders", own):
            told.loops(1)
        watch = told.run.bot.strategy.session.execution.watch
        assert not watch.verdict(OTHER, told.run.now).blocks
