"""Freqtrade's backtesting with candles kept: reading them is most of a short backtest."""

import os
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
from freqtrade.configuration import TimeRange
from freqtrade.data import history
from freqtrade.exchange import timeframe_to_seconds
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.strategy import IStrategy

# Candles of so many combinations of folder, its state, timeframe and period are kept.
_KEPT = 4

_Loaded = dict[str, tuple[pd.DataFrame, pd.Series]]
_loaded: "OrderedDict[tuple[Any, ...], _Loaded]" = OrderedDict()
# A private name, held by a contract test: the provider copies what it gives.
_PROVIDED = "_DataProvider__cached_pairs_backtesting"
# What strategies ask for beside their own candles: the market's and coarser ones.
_asked_for: "OrderedDict[tuple[Any, ...], dict[Any, pd.DataFrame]]" = OrderedDict()


class CandleKeepingBacktesting(Backtesting):
    """Backtesting that keeps candles between the runs of a process."""

    pairlists: Any
    dataprovider: Any

    def fit_warmup(self, strategy: IStrategy) -> None:
        """Take the warm-up of a changed strategy: moved windows may need a longer one."""
        self.required_startup = strategy.startup_candle_count
        self.config["startup_candle_count"] = self.required_startup

    def load_bt_data(self) -> tuple[dict[str, pd.DataFrame], TimeRange]:
        wanted = list(self.pairlists.whitelist)
        key = (
            *_state(self.config["datadir"]),
            self.timeframe,
            self.config.get("timerange"),
            self.required_startup,
        )
        known: _Loaded = _of(_loaded, key)
        vars(self.dataprovider)[_PROVIDED] = _of(_asked_for, key)
        missing = [pair for pair in wanted if pair not in known]
        if missing:
            self._load(missing, known)
        data = {pair: known[pair][0] for pair in wanted if pair in known}
        self.price_pair_prec = {pair: known[pair][1] for pair in data}
        self.available_pairs = list(data)
        first, _ = history.get_timerange(data)
        self.timerange = TimeRange.parse_timerange(self.config.get("timerange"))
        self.timerange.adjust_start_if_necessary(
            timeframe_to_seconds(self.timeframe), self.required_startup, first
        )
        return data, self.timerange

    def empty_frames(self) -> list[tuple[str, str]]:
        """Pair and timeframe of what the strategy asked for that there are no candles of."""
        asked_for = vars(self.dataprovider)[_PROVIDED]
        return [key[:2] for key, frame in asked_for.items() if not len(frame)]

    def _load(self, pairs: list[str], known: _Loaded) -> None:
        all_pairs, self.pairlists = self.pairlists, SimpleNamespace(whitelist=pairs)
        try:
            data, _ = super().load_bt_data()
        finally:
            self.pairlists = all_pairs
        for pair, frame in data.items():
            known[pair] = (frame, self.price_pair_prec[pair])


def _state(folder: Path) -> tuple[Any, ...]:
    """A folder and its files as they are now: what was downloaded since is read, empty or not."""
    with os.scandir(folder) as files:
        stats = ((file.name, file.stat()) for file in files)
        return str(folder), frozenset((name, s.st_mtime_ns, s.st_size) for name, s in stats)


def _of(kept: "OrderedDict[tuple[Any, ...], dict[Any, Any]]", key: tuple[Any, ...]) -> Any:
    """What is kept under a key; what was asked for longest ago goes."""
    known = kept.setdefault(key, {})
    kept.move_to_end(key)
    while len(kept) > _KEPT:
        kept.popitem(last=False)
    return known
