"""Spoiled candles through Freqtrade's own exchange class: what of them a strategy gets to see.

For each fault: whether Ballast trusts the newest candle, and what Freqtrade alone would go by.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
import time_machine
from freqtrade.enums import CandleType, RunMode
from freqtrade.exchange import Exchange
from freqtrade.resolvers import ExchangeResolver

from ballast.core.columns import CandleColumns
from ballast.core.data_quality import DataQualityLimits, assess
from ballast.core.measured import MeasuredCandles
from ballast.core.trust import DataQuality
from sandbox.candles import HOUR_MS, MINUTE_MS
from sandbox.clock import RealClock
from sandbox.faults import Fault
from sandbox.faults_answers import Answers
from sandbox.faults_http import misbehave
from sandbox.faults_plan import FaultPlan
from sandbox.market_data import MarketData
from sandbox.overlay import overlay
from sandbox.server import build_app
from sandbox.sources import GeneratedSource, span_ms
from tests.exchange_thread import serving

PAIR, TIMEFRAME, CANDLE_MS = "BTC/USDT", "5m", 5 * MINUTE_MS
SOURCE = GeneratedSource(7, days=30, pairs=[PAIR])
BORDER_MS = span_ms(SOURCE)[0] + 500 * HOUR_MS
CONFIG: dict[str, Any] = {
    "runmode": RunMode.DRY_RUN,
    "dry_run": True,
    "stake_currency": "USDT",
    "timeframe": TIMEFRAME,
    "trading_mode": "spot",
    "margin_mode": "",
    "candle_type_def": CandleType.SPOT,
    "entry_pricing": {"price_side": "other", "use_order_book": False},
    "exit_pricing": {"price_side": "other", "use_order_book": False},
}


@dataclass
class Feed:
    """Freqtrade's exchange on a sandbox whose candles can be spoiled."""

    exchange: Exchange
    plan: FaultPlan
    clock: Any

    def spoil(self, **fault: Any) -> None:
        self.plan.add(Fault.from_json(fault, "Fault"))

    def refresh(self, after_border_s: float) -> pd.DataFrame:
        """The frame that a strategy gets at a moment, from the border on."""
        moment = BORDER_MS / 1000 + after_border_s
        self.clock.move_to(datetime.fromtimestamp(moment, tz=UTC))
        self.exchange.refresh_latest_ohlcv([(PAIR, TIMEFRAME, CandleType.SPOT)])
        return self.exchange.klines((PAIR, TIMEFRAME, CandleType.SPOT))


@pytest.fixture
def feed(request: pytest.FixtureRequest) -> Iterator[Feed]:
    websocket = bool(getattr(request, "param", False))
    start = datetime.fromtimestamp(BORDER_MS / 1000 - 600, tz=UTC)
    with time_machine.travel(start, tick=False) as clock:
        market = MarketData(SOURCE, RealClock())
        plan = FaultPlan(RealClock(), 1)
        app = build_app(market, middlewares=[misbehave(plan, Answers(plan, market))])
        with serving(app) as url:
            section = overlay(url, websocket=websocket)["exchange"] | {"key": "", "secret": ""}
            config = CONFIG | {"exchange": section | {"pair_whitelist": [PAIR]}}
            exchange = ExchangeResolver.load_exchange(config)
            try:
                yield Feed(exchange, plan, clock)
            finally:
                exchange.close()


def truth(until_ms: int) -> pd.DataFrame:
    """The last candles that really ended by a moment."""
    frame = SOURCE.candles(PAIR).between(0, until_ms - CANDLE_MS + 1).to_frame()
    return frame.tail(300).reset_index(drop=True)


def same(frame: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether the newest candles of two frames are equal."""
    columns = ["date", "open", "high", "low", "close", "volume"]
    one, two = (f[columns].tail(200).to_numpy() for f in (frame, other))
    return bool((one == two).all())


def trusted(frame: pd.DataFrame) -> DataQuality:
    return DataQuality(int(assess(MeasuredCandles(frame, "1h"), DataQualityLimits())[-1]))


def is_fresh(frame: pd.DataFrame, after_border_s: float) -> bool:
    """Whether Ballast takes the newest candle for the one that has just ended."""
    now = datetime.fromtimestamp(BORDER_MS / 1000 + after_border_s, tz=UTC)
    columns = CandleColumns(frame["date"], TIMEFRAME, {})
    return columns.newest_at(now) >= 0


def test_sound_candles_are_seen_as_they_are_and_trusted(feed: Feed) -> None:
    frame = feed.refresh(2)
    assert same(frame, truth(BORDER_MS))
    assert trusted(frame) is DataQuality.OK
    assert is_fresh(frame, 2)


def test_candles_out_of_order_are_put_right_by_freqtrade(feed: Feed) -> None:
    feed.spoil(kind="candles_disordered")
    frame = feed.refresh(2)
    assert feed.plan.counts["candles_disordered"]
    assert same(frame, truth(BORDER_MS))
    assert trusted(frame) is DataQuality.OK


def test_a_missing_candle_is_not_replaced_by_the_one_before_it(feed: Feed) -> None:
    """Plain Freqtrade takes the older candle's signal until it is two timeframes old."""
    feed.spoil(kind="candle_missing", late_s=60)
    frame = feed.refresh(2)
    assert same(frame, truth(BORDER_MS - CANDLE_MS))
    assert not is_fresh(frame, 2)
    assert is_fresh(feed.refresh(61), 61)


def test_a_frozen_feed_is_not_trusted(feed: Feed) -> None:
    """Plain Freqtrade sees candles like any others: fresh dates, a price, a volume."""
    feed.refresh(-598)
    feed.spoil(kind="candles_frozen")
    frame = feed.refresh(2)
    assert is_fresh(frame, 2)
    assert frame["close"].iloc[-1] == frame["close"].iloc[-2]
    assert trusted(frame) is DataQuality.FILLED_HOLE


def test_a_feed_that_was_frozen_is_trusted_when_the_hole_is_filled(feed: Feed) -> None:
    feed.refresh(-598)
    feed.spoil(kind="candles_frozen")
    feed.refresh(2)
    feed.plan.remove()
    assert trusted(feed.refresh(302)) is DataQuality.OK


@pytest.mark.parametrize("ratio", [0.8, 1.25])
def test_a_bad_tick_is_not_trusted_nor_are_the_candles_after_it(feed: Feed, ratio: float) -> None:
    feed.spoil(kind="bad_tick", ratio=ratio, times=1)
    assert trusted(feed.refresh(2)) is DataQuality.ABSURD_BAR
    # Freqtrade asks again for candles it has and keeps the highest high and the lowest low of both.
    mended = feed.refresh(302)
    assert mended["close"].iloc[-2] == truth(BORDER_MS)["close"].iloc[-1]
    assert trusted(mended) is DataQuality.AFTER_ABSURD_BAR


def test_an_unfinished_candle_looks_closed_and_is_mended_at_the_next(feed: Feed) -> None:
    """Nothing in the candle tells: what bounds the damage is the gate's look at the price."""
    feed.spoil(kind="candle_unfinished", early_s=200, late_s=30)
    frame = feed.refresh(2)
    sound = truth(BORDER_MS)
    assert is_fresh(frame, 2)
    assert frame["close"].iloc[-1] != sound["close"].iloc[-1]
    mended = feed.refresh(302)
    assert mended["close"].iloc[-2] == sound["close"].iloc[-1]


@pytest.mark.parametrize("feed", [True], indirect=True, ids=["websocket"])
def test_candles_come_by_request_when_the_websocket_is_cut(feed: Feed) -> None:
    feed.refresh(-598)
    watched = feed.exchange._exchange_ws
    assert watched is not None
    eventually(lambda: bool(watched._klines_last_refresh))
    feed.spoil(kind="websocket_drop")
    eventually(lambda: feed.plan.counts["websocket_drop"] > 0)
    frame = feed.refresh(2)
    assert same(frame, truth(BORDER_MS))
    assert trusted(frame) is DataQuality.OK


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for what another thread does, in real time."""
    for _ in range(200):
        if holds():
            return
        threading.Event().wait(0.05)
    pytest.fail("it did not happen")
