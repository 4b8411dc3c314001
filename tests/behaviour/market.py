"""A generated market, and strategies analysing it as Freqtrade would have them do.

The candles are filled as Freqtrade fills them. `CutProvider` is Freqtrade's data provider with
these candles behind it, cut at a moment: nothing that ends later can be seen through it.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from freqtrade.data.converter import ohlcv_fill_up_missing_data
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import CandleType, RunMode
from freqtrade.exchange import timeframe_to_minutes

from ballast.strategy.guarded import GuardedStrategy
from sandbox.candles import TIMEFRAMES_MS, aggregate
from sandbox.sources import GeneratedSource

STRATEGIES = Path(__file__).resolve().parents[2] / "strategies"
LEADER = "BTC/USDT"


def every_strategy() -> list[type[GuardedStrategy]]:
    """Every strategy class of the pack: one that is added is among them without being named."""
    found = []
    for path in sorted(STRATEGIES.glob("*.py")):
        module = importlib.import_module(path.stem)
        classes = [cls for _, cls in inspect.getmembers(module, inspect.isclass)]
        own = [cls for cls in classes if cls.__module__ == path.stem]
        # A former name is the same strategy again.
        found += [cls for cls in own if issubclass(cls, GuardedStrategy) and not cls.renamed_to]
    return found


@cache
def source(days: int, pairs: tuple[str, ...] | None = None, seed: int = 7) -> GeneratedSource:
    """The market of `days` days that begins on Monday, 1 January 2024."""
    return GeneratedSource(seed, days=days, pairs=pairs)


@cache
def _candles(market: GeneratedSource, pair: str, timeframe: str) -> pd.DataFrame:
    made = aggregate(market.candles(pair), TIMEFRAMES_MS[timeframe]).to_frame()
    return ohlcv_fill_up_missing_data(made, timeframe, pair).reset_index(drop=True)


def candles(market: GeneratedSource, pair: str, timeframe: str) -> pd.DataFrame:
    """A pair's candles as Freqtrade loads them, holes filled flat with no volume."""
    return _candles(market, pair, timeframe).copy()


def before(frame: pd.DataFrame, timeframe: str, moment: datetime) -> pd.DataFrame:
    """The candles that have ended by `moment`."""
    ends = frame["date"] + pd.Timedelta(minutes=timeframe_to_minutes(timeframe))
    return frame[ends <= moment].reset_index(drop=True)


def configuration(pairs: Iterable[str], **settings: Any) -> dict[str, Any]:
    """The part of Freqtrade's configuration that a strategy and its data provider read."""
    return {
        "runmode": RunMode.BACKTEST,
        "dry_run": True,
        "dry_run_wallet": 10_000,
        "tradable_balance_ratio": 1.0,
        "stake_currency": "USDT",
        "candle_type_def": CandleType.SPOT,
        "trading_mode": "spot",
        "exchange": {"name": "binance", "pair_whitelist": list(pairs)},
        "ballast": {"market": {"basket": list(pairs)}},
        **settings,
    }


class CutProvider(DataProvider):
    """
    Freqtrade's data provider, with candles that are given and end at a moment.

    Parameters
    ----------
    config : mapping
        As from `configuration`.
    frames : mapping of (pair, timeframe) to DataFrame
    moment : datetime or None
        Candles that end later are not there; None shows all.
    """

    def __init__(
        self,
        config: dict[str, Any],
        frames: Mapping[tuple[str, str], pd.DataFrame],
        moment: datetime | None = None,
    ) -> None:
        super().__init__(config, None)
        self._given, self._moment = frames, moment

    def historic_ohlcv(self, pair: str, timeframe: str, candle_type: str = "") -> pd.DataFrame:
        frame = self._given.get((pair, timeframe))
        if frame is None:
            return pd.DataFrame({n: [] for n in ("date", "open", "high", "low", "close", "volume")})
        return frame.copy() if self._moment is None else before(frame, timeframe, self._moment)

    def current_whitelist(self) -> list[str]:
        return list(self._config["exchange"]["pair_whitelist"])


def started(
    kind: type[GuardedStrategy], timeframe: str, config: dict[str, Any], provider: DataProvider
) -> GuardedStrategy:
    """A strategy at the beginning of a run."""
    strategy = kind({**config, "timeframe": timeframe})
    strategy.timeframe = timeframe
    strategy.dp = provider
    strategy.ft_bot_start()
    return strategy


def analysed(strategy: GuardedStrategy, pair: str) -> pd.DataFrame:
    """A pair's candles with every column that Freqtrade's backtest would have from the strategy."""
    frame = strategy.dp.historic_ohlcv(pair, strategy.timeframe)
    frame = strategy.advise_indicators(frame, {"pair": pair})
    return strategy.ft_advise_signals(frame, {"pair": pair})


def utc(text: str) -> datetime:
    """An ISO date or time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
