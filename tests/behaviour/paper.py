"""Freqtrade's own bot, paper trading candle tables with the clock in our hand.

`Paper.step` gives the bot the candles that have ended by a moment and runs its whole loop once, the
way its worker does. Prices are those of a mapping, the database is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import time_machine
from freqtrade.data.converter import ohlcv_fill_up_missing_data
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import CandleType, RunMode
from freqtrade.exchange import timeframe_to_minutes
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.persistence import Trade
from freqtrade.resolvers import ExchangeResolver

from ballast.strategy import startup
from ballast.strategy.guarded import GuardedStrategy
from tests.engine import base_config, offline_exchange, resolvable

# From the end of a candle to the loop that acts on it.
DELAY = timedelta(seconds=3)
FEE = 0.001


@dataclass
class Paper:
    """
    A bot that is running.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        All candles of each pair, past and to come.
    prices : dict of str to float
        What each pair costs now.
    newest : int or None
        How many candles the exchange hands out at most.
    """

    bot: FreqtradeBot
    frames: Mapping[str, pd.DataFrame]
    prices: dict[str, float]
    clock: Any
    newest: int | None = None
    loops: int = field(default=0)

    def step(self, border: datetime) -> None:
        """Run the bot once shortly after a candle has ended, at the next candle's open."""
        for pair, frame in self.frames.items():
            running = frame[frame["date"] == border]
            if len(running):
                self.prices[pair] = float(running["open"].iloc[0])
        self.deliver(border)
        self.loop(border + DELAY)

    def deliver(self, moment: datetime) -> None:
        """Hand out the candles that have ended by a moment."""
        timeframe = self.bot.strategy.timeframe
        candle = pd.Timedelta(minutes=timeframe_to_minutes(timeframe))
        for pair, frame in self.frames.items():
            ended = frame[frame["date"] + candle <= moment]
            ended = ended.iloc[-self.newest :] if self.newest else ended
            # As Freqtrade hands them on: holes filled, up to the last candle there is.
            ended = ohlcv_fill_up_missing_data(ended, timeframe, pair)
            key = (pair, timeframe, CandleType.SPOT)
            self.bot.exchange._klines[key] = ended.reset_index(drop=True)

    def loop(self, moment: datetime) -> None:
        """Run the bot's loop once."""
        self.clock.move_to(moment)
        self.loops += 1
        self.bot.process()

    @property
    def trades(self) -> list[Trade]:
        """All trades, open and closed, by opening."""
        return sorted(Trade.get_trades_proxy(), key=lambda trade: trade.open_date)


@contextmanager
def stops_at_their_level() -> Iterator[dict[str, Any]]:
    """As in a backtest: a stop is filled at its level, not at a limit below; yields the settings.

    Such a bot is refused at start: that its stops do not rest on the exchange is let pass here.
    """
    with patch.object(startup, "stops_rest", lambda _: ()):
        yield {"order_types": {**GuardedStrategy.order_types, "stoploss_on_exchange": False}}


@contextmanager
def paper(
    strategy: type[GuardedStrategy] | Path,
    frames: Mapping[str, pd.DataFrame],
    folder: Path,
    begin: datetime,
    *,
    newest: int | None = None,
    **settings: Any,
) -> Iterator[Paper]:
    """Start a paper-trading bot at a moment; clean it up afterwards."""
    config = base_config(folder, list(frames))
    config |= {
        "runmode": RunMode.DRY_RUN,
        "db_url": "sqlite://",
        "initial_state": "running",
        "stake_amount": "unlimited",
        "entry_pricing": {"price_side": "other", "use_order_book": False},
        "exit_pricing": {"price_side": "other", "use_order_book": False},
        **settings,
    }
    prices: dict[str, float] = dict.fromkeys(frames, 1.0)

    def book(pair: str, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        return {"bids": [[prices[pair], 1e9]], "asks": [[prices[pair], 1e9]]}

    with ExitStack() as stack:
        clock = stack.enter_context(time_machine.travel(begin + DELAY, tick=False))
        config |= stack.enter_context(resolvable(strategy))
        exchange = offline_exchange(config, list(frames))
        for target, name, answer in (
            (ExchangeResolver, "load_exchange", lambda *_, **__: exchange),
            (exchange, "reload_markets", lambda *_, **__: None),
            (exchange, "get_rate", lambda pair, *_, **__: prices[pair]),
            (exchange, "fetch_l2_order_book", book),
            (exchange, "get_fee", lambda *_, **__: FEE),
            # Asked for the wallet's history, once a day.
            (exchange, "get_conversion_rate", lambda *_, **__: 1.0),
            (DataProvider, "refresh", lambda *_, **__: None),
        ):
            stack.enter_context(patch.object(target, name, answer))
        bot = FreqtradeBot(config)
        try:
            yield Paper(bot, frames, prices, clock, newest)
        finally:
            bot.cleanup()
            Trade.session.remove()
