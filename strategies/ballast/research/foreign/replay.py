"""A strategy's own columns, worked out by Freqtrade on candles that are cut off where one likes."""

import runpy
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
from freqtrade.configuration import TimeRange
from freqtrade.data.dataprovider import DataProvider
from freqtrade.data.history import get_datahandler, load_pair_history
from freqtrade.enums import CandleType, TradingMode
from freqtrade.exceptions import FreqtradeException, OperationalException
from freqtrade.exchange import Exchange, timeframe_to_minutes
from freqtrade.persistence.usedb_context import FtNoDBContext
from freqtrade.resolvers import StrategyResolver
from freqtrade.strategy import IStrategy
from freqtrade.wallets import Wallets

from ballast.research import missing_candles
from ballast.research.backtests import Task, TaskError, offline_exchange, prepared
from ballast.strategy.layer import Layer

# How much longer the history is made, to see whether a difference shrinks.
_TIMES = (1, 4)
_FREE: dict[str, Any] = {"min": None, "max": None}
# What Binance's smallest order is worth, in the currency that pays for it; of others that of a
# dollar's. Without one a rest of the budget would be traded that no exchange takes.
_SMALLEST_ORDER = {"BTC": 0.0001, "ETH": 0.001, "BNB": 0.01}
_SMALLEST_IN_DOLLARS = 5.0

Frames = dict[tuple[str, str], pd.DataFrame]


class CutProvider(DataProvider):
    """
    Freqtrade's data provider, which hands out no candle outside of a span.

    Parameters
    ----------
    pairs : tuple of str
        The whitelist.
    """

    def __init__(self, config: dict[str, Any], exchange: Exchange, pairs: tuple[str, ...]) -> None:
        super().__init__(config, exchange, SimpleNamespace(whitelist=list(pairs)))
        self._frames: Frames = {}
        self._traded = pd.Timedelta(minutes=timeframe_to_minutes(str(config["timeframe"])))
        self._opens = self._ends = pd.Timestamp(0, tz="UTC")
        self._warmup = 0
        self._empty: set[tuple[str, str]] = set()

    def empty_frames(self) -> list[tuple[str, str]]:
        """Pair and timeframe of what was asked for that there are no candles of."""
        return sorted(self._empty)

    def stored(self, pair: str, timeframe: str) -> pd.DataFrame:
        """All candles of a pair that there are."""
        key = (pair, timeframe)
        if key not in self._frames:
            self._frames[key] = load_pair_history(
                pair=pair,
                timeframe=timeframe,
                datadir=Path(self._config["datadir"]),
                data_format=self._config["dataformat_ohlcv"],
                candle_type=CandleType.SPOT,
            )
        return self._frames[key]

    def show(self, opens: pd.Timestamp, ends: pd.Timestamp, warmup: int) -> None:
        """
        Hand out what had ended by `ends`.

        Parameters
        ----------
        opens : Timestamp
            Of the first candle that is traded on; on other timeframes candles begin with as many
            of their own before the warm-up's end, as Freqtrade gives them.
        """
        self._opens, self._ends, self._warmup = opens, ends, warmup

    def historic_ohlcv(self, pair: str, timeframe: str, candle_type: str = "") -> pd.DataFrame:
        frame = self.stored(pair, timeframe)
        if not len(frame):
            self._empty.add((pair, timeframe))
            return frame
        span = pd.Timedelta(minutes=timeframe_to_minutes(timeframe))
        first = self._opens + self._warmup * (self._traded - span)
        inside = (frame["date"] >= first) & (frame["date"] + span <= self._ends)
        return frame[inside].reset_index(drop=True)


class Replay:
    """
    What stands behind the layer, asked for its columns.

    Parameters
    ----------
    strategy : IStrategy
        One under the layer.
    """

    def __init__(self, strategy: Any, provider: CutProvider) -> None:
        self.strategy = strategy
        self._behind = strategy._behind()
        self._provider = provider

    def start(self) -> None:
        """Start theirs alone: parameters are read, and no session of the layer is made."""
        self._behind.ft_bot_start()

    @property
    def timeframe(self) -> str:
        """Of the candles that are traded."""
        return str(self.strategy.timeframe)

    @property
    def warmup(self) -> int:
        """Candles before the first signal, under the layer."""
        return int(self.strategy.startup_candle_count)

    def histories(self) -> tuple[int, ...]:
        """How many candles a warm-up is tried with: theirs, the layer's, and more of it."""
        own = int(self._behind.startup_candle_count)
        return (*((own,) if 1 < own < self.warmup else ()), *(n * self.warmup for n in _TIMES))

    def candles(self, pair: str, timerange: str, most: int) -> pd.DataFrame:
        """
        Candles of a pair in a time range and its warm-up; without a range the last `most`.

        Raises
        ------
        TaskError
            Where there are none.
        """
        frame = self._provider.stored(pair, self.timeframe)
        if len(frame) and timerange:
            wanted = TimeRange.parse_timerange(timerange)
            wanted.subtract_start(60 * timeframe_to_minutes(self.timeframe) * self.warmup)
            after = frame["date"] >= wanted.startdt if wanted.startdt else True
            frame = frame[after & (frame["date"] <= wanted.stopdt if wanted.stopdt else True)]
        elif len(frame):
            frame = frame.tail(most)
        if not len(frame):
            folder, when = self.strategy.config["datadir"], f" in {timerange}" if timerange else ""
            raise TaskError(missing_candles.sentence(folder, pair, self.timeframe, when))
        return frame.reset_index(drop=True)

    def populate(
        self, pair: str, candles: pd.DataFrame, first: int, end: int, warmup: int
    ) -> pd.DataFrame:
        """Their columns on the candles from one position up to another."""
        part = candles.iloc[first:end].reset_index(drop=True)
        span = pd.Timedelta(minutes=timeframe_to_minutes(self.timeframe))
        self._provider.show(part["date"].iloc[0], part["date"].iloc[-1] + span, warmup)
        provider = self._provider
        with missing_candles.noted(self.strategy.config["datadir"], provider.empty_frames):
            # A dictionary for each: theirs may write into it.
            frame = self._behind.advise_indicators(part, {"pair": pair})
            frame = self._behind.advise_entry(frame, {"pair": pair})
            return self._behind.advise_exit(frame, {"pair": pair})


def priced(task: Task, fee: float) -> Task:
    """
    The same task with markets made up from the pairs' names, so that no exchange is asked.

    Parameters
    ----------
    fee : float
        Of a fill, ratio of its value, where the configuration has none.
    """
    config = {"fee": fee, **task.config}
    return replace(task, config=config, markets={pair: _market(pair) for pair in task.pairs})


def _markets(config: dict[str, Any], task: Task) -> dict[str, Any]:
    """As much of markets as a pair's name tells, for the pairs that there are candles of."""
    files = get_datahandler(Path(task.datadir), config["dataformat_ohlcv"])
    stored = files.ohlcv_get_available_data(Path(task.datadir), TradingMode.SPOT)
    return {pair: _market(pair) for pair in (*task.pairs, *(pair for pair, *_ in stored))}


def _market(pair: str) -> dict[str, Any]:
    base, _, quote = pair.partition("/")
    least = _SMALLEST_ORDER.get(quote, _SMALLEST_IN_DOLLARS)
    return {
        "id": base + quote,
        "symbol": pair,
        "info": {},
        **{"base": base, "quote": quote, "baseId": base, "quoteId": quote},
        **{"type": "spot", "spot": True, "active": True, "contract": False},
        # The finest steps there are.
        "precision": {"amount": 1e-8, "price": 1e-8},
        "limits": {"amount": _FREE, "price": _FREE, "cost": {"min": least, "max": None}},
    }


def _reason(task: Task, config: dict[str, Any]) -> str:
    """Why a strategy's file does not load, where that is the file: Freqtrade only logs it."""
    try:
        runpy.run_path(str(Path(config["strategy_path"]) / f"{task.strategy}.py"))
    except ModuleNotFoundError as error:
        beside = sorted(Path(task.strategy_path).rglob(f"{error.name}.py"))
        where = f"; it lies in {beside[0].parent}, where it is not looked for" if beside else ""
        return f"{error}{where}"
    except FreqtradeException as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


@contextmanager
def loaded(task: Task) -> Iterator[Replay]:
    """
    A strategy under the layer, as Freqtrade loads it, with its parameters.

    Raises
    ------
    TaskError
        Where Freqtrade or the layer refuses it, or it fails.
    """
    with (
        prepared(task) as config,
        closing(offline_exchange(config, task.markets or _markets(config, task))) as exchange,
        FtNoDBContext(),
    ):
        try:
            strategy: IStrategy = StrategyResolver.load_strategy(config)
        except OperationalException as error:
            raise TaskError(f"{task.strategy}: {_reason(task, config) or error}") from None
        if not isinstance(strategy, Layer):
            raise TaskError(f"{task.strategy} is not under the layer")
        if not config.get("timeframe"):
            raise TaskError(f"{task.strategy} states no timeframe: set one in the configuration")
        provider = CutProvider(config, exchange, task.pairs)
        strategy.dp = provider
        strategy.wallets = Wallets(config, exchange, is_backtest=True)
        replay = Replay(strategy, provider)
        replay.start()
        yield replay
