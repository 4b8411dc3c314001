"""Results of backtests, read from what Freqtrade exported.

A result is a zip as `freqtrade backtesting --export trades` writes it. One zip may hold several
strategies; each is a `RunResult`. Zips of many runs lie together in a folder with an `index.json`
that says what differs between them: a list of objects (see `IndexEntry`), one for each run::

    [
        {"file": "3f2a.zip", "strategy": "RisingMarket", "timerange": "20190301-20220101",
         "costs": "base", "pairs": ["BTC/USDT", "ETH/USDT"]},
        {"file": "77b1.zip", "strategy": "RisingMarket", "timerange": "20190301-20220101",
         "costs": "base", "pairs": ["BTC/USDT", "ETH/USDT"],
         "without_guard": "DrawdownLadder", "parameters": {"channel_days": 6}}
    ]

`file` is relative to the folder. `costs` is a level of the cost model: "none", "base", "stressed"
or "worst". `without_guard` and `parameters` (changed values only, by name) may be left out or null
where nothing differs; other keys are ignored.
"""

import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, field_validator

from ballast.config import settings
from ballast.core.heat import StopCosts
from ballast.core.quoting import placed
from ballast.core.times import from_epoch
from ballast.core.windows import minutes
from ballast.research.report.export import account_of, locks_of, trades_of

INDEX = "index.json"
AS_RUN = "as run"
_WALLET = "_wallet.feather"


class ResultError(Exception):
    """A result cannot be used; the text is one sentence for the user."""


# Where a sandbox exchange is.
_LOOPBACK = ("//127.0.0.1:", "//localhost:")


class IndexEntry(BaseModel):
    """One run of an `index.json`; the module says what its keys mean."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    file: str
    strategy: str
    timerange: str = ""
    costs: str = AS_RUN
    pairs: tuple[str, ...] = ()
    without_guard: str = ""
    parameters: dict[str, Any] = {}

    @field_validator("without_guard", mode="before")
    @classmethod
    def _no_guard(cls, value: Any) -> Any:
        return value or ""

    @field_validator("parameters", mode="before")
    @classmethod
    def _no_parameters(cls, value: Any) -> Any:
        return value or {}


@dataclass(frozen=True, eq=False)
class RunResult:
    """
    One backtest of one strategy.

    Parameters
    ----------
    costs : str
        Level of the cost model; AS_RUN where nothing says which.
    without_guard : str
        The guard that was off in this run only; empty if none.
    parameters : mapping of str to value
        What was changed against the strategy as it is.
    start, end : datetime (UTC)
        Open of the first candle, end of the last.
    config : mapping
        Freqtrade's configuration of the run.
    trades : DataFrame
        Closed trades in order of closing: pair, open_date, close_date (UTC), open_rate,
        close_rate, min_rate, max_rate, initial_stop (quote currency), amount (bought) and
        last_amount (sold by its last exit, base currency),
        stake_amount, profit_abs (quote currency), profit_ratio, fee_open (ratio), enter_tag,
        exit_reason, last_stop (Freqtrade's when it closed, quote currency).
        `initial_stop` is the first managed stop where the run tells it, else Freqtrade's.
    has_stops : bool
        Whether `initial_stop` is the managed one for all trades.
    locks : DataFrame
        Locks that guards and protections wrote: pair ('*' for all), start, end (UTC), reason.
    equity, invested : Series over UTC time, quote currency
        Account value, and the part of it in positions, at the open of each candle and at the end.
    """

    strategy: str
    source: str
    timeframe: str
    stake_currency: str
    pairs: tuple[str, ...]
    start: datetime
    end: datetime
    starting_balance: float
    trades: pd.DataFrame
    locks: pd.DataFrame
    equity: pd.Series
    invested: pd.Series
    has_stops: bool = True
    costs: str = AS_RUN
    without_guard: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def generated(self) -> bool:
        """Whether the candles are a sandbox's: an exchange on loopback made them up."""
        exchange = self.config.get("exchange") or {}
        return any(host in json.dumps(exchange) for host in _LOOPBACK)

    @property
    def stop_costs(self) -> StopCosts:
        """What the run reckoned that leaving at a stop costs; the usual where it does not say."""
        try:
            risk = settings.load(self.config.get(settings.SECTION)).risk
        except settings.SettingsError:
            risk = settings.RiskSettings()
        charged = float(self.trades["fee_open"].max())
        return risk.stop_costs(charged if math.isfinite(charged) else None)

    @property
    def total_return(self) -> float:
        """Change of the account over the run (ratio)."""
        return float(self.equity.iloc[-1] / self.equity.iloc[0] - 1)


def read_all(paths: Sequence[Path]) -> list[RunResult]:
    """
    Every run of zips and of folders with an index.

    Raises
    ------
    ResultError
        For the first that cannot be used.
    """
    runs = []
    for path in paths:
        runs += read_folder(path) if path.is_dir() else read_zip(path)
    return runs


def read_folder(folder: Path) -> list[RunResult]:
    """
    Every run of a folder with an `index.json`.

    Raises
    ------
    ResultError
        If there is no such index, it is unreadable, or a zip that it names is.
    """
    runs = []
    for entry in _read_index(folder / INDEX):
        named = [run for run in read_zip(folder / entry.file) if run.strategy == entry.strategy]
        if not named:
            raise ResultError(f"{folder / entry.file} holds no result of {entry.strategy}")
        runs.append(
            replace(
                named[0],
                costs=entry.costs,
                without_guard=entry.without_guard,
                parameters=entry.parameters,
            )
        )
    return runs


def _read_index(path: Path) -> list[IndexEntry]:
    try:
        content = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ResultError(
            f"{path.parent} has no {INDEX}: expected a folder that `python -m ballast stress` "
            "wrote, or the zip of a backtest"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ResultError(f"{path} cannot be read: {error}") from None
    try:
        entries = TypeAdapter(list[IndexEntry]).validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = placed(first["loc"]) or "the whole file"
        raise ResultError(f"{path} is no list of runs: {where}: {first['msg']}") from None
    if not entries:
        raise ResultError(f"{path} lists no run")
    return entries


def read_zip(path: Path) -> list[RunResult]:
    """
    Every strategy's run in a result of Freqtrade.

    Raises
    ------
    ResultError
        If it is no such result, was exported without trades, or covers no candles.
    """
    if not path.is_file():
        raise ResultError(f"{path} is not there: expected the zip of a backtest")
    try:
        with zipfile.ZipFile(path) as archive:
            content, config = _statistics(archive, path)
            names = list(content)
            wallets = {name: _wallet(archive, name) for name in names}
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, EOFError) as error:
        raise ResultError(
            f"{path} is no readable backtest result ({_brief(error)}): expected a zip that "
            "`freqtrade backtesting --export trades` wrote"
        ) from None
    return [_run(content[name], wallets[name], config, path) for name in names]


def _statistics(archive: zipfile.ZipFile, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The statistics by strategy, and the configuration."""
    documents = {
        name: json.loads(archive.read(name))
        for name in archive.namelist()
        if name.endswith(".json")
    }
    configs = [value for name, value in documents.items() if name.endswith("_config.json")]
    for document in documents.values():
        if isinstance(document, dict) and isinstance(document.get("strategy"), dict):
            return document["strategy"], configs[0] if configs else {}
    raise ValueError("it holds no statistics of a strategy")


def _wallet(archive: zipfile.ZipFile, strategy: str) -> pd.DataFrame | None:
    for name in archive.namelist():
        if name.endswith(f"_{strategy}{_WALLET}"):
            return pd.read_feather(io.BytesIO(archive.read(name)))
    return None


def _run(
    content: dict[str, Any], wallet: pd.DataFrame | None, config: dict[str, Any], path: Path
) -> RunResult:
    name = content.get("strategy_name", "")
    try:
        trades, has_stops = trades_of(content["trades"])
        start = from_epoch(content["backtest_start_ts"] / 1000)
        last = from_epoch(content["backtest_end_ts"] / 1000)
        end = last + pd.Timedelta(minutes=minutes(content["timeframe"]))
        equity, invested = account_of(wallet, content, start, end)
        run = RunResult(
            strategy=name,
            source=path.name,
            timeframe=content["timeframe"],
            stake_currency=content["stake_currency"],
            pairs=tuple(content["pairlist"]),
            start=start,
            end=end,
            starting_balance=float(content["starting_balance"]),
            trades=trades,
            has_stops=has_stops,
            locks=locks_of(content.get("locks") or []),
            equity=equity,
            invested=invested,
            config=config,
            costs=_costs(config, has_stops and len(trades) > 0),
            without_guard=", ".join(_guards_off(config)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ResultError(
            f"{path} lacks what Freqtrade writes of {name or 'a strategy'} ({_brief(error)}): "
            "expected a result exported with --export trades"
        ) from None
    if last <= start or len(equity) < 3:
        raise ResultError(f"{path} covers no time with {name}: nothing can be said about it")
    return run


def _costs(config: Mapping[str, Any], is_ours: bool) -> str:
    """Level of costs by the configuration; only a strategy of this pack is charged any."""
    if not is_ours:
        return AS_RUN
    try:
        found = settings.load(config.get(settings.SECTION)).costs
    except settings.SettingsError:
        return AS_RUN
    return found.level if found.enabled else "none"


def _guards_off(config: Mapping[str, Any]) -> list[str]:
    return list(((config.get("ballast") or {}).get("guards") or {}).get("off") or [])


def _brief(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return f"{text} is missing" if isinstance(error, KeyError) else text.splitlines()[0]
