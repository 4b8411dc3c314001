"""Freqtrade's own bot in dry-run, on an exchange that answers from memory.

For the rules of live trading that backtests do not share. Nothing is sent anywhere: markets are
given, prices stand still at `PRICE`, and the database is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
from freqtrade.enums import CandleType, RunMode
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.persistence import Trade
from freqtrade.resolvers import ExchangeResolver
from freqtrade.strategy import IStrategy

from tests.engine import base_config, candle_frame, flat, offline_exchange, resolvable

PAIR = "BTC/USDT"
PRICE = 100.0


@contextmanager
def live_bot(strategy: type[IStrategy], folder: Path, **settings: Any) -> Iterator[FreqtradeBot]:
    """Start a dry-run bot with one pair and no trades; clean it up afterwards."""
    config = base_config(folder, [PAIR])
    config |= {"runmode": RunMode.DRY_RUN, "db_url": "sqlite://", "initial_state": "running"}
    config |= settings
    with resolvable(strategy) as names:
        config |= names
        exchange = offline_exchange(config, [PAIR])
        book = {"bids": [[PRICE, 1e6]], "asks": [[PRICE, 1e6]]}
        with (
            patch.object(ExchangeResolver, "load_exchange", return_value=exchange),
            patch.object(exchange, "get_rate", return_value=PRICE),
            patch.object(exchange, "fetch_l2_order_book", return_value=book),
            patch.object(exchange, "get_fee", return_value=0.001),
        ):
            bot = FreqtradeBot(config)
            try:
                yield bot
            finally:
                bot.cleanup()
                Trade.session.remove()


def enter(bot: FreqtradeBot, stake: float = 1_000.0) -> list[Trade]:
    """Ask the bot to buy the pair for `stake` USDT; returns the open trades."""
    bot.execute_entry(PAIR, stake, enter_tag="scripted")
    return list(Trade.get_open_trades())


def candles_opened(ago: timedelta, count: int = 5) -> pd.DataFrame:
    """Flat hourly candles of which the newest opened that long ago (not on the hour)."""
    newest = datetime.now(UTC) - ago
    return candle_frame(flat(count), "1h", newest - timedelta(hours=count - 1))


def feed(bot: FreqtradeBot, frame: pd.DataFrame) -> None:
    """Give the bot candles as if it had downloaded them, and let the strategy analyse them."""
    bot.exchange._klines[(PAIR, bot.strategy.timeframe, CandleType.SPOT)] = frame
    bot.strategy.analyze([PAIR])
