"""Tiny hand-written candle tables through Freqtrade's own backtester, without a network.

What a test writes::

    outcome = run_backtest(
        MyStrategy,  # a class, or "strategies/DonchianTrend.py"
        {"BTC/USDT": [(100, 101, 99, 100), (100, 112, 100, 110), None, (110, 111, 80, 82)]},
        timeframe="1h",
        fee=0.001,
        config={"max_open_trades": 3, "ballast": {}},
    )
    outcome.trades      # Freqtrade's result table, one row a trade
    outcome.reasons     # ["stop_loss"]: exit reasons in order of closing
    outcome.locks       # PairLock objects in force or expired
    outcome.frames      # {pair: frame with indicators and signals, start-up candles cut off}
    outcome.strategy    # the instance that ran
    outcome.custom_data # {trade id: {key: value}} from `trade.set_custom_data`

A row is ``(open, high, low, close)`` with an optional volume in base currency (1000 if left out);
``None`` is a candle that the exchange never delivered. Row ``i`` opens at ``START`` plus ``i``
candles. A frame with Freqtrade's six columns may stand in for the rows, and a key
``("BTC/USDT", "1d")`` gives candles of another timeframe. The tables are written to feather files
and read back by Freqtrade, so everything that it does to real data is done to them as well.

Nothing is prepended: a strategy that needs 50 start-up candles needs 50 rows before the first
that can be traded. Freqtrade enters at the open of the row *after* a signal, never on the last
row, and closes what is left at the last row's open with the reason ``force_exit``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, TypeAlias
from unittest.mock import patch

import pandas as pd
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType, RunMode
from freqtrade.exchange import Exchange, timeframe_to_minutes
from freqtrade.misc import deep_merge_dicts
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.persistence import CustomDataWrapper, LocalTrade
from freqtrade.persistence.pairlock import PairLock
from freqtrade.resolvers import ExchangeResolver, StrategyResolver
from freqtrade.strategy import IStrategy

ROOT = Path(__file__).resolve().parents[1]
START = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday, so that days and weeks begin at row 0

Row: TypeAlias = tuple[float, ...] | None
Candles: TypeAlias = Sequence[Row] | pd.DataFrame
# By pair, or by pair and timeframe; a mapping's keys are invariant, hence not `str | tuple`.
CandleTables: TypeAlias = Mapping[Any, Candles]


class ScriptedStrategy(IStrategy):
    """A strategy that only does what its table says: for rules about the engine itself.

    `enter_rows` and `exit_rows` name rows by number, the same for every pair; an entry happens at
    the open of the row after. Subclass it and override what the test is about.
    """

    timeframe = "1h"
    stoploss = -0.10
    minimal_roi: ClassVar[dict[str, float]] = {"0": 100.0}
    startup_candle_count = 0
    process_only_new_candles = True
    enter_rows: ClassVar[set[int]] = {0}
    exit_rows: ClassVar[set[int]] = set()

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["enter_long"] = dataframe.index.isin(self.enter_rows).astype(int)
        dataframe["enter_tag"] = "scripted"
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["exit_long"] = dataframe.index.isin(self.exit_rows).astype(int)
        return dataframe


@dataclass(frozen=True)
class BacktestOutcome:
    """What one backtest left behind; see the module's docstring."""

    trades: pd.DataFrame
    locks: list[PairLock]
    frames: dict[str, pd.DataFrame]
    strategy: IStrategy
    final_balance: float
    closed_trades: list[LocalTrade]
    custom_data: dict[int, dict[str, Any]]
    result: dict[str, Any]

    @property
    def reasons(self) -> list[str]:
        """Exit reasons in the order in which the trades closed."""
        return list(self.trades["exit_reason"])


def run_backtest(
    strategy: type[IStrategy] | str | Path,
    candles: CandleTables,
    *,
    timeframe: str | None = None,
    config: Mapping[str, Any] | None = None,
    fee: float = 0.0,
    protections: bool = False,
    min_notional: float = 5.0,
    start: datetime = START,
) -> BacktestOutcome:
    """Run one strategy over candle tables with Freqtrade's Backtesting class.

    Parameters
    ----------
    strategy
        A class, or the path of a strategy file named after its class (relative to the repository).
    candles
        Rows or a frame for each pair, or for each (pair, timeframe); pairs without a timeframe are
        traded, in the order given.
    timeframe
        Of the candles that are traded; the strategy's own when left out.
    config
        Merged over a bare spot configuration with 10,000 USDT and stakes of 1,000 USDT.
    fee
        Ratio of the order's value, taken at entry and at exit.
    protections
        Freqtrade's `enable_protections`.
    min_notional
        The exchange's smallest order in quote currency.
    start
        Open of row 0, UTC.
    """
    overrides = deepcopy(dict(config or {}))
    if timeframe:
        overrides["timeframe"] = timeframe
    traded = [pair for pair in candles if isinstance(pair, str)]
    with TemporaryDirectory() as folder, resolvable(strategy) as names:
        full = deep_merge_dicts(
            {**names, **overrides, "fee": fee, "enable_protections": protections},
            base_config(Path(folder), traded),
        )
        pairs = list(dict.fromkeys(_pair_of(key) for key in candles))
        exchange = offline_exchange(full, pairs, min_notional)
        try:
            backtesting = _RecordingBacktesting(full, exchange)
            _write_candles(candles, full, start)
            return _run(backtesting)
        finally:
            Backtesting.cleanup()
            exchange.close()


def base_config(folder: Path, pairs: Sequence[str]) -> dict[str, Any]:
    """Build the smallest configuration with which Freqtrade backtests `pairs` in `folder`."""
    return {
        "runmode": RunMode.BACKTEST,
        "dry_run": True,
        "dry_run_wallet": 10_000,
        "stake_currency": "USDT",
        "stake_amount": 1_000,
        "max_open_trades": 10,
        "tradable_balance_ratio": 1.0,
        "trading_mode": "spot",
        "cancel_open_orders_on_exit": True,
        "exchange": {"name": "binance", "pair_whitelist": list(pairs), "enable_ws": False},
        "pairlists": [{"method": "StaticPairList"}],
        "entry_pricing": {"price_side": "same", "use_order_book": False},
        "exit_pricing": {"price_side": "same", "use_order_book": False},
        "unfilledtimeout": {"entry": 10, "exit": 30, "unit": "minutes"},
        "dataformat_ohlcv": "feather",
        "dataformat_trades": "feather",
        "datadir": folder / "data",
        "user_data_dir": folder,
        "export": "none",
    }


def offline_exchange(
    config: dict[str, Any], pairs: Sequence[str], min_notional: float = 5.0
) -> Exchange:
    """Build Freqtrade's real Binance exchange, with markets given instead of fetched."""
    exchange = ExchangeResolver.load_exchange(config, validate=False)
    markets = {pair: _market(exchange, pair, min_notional) for pair in pairs}
    exchange._markets = markets
    exchange._api.set_markets(list(markets.values()))
    return exchange


def flat(count: int, price: float = 100.0) -> list[Row]:
    """Build `count` candles in which nothing happens: a range of one percent around `price`."""
    return [(price, price * 1.005, price * 0.995, price)] * count


def candle_frame(rows: Candles, timeframe: str, start: datetime = START) -> pd.DataFrame:
    """Turn rows into Freqtrade's candle frame; `None` rows leave a hole."""
    if isinstance(rows, pd.DataFrame):
        return rows
    step = pd.Timedelta(minutes=timeframe_to_minutes(timeframe))
    records = [
        (pd.Timestamp(start) + number * step, *row, *(() if len(row) == 5 else (1_000.0,)))
        for number, row in enumerate(rows)
        if row is not None
    ]
    frame = pd.DataFrame(records, columns=["date", "open", "high", "low", "close", "volume"])
    prices = ["open", "high", "low", "close"]
    frame[[*prices, "volume"]] = frame[[*prices, "volume"]].astype(float)
    frame["date"] = frame["date"].astype("datetime64[ms, UTC]")
    impossible = (frame["high"] < frame[prices].max(axis=1)) | (
        frame["low"] > frame[prices].min(axis=1)
    )
    if impossible.any():
        raise ValueError(
            f"rows {list(frame.index[impossible])}: open or close outside high and low"
        )
    return frame


class _RecordingBacktesting(Backtesting):
    """Backtesting that keeps the frames it traded on, which Freqtrade throws away."""

    frames: dict[str, pd.DataFrame]

    def backtest(self, processed: dict, start_date: datetime, end_date: datetime) -> Any:
        result = super().backtest(processed, start_date, end_date)
        self.frames = processed
        return result


def _run(backtesting: _RecordingBacktesting) -> BacktestOutcome:
    (strategy,) = backtesting.strategylist
    data, timerange = backtesting.load_bt_data()
    backtesting.backtest_one_strategy(strategy, data, timerange)
    result = backtesting.all_bt_content[strategy.get_strategy_name()]
    custom_data: dict[int, dict[str, Any]] = {}
    for entry in CustomDataWrapper.custom_data:
        custom_data.setdefault(entry.ft_trade_id, {})[entry.cd_key] = entry.value
    return BacktestOutcome(
        trades=result["results"],
        locks=list(result["locks"]),
        frames=backtesting.frames,
        strategy=strategy,
        final_balance=result["final_balance"],
        closed_trades=list(LocalTrade.bt_trades),
        custom_data=custom_data,
        result=dict(result),
    )


@contextmanager
def resolvable(strategy: type[IStrategy] | str | Path) -> Iterator[dict[str, str]]:
    """Make Freqtrade's resolver find `strategy`; yields the settings that name it."""
    if isinstance(strategy, str | Path):
        path = ROOT / strategy
        yield {"strategy": path.stem, "strategy_path": str(path.parent)}
        return

    def load(_name: str, config: dict, extra_dir: str | None = None) -> IStrategy:
        return StrategyResolver.validate_strategy(strategy(config))

    with patch.object(StrategyResolver, "_load_strategy", load):
        yield {"strategy": strategy.__name__}


def _write_candles(candles: CandleTables, config: dict[str, Any], start: datetime) -> None:
    config["datadir"].mkdir(parents=True, exist_ok=True)
    handler = get_datahandler(config["datadir"], config["dataformat_ohlcv"])
    for key, rows in candles.items():
        timeframe = config["timeframe"] if isinstance(key, str) else key[1]
        frame = candle_frame(rows, timeframe, start)
        handler.ohlcv_store(_pair_of(key), timeframe, frame, CandleType.SPOT)


def _pair_of(key: str | tuple[str, str]) -> str:
    return key if isinstance(key, str) else key[0]


def _market(exchange: Exchange, pair: str, min_notional: float) -> dict[str, Any]:
    """One spot market in ccxt's shape, with fine steps so that tables keep their round numbers."""
    base, quote = pair.split("/")
    return exchange._api.safe_market_structure(
        {
            "id": base + quote,
            "symbol": pair,
            "base": base,
            "quote": quote,
            "baseId": base,
            "quoteId": quote,
            "active": True,
            "type": "spot",
            "spot": True,
            "margin": False,
            "swap": False,
            "future": False,
            "option": False,
            "contract": False,
            "precision": {"amount": 1e-8, "price": 1e-6},
            "limits": {
                "amount": {"min": 1e-8, "max": 1e9},
                "price": {"min": 1e-6, "max": 1e9},
                "cost": {"min": min_notional, "max": 1e9},
                "leverage": {"min": None, "max": None},
            },
            "taker": 0.001,
            "maker": 0.001,
            "info": {},
        }
    )
