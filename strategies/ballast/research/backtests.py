"""One Freqtrade backtest in this process, from a task that says everything it depends on.

A task can be sent to another process or machine, if candles and strategies are there too. Candles
are kept between the tasks of a process: reading them and finding their tick sizes is most of what
a short backtest costs. Markets come with the task, so that a worker asks no exchange.
"""

import json
import shutil
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from freqtrade.configuration import Configuration
from freqtrade.data.metrics import combined_dataframes_with_rel_mean
from freqtrade.enums import RunMode
from freqtrade.exceptions import FreqtradeException
from freqtrade.exchange import Exchange
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.optimize.optimize_reports import generate_backtest_stats, store_backtest_results
from freqtrade.resolvers import ExchangeResolver

import ballast
from ballast.core.redaction import Redactor
from ballast.core.wording import one_line
from ballast.research import changes, missing_candles
from ballast.research.kept_candles import CandleKeepingBacktesting
from ballast.research.recordings import Recording
from ballast.tooling.quiet import failures, quiet, silent

# Freqtrade keeps a backtest's trades with its classes: one at a time in a process.
_ONE_AT_A_TIME = threading.Lock()
# The layer's own package, wherever it is.
_PACKAGE = Path(ballast.__file__).parent


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
        Of the class, and of the folder that its file is in, or imports from.
    timerange : str
        As Freqtrade's option.
    pairs : tuple of str
        The whitelist, in this order.
    parameters : mapping
        What differs from the strategy as it is, but for settings (see `research.changes`).
    keep : str
        Folder for what a run leaves besides its result, such as a journal; forgotten where empty.
    source : str
        Text of the strategy's file, where it is made up and lies in no folder.
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
    source: str = ""


@dataclass(frozen=True)
class BacktestExport:
    """
    Freqtrade's result zip as it exports it, with what the layer decided added (see `recordings`),
    and the seconds that the backtest took.
    """

    zipped: bytes
    seconds: float


def run(task: Task) -> BacktestExport:
    """
    Run a backtest.

    Raises
    ------
    TaskError
        When Freqtrade refuses to, or the strategy fails, naming the strategy and the period.
    """
    with prepared(task) as config:
        began = time.perf_counter()
        zipped = _run(task, config)
        return BacktestExport(zipped, time.perf_counter() - began)


@contextmanager
def prepared(task: Task) -> Iterator[dict[str, Any]]:
    """
    Freqtrade's configuration of a task, under which its strategy can be loaded within the block.

    What a strategy that was made up imports from its folder is forgotten afterwards, as Freqtrade
    forgets a strategy itself: another folder's may bear the same names.

    Raises
    ------
    TaskError
        When Freqtrade or a strategy that was made up fails within the block.
    """
    known = set(sys.modules)
    folder = Path(task.strategy_path)
    with ExitStack() as stack:
        stack.enter_context(_ONE_AT_A_TIME)
        name = stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(quiet())
        if task.source:
            stack.enter_context(silent())
            sys.path.insert(0, str(folder))
        try:
            yield _configuration(task, Path(name))
        except FreqtradeException as error:
            text = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise TaskError(_failed(task, error, text)) from None
        except TaskError:
            raise
        except Exception as error:
            if not task.source:
                raise
            text = f"{type(error).__name__}: {one_line(error)}"
            raise TaskError(_failed(task, error, text)) from None
        finally:
            Backtesting.cleanup()
            if task.source:
                sys.path.remove(str(folder))
                _forget(set(sys.modules) - known, folder)


def _named(task: Task) -> str:
    return f"{task.strategy} {task.timerange}".strip()


def _failed(task: Task, error: Exception, text: str) -> str:
    return f"{_named(task)}: {missing_candles.explained(error, text)}"


def _forget(modules: set[str], folder: Path) -> None:
    for name in modules:
        path = Path(getattr(sys.modules[name], "__file__", None) or "/")
        if path.is_relative_to(folder) and not path.is_relative_to(_PACKAGE):
            del sys.modules[name]


def markets_of(config: Mapping[str, Any], pairs: Sequence[str], called: str = "") -> dict[str, Any]:
    """
    Markets and fees of pairs, asked of the configured exchange once.

    Parameters
    ----------
    called : str
        What the exchange is called where it has no such pair; its name unless given.

    Raises
    ------
    TaskError
        When the exchange does not answer, or does not know a pair.
    """
    name = config["exchange"]["name"]
    asking = {**config, "dry_run": True, "runmode": RunMode.UTIL_EXCHANGE}
    with failures("freqtrade.exchange") as errors:
        try:
            with closing(ExchangeResolver.load_exchange(asking, validate=False)) as exchange:
                exchange.reload_markets(True, load_leverage_tiers=False)
                markets = exchange.markets
        except FreqtradeException as error:
            markets, errors = {}, [error]
    if not markets:
        reason = Redactor(config).text(one_line(errors[-1] if errors else "its answer is empty"))
        raise TaskError(f"{name} does not tell its markets: {reason}")
    unknown = [pair for pair in pairs if pair not in markets]
    if unknown:
        names = ", ".join(unknown)
        raise TaskError(
            f"{called or name} has no market of {names}: take them out of exchange.pair_whitelist, "
            "or name other pairs"
        )
    # `info` is the exchange's own answer, which nobody reads again.
    return {pair: {**markets[pair], "info": {}} for pair in pairs}


def _run(task: Task, config: dict[str, Any]) -> bytes:
    with closing(offline_exchange(config, task.markets)) as exchange:
        backtesting = CandleKeepingBacktesting(config, exchange)
        (strategy,) = backtesting.strategylist
        recording = Recording(strategy)
        with changes.applied(strategy, task.parameters):
            backtesting.fit_warmup(strategy)
            data, timerange = backtesting.load_bt_data()
            with missing_candles.noted(task.datadir, backtesting.empty_frames):
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
    with zipfile.ZipFile(path, "a") as archive:
        recording.write(archive)
    return bytes(path.read_bytes())


def _configuration(task: Task, folder: Path) -> dict[str, Any]:
    """Freqtrade's configuration of a task; results go into `folder`."""
    given = folder / "config.json"
    given.write_text(json.dumps(dict(task.config)), encoding="utf-8")
    results = folder / "results"
    results.mkdir()
    strategy_path = _written(task, folder / "strategies") if task.source else task.strategy_path
    arguments = {
        "config": [str(given)],
        "strategy": task.strategy,
        "strategy_path": strategy_path,
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


def _written(task: Task, folder: Path) -> str:
    """Put down a strategy's file that is made up, with the parameters that are kept for it."""
    folder.mkdir()
    (folder / f"{task.strategy}.py").write_text(task.source, encoding="utf-8")
    parameters = Path(task.strategy_path) / f"{task.strategy}.json"
    if parameters.is_file():
        shutil.copy(parameters, folder)
    return str(folder)


def offline_exchange(config: dict[str, Any], markets: Mapping[str, Any]) -> Exchange:
    """The configured exchange with markets that are given; it asks for nothing."""
    exchange = ExchangeResolver.load_exchange(config, validate=False)
    vars(exchange)["_markets"] = dict(markets)
    vars(exchange)["_api"].set_markets([dict(market) for market in markets.values()])
    return exchange


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
