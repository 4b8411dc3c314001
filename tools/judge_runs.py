"""One real Freqtrade backtest in this process, and what it leaves to measure.

A job says everything a run depends on, so that a worker process can take it as it is. Exchange and
candles are kept between jobs of a process: they are most of what a short backtest costs.
"""

from __future__ import annotations

import logging
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from freqtrade.configuration import Configuration, TimeRange
from freqtrade.data.metrics import calculate_market_change
from freqtrade.enums import RunMode
from freqtrade.exceptions import FreqtradeException
from freqtrade.exchange import Exchange
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.resolvers import ExchangeResolver
from freqtrade.strategy import IStrategy

from tools.judge_changes import Change, apply, merged_settings
from tools.judge_figures import Figures, Window, measure

ROOT = Path(__file__).resolve().parents[1]
# The strategies of this checkout are judged, installed or not.
if str(ROOT / "strategies") not in sys.path:
    sys.path.insert(0, str(ROOT / "strategies"))


class JudgeError(Exception):
    """Nothing can be judged; the text is one sentence for the user."""


@dataclass(frozen=True)
class Job:
    """
    A backtest to run.

    Parameters
    ----------
    configs : tuple of str
        Freqtrade configuration files, later ones over earlier ones.
    timeframe, timerange : str
        As Freqtrade's options; an empty one leaves what the configuration or strategy says.
    pairs : tuple of str
        The whitelist in this order; empty for the configuration's.
    fee : float or None
        Ratio of a fill, each side; None for the exchange's.
    changes : tuple of Change
        What differs from the strategy and the configuration as they are.
    keep_stops : bool
        Whether to record the stop of every open position at every candle.
    """

    strategy: str
    configs: tuple[str, ...]
    datadir: str
    timerange: str = ""
    timeframe: str = ""
    pairs: tuple[str, ...] = ()
    fee: float | None = None
    changes: tuple[Change, ...] = ()
    keep_stops: bool = False


@dataclass(frozen=True)
class Result:
    """
    What a backtest left behind.

    Parameters
    ----------
    equity, invested : Series over UTC time, quote currency
        Account value and the part of it in positions, at the open of each candle.
    trades : DataFrame
        Freqtrade's, one row a trade.
    market_change : float
        Mean change of the pairs' closes, ratio.
    failures : int
        Failures inside the strategy's callbacks; each has refused an entry or kept a stop.
    candles : dict of str to DataFrame
        What was traded on, by pair; only with `keep_stops`.
    stops : dict of (str, datetime) to list of (datetime, float)
        Stop prices by pair and opening time of the trade; only with `keep_stops`.
    """

    equity: pd.Series
    invested: pd.Series
    trades: pd.DataFrame
    market_change: float
    failures: int
    candles: dict[str, pd.DataFrame] = field(default_factory=dict)
    stops: dict[tuple[str, datetime], list[tuple[datetime, float]]] = field(default_factory=dict)

    def figures(self, windows: Iterable[Window] = ()) -> Figures:
        """All figures (see `judge_figures.measure`)."""
        profits = self.trades["profit_abs"] if len(self.trades) else pd.Series([], dtype=float)
        return measure(self.equity, self.invested, profits, self.market_change, windows)


def configuration(job: Job) -> dict[str, Any]:
    """
    Freqtrade's configuration of a job.

    Raises
    ------
    JudgeError
        When Freqtrade refuses it.
    """
    # Freqtrade tells about every file it loads.
    logging.disable(logging.WARNING)
    arguments: dict[str, Any] = {
        "config": list(job.configs),
        "strategy": job.strategy,
        "strategy_path": str(ROOT / "strategies"),
        "user_data_dir": str(ROOT / "user_data"),
        "datadir": job.datadir,
        "backtest_cache": "none",
        "export": "none",
    }
    wanted = {"timerange": job.timerange, "timeframe": job.timeframe, "fee": job.fee}
    arguments |= {name: value for name, value in wanted.items() if value not in ("", None)}
    try:
        config = dict(Configuration(arguments, RunMode.BACKTEST).get_config())
    except FreqtradeException as error:
        raise JudgeError(_first_line(error)) from None
    if job.pairs:
        config["exchange"]["pair_whitelist"] = list(job.pairs)
    return merged_settings(config, job.changes)


def run(job: Job) -> Result:
    """
    Run one backtest.

    Raises
    ------
    JudgeError
        When Freqtrade refuses to run it: no candles, no such strategy, no exchange.
    """
    config = configuration(job)
    try:
        with ExitStack() as stack:
            stack.callback(Backtesting.cleanup)
            backtesting = _Recorder(config, _exchange(job.configs), job, stack)
            data, timerange = backtesting.load_bt_data()
            (strategy,) = backtesting.strategylist
            first, last = backtesting.backtest_one_strategy(strategy, data, timerange)
            change = calculate_market_change(data, "close", first)
            return _result(backtesting, strategy, last, change)
    except FreqtradeException as error:
        raise JudgeError(f"{job.strategy}: {_first_line(error)}") from None


def run_all(jobs: Sequence[Job], processes: int, what: str) -> list[Result]:
    """Run jobs, `processes` at a time, in the order given; says how far it has come."""
    results = []
    for number, result in enumerate(_each(jobs, processes), start=1):
        if sys.stderr.isatty() or number == len(jobs):
            sys.stderr.write(f"\r{what}: {number} of {len(jobs)} backtests")
            sys.stderr.flush()
        results.append(result)
    sys.stderr.write("\n")
    return results


def _each(jobs: Sequence[Job], processes: int) -> Iterator[Result]:
    parallel = joblib.Parallel(n_jobs=processes, return_as="generator")
    yield from parallel(joblib.delayed(run)(job) for job in jobs)


class _Recorder(Backtesting):
    """Backtesting with a job's changes, which keeps candles between runs and stops if asked to."""

    def __init__(
        self, config: dict[str, Any], exchange: Exchange, job: Job, stack: ExitStack
    ) -> None:
        super().__init__(config, exchange)
        self._job = job
        (strategy,) = self.strategylist
        stack.enter_context(apply(strategy, job.changes))
        # Moved windows may need a longer warm-up.
        self.required_startup = strategy.startup_candle_count
        self.config["startup_candle_count"] = self.required_startup
        self.stops: dict[tuple[str, datetime], list[tuple[datetime, float]]] = defaultdict(list)
        self.traded: dict[str, pd.DataFrame] = {}

    def load_bt_data(self) -> tuple[dict[str, pd.DataFrame], TimeRange]:
        pairs = tuple(sorted(self.pairlists.whitelist))
        when = (self.timeframe, self._job.timerange, self.required_startup)
        key = (str(self.config["datadir"]), when, pairs)
        if key not in _candles:
            _candles.clear()
            data, timerange = super().load_bt_data()
            _candles[key] = (data, timerange, vars(self)["price_pair_prec"])
        data, timerange, self.price_pair_prec = _candles[key]
        self.available_pairs = [pair for pair in self.pairlists.whitelist if pair in data]
        # The order of the whitelist is the order in which pairs are asked.
        return {pair: data[pair] for pair in self.available_pairs}, timerange

    def _set_strategy(self, strategy: IStrategy) -> None:
        super()._set_strategy(strategy)
        if self._job.keep_stops:
            self._record(getattr(strategy, "run", None))

    def _record(self, run: Any) -> None:
        """Write down what the stop stop manager answers."""
        if run is None:
            return
        ask = run.stop_manager.stop

        def stop(trade: Any, now: datetime) -> float:
            price = ask(trade, now)
            self.stops[(trade.pair, trade.open_date_utc)].append((now, price))
            return float(price)

        run.stop_manager.stop = stop

    def backtest(self, processed: dict, start_date: datetime, end_date: datetime) -> Any:
        if self._job.keep_stops:
            self.traded = {pair: frame.copy() for pair, frame in processed.items()}
        return super().backtest(processed, start_date, end_date)


_candles: dict[tuple[Any, ...], tuple[dict[str, pd.DataFrame], TimeRange, dict[str, Any]]] = {}


@lru_cache(maxsize=1)
def _exchange(configs: tuple[str, ...]) -> Exchange:
    config = Configuration({"config": list(configs)}, RunMode.BACKTEST).get_config()
    config["dry_run"] = True
    # What went wrong is said below, without Freqtrade's traceback.
    logging.disable(logging.CRITICAL)
    try:
        return ExchangeResolver.load_exchange(config, load_leverage_tiers=True)
    except FreqtradeException:
        raise JudgeError(
            f"{config['exchange']['name']} does not tell its markets: is it reachable? "
            "With --offline the sandbox stands in for it."
        ) from None
    finally:
        logging.disable(logging.WARNING)


def _result(
    backtesting: _Recorder, strategy: IStrategy, last: datetime, market_change: float
) -> Result:
    content = backtesting.all_bt_content[strategy.get_strategy_name()]
    wallet = content["wallet_summary"]
    value = wallet["rate"] * wallet["balance"]
    equity = value.groupby(wallet["date"]).sum()
    held = value.where(wallet["currency"] != backtesting.config["stake_currency"], 0.0)
    invested = held.groupby(wallet["date"]).sum()
    # What is left at the end, after the last positions are closed and their fees paid.
    end = pd.Timestamp(last) + backtesting.timeframe_td
    equity.loc[end], invested.loc[end] = float(content["final_balance"]), 0.0
    incidents = getattr(strategy, "incidents", None)
    return Result(
        equity,
        invested,
        content["results"],
        float(market_change),
        sum(incidents.counts.values()) if incidents is not None else 0,
        backtesting.traded,
        dict(backtesting.stops),
    )


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
