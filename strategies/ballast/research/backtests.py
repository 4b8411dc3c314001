"""One Freqtrade backtest in this process, from a task that says everything it depends on.

A task can be sent to another process or machine, if candles and strategies are there too. Candles
are kept between the tasks of a process: reading them and finding their tick sizes is most of what
a short backtest costs. Markets come with the task, so that a worker asks no exchange.
"""

import json
import tempfile
import threading
import time
import zipfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
from freqtrade.configuration import Configuration, TimeRange
from freqtrade.data import history
from freqtrade.data.metrics import combined_dataframes_with_rel_mean
from freqtrade.enums import RunMode
from freqtrade.exceptions import FreqtradeException
from freqtrade.exchange import Exchange, timeframe_to_seconds
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.optimize.optimize_reports import generate_backtest_stats, store_backtest_results
from freqtrade.resolvers import ExchangeResolver
from freqtrade.strategy import IStrategy

from ballast.core.events import Event, EventKind
from ballast.research import changes
from ballast.strategy.layer import Layer
from ballast.tooling.quiet import quiet

# Freqtrade keeps a backtest's trades with its classes: one at a time in a process.
_ONE_AT_A_TIME = threading.Lock()
# Candles of so many combinations of folder, timeframe and period are kept.
_KEPT = 4
_STOPS = "stops.feather"


class TaskError(Exception):
    """A backtest cannot be run; the text is one sentence for the user."""


@dataclass(frozen=True)
class Task:
    """
    A backtest to run.

    Parameters
    ----------
    config : mapping
        Freqtrade's configuration, merged; nothing is read from files but candles and strategies.
    markets : mapping
        ccxt's markets by pair, as `markets_of` gives them.
    strategy, strategy_path : str
    timerange : str
        As Freqtrade's option.
    pairs : tuple of str
        The whitelist, in this order.
    parameters : mapping
        What differs from the strategy as it is, but for settings (see `research.changes`).
    keep : str
        Folder for what a run leaves besides its result, such as a journal; forgotten where empty.
    """

    config: Mapping[str, Any]
    markets: Mapping[str, Any]
    strategy: str
    strategy_path: str
    datadir: str
    timerange: str
    pairs: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    keep: str = ""


@dataclass(frozen=True)
class BacktestExport:
    """
    Freqtrade's result zip as it exports it, with the raised stops added (see `stops_of`), and the
    seconds that the backtest took.
    """

    zipped: bytes
    seconds: float


def run(task: Task) -> BacktestExport:
    """
    Run a backtest.

    Raises
    ------
    TaskError
        When Freqtrade refuses to, naming the strategy and the period.
    """
    with _ONE_AT_A_TIME, tempfile.TemporaryDirectory() as name, quiet():
        began = time.perf_counter()
        folder = Path(name)
        try:
            zipped = _run(task, folder)
        except FreqtradeException as error:
            text = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise TaskError(f"{task.strategy} {task.timerange}: {text}") from None
        finally:
            Backtesting.cleanup()
        return BacktestExport(zipped, time.perf_counter() - began)


def markets_of(config: Mapping[str, Any], pairs: Sequence[str]) -> dict[str, Any]:
    """
    Markets and fees of pairs, asked of the configured exchange once.

    Raises
    ------
    TaskError
        When the exchange does not answer, or does not know a pair.
    """
    with quiet():
        try:
            asking = {**config, "dry_run": True, "runmode": RunMode.UTIL_EXCHANGE}
            with closing(ExchangeResolver.load_exchange(asking, validate=False)) as exchange:
                exchange.reload_markets(True, load_leverage_tiers=False)
                markets = exchange.markets
        except FreqtradeException:
            markets = {}
    name = config["exchange"]["name"]
    if not markets:
        raise TaskError(f"{name} does not tell its markets: is it reachable?")
    unknown = [pair for pair in pairs if pair not in markets]
    if unknown:
        raise TaskError(f"{name} has no market of {', '.join(unknown)}")
    # `info` is the exchange's own answer, which nobody reads again.
    return {pair: {**markets[pair], "info": {}} for pair in pairs}


def _run(task: Task, folder: Path) -> bytes:
    config = _configuration(task, folder)
    raised: list[tuple[str, datetime, float]] = []
    with closing(_exchange(config, task.markets)) as exchange:
        backtesting = _Backtest(config, exchange)
        (strategy,) = backtesting.strategylist
        _listen(strategy, raised)
        with changes.applied(strategy, task.parameters):
            backtesting.fit_warmup(strategy)
            data, timerange = backtesting.load_bt_data()
            first, last = backtesting.backtest_one_strategy(strategy, data, timerange)
    content = backtesting.all_bt_content
    stats = generate_backtest_stats(data, content, min_date=first, max_date=last)
    store_backtest_results(
        config,
        stats,
        "run",
        market_change_data=combined_dataframes_with_rel_mean(data, first, last),
        wallet_summary={name: each["wallet_summary"] for name, each in content.items()},
    )
    (path,) = config["exportdirectory"].glob("*.zip")
    with zipfile.ZipFile(path, "a") as archive, archive.open(_STOPS, "w") as file:
        pd.DataFrame(raised, columns=["pair", "date", "stop"]).to_feather(file)
    return bytes(path.read_bytes())


def _listen(strategy: IStrategy, raised: list[tuple[str, datetime, float]]) -> None:
    """Write down every stop that is raised; a strategy without the risk layer tells of none."""

    def hear(event: Event) -> None:
        if event.kind is EventKind.STOP:
            raised.append((event.pair, event.at, event.value))

    if isinstance(strategy, Layer):
        strategy._ballast.events.listen(hear)


def _configuration(task: Task, folder: Path) -> dict[str, Any]:
    """Freqtrade's configuration of a task; results go into `folder`."""
    given = folder / "config.json"
    given.write_text(json.dumps(dict(task.config)), encoding="utf-8")
    results = folder / "results"
    results.mkdir()
    arguments = {
        "config": [str(given)],
        "strategy": task.strategy,
        "strategy_path": task.strategy_path,
        "user_data_dir": task.keep or str(folder),
        "datadir": task.datadir,
        "timerange": task.timerange,
        "backtest_cache": "none",
        "export": "trades",
        "exportdirectory": results,
    }
    config = dict(Configuration(arguments, RunMode.BACKTEST).get_config())
    config["exchange"]["pair_whitelist"] = list(task.pairs)
    config["pairlists"] = [{"method": "StaticPairList"}]
    return config


def _exchange(config: dict[str, Any], markets: Mapping[str, Any]) -> Exchange:
    """The configured exchange with markets that are given; it asks for nothing."""
    exchange = ExchangeResolver.load_exchange(config, validate=False)
    vars(exchange)["_markets"] = dict(markets)
    vars(exchange)["_api"].set_markets([dict(market) for market in markets.values()])
    return exchange


_Loaded = dict[str, tuple[pd.DataFrame, pd.Series]]
_loaded: "OrderedDict[tuple[Any, ...], _Loaded]" = OrderedDict()


class _Backtest(Backtesting):
    """Backtesting that keeps candles between runs."""

    pairlists: Any

    def fit_warmup(self, strategy: IStrategy) -> None:
        """Take the warm-up of a changed strategy: moved windows may need a longer one."""
        self.required_startup = strategy.startup_candle_count
        self.config["startup_candle_count"] = self.required_startup

    def load_bt_data(self) -> tuple[dict[str, pd.DataFrame], TimeRange]:
        wanted = list(self.pairlists.whitelist)
        key = (
            str(self.config["datadir"]),
            self.timeframe,
            self.config.get("timerange"),
            self.required_startup,
        )
        known = _loaded.setdefault(key, {})
        _loaded.move_to_end(key)
        while len(_loaded) > _KEPT:
            _loaded.popitem(last=False)
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

    def _load(self, pairs: list[str], known: _Loaded) -> None:
        all_pairs, self.pairlists = self.pairlists, SimpleNamespace(whitelist=pairs)
        try:
            data, _ = super().load_bt_data()
        finally:
            self.pairlists = all_pairs
        for pair, frame in data.items():
            known[pair] = (frame, self.price_pair_prec[pair])


def stops_of(zipped: Path) -> pd.DataFrame:
    """
    Every stop that was raised in a backtest of `run`: pair, date (UTC), stop (quote currency).

    Raises
    ------
    TaskError
        If the zip does not tell.
    """
    try:
        with zipfile.ZipFile(zipped) as archive, archive.open(_STOPS) as file:
            return pd.read_feather(file)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        raise TaskError(
            f"{zipped} does not tell its stops: `python -m ballast stress` does"
        ) from None


def statistics(zipped: Path) -> dict[str, Any]:
    """
    Freqtrade's statistics of the one strategy in a result zip.

    Raises
    ------
    TaskError
        If it is no such zip.
    """
    try:
        with zipfile.ZipFile(zipped) as archive:
            for name in archive.namelist():
                content = json.loads(archive.read(name)) if name.endswith(".json") else {}
                if isinstance(content.get("strategy"), dict):
                    (found,) = content["strategy"].values()
                    return dict(found)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise TaskError(f"{zipped} is no readable backtest result: {error}") from None
    raise TaskError(f"{zipped} holds no statistics of a strategy")
