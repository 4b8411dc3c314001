"""Results of backtests, read from what Freqtrade exported.

A result is a zip as `freqtrade backtesting --export trades` writes it. One zip may hold several
strategies; each is a `RunResult`. Zips of many runs lie together in a folder with an `index.json`
that says what differs between them: a list of objects (see `IndexEntry`), one for each run::

    [
        {"file": "3f2a.zip", "strategy": "RegimeSwitch", "timerange": "20190301-20220101",
         "costs": "base", "pairs": ["BTC/USDT", "ETH/USDT"]},
        {"file": "77b1.zip", "strategy": "RegimeSwitch", "timerange": "20190301-20220101",
         "costs": "base", "pairs": ["BTC/USDT", "ETH/USDT"],
         "without_guard": "DrawdownLadder", "parameters": {"channel_days": 6}}
    ]

`file` is relative to the folder. `costs` is a level of the cost model: "none", "base", "stressed"
or "worst". `without_guard` and `parameters` (changed values only, by name) may be left out or null
where nothing differs; other keys are ignored.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, field_validator

from ballast.core.times import from_epoch
from ballast.core.windows import minutes

INDEX = "index.json"
AS_RUN = "as run"
# What `GuardedStrategy.order_filled` appends to the tag of the entry order in backtests.
_STOP_MARK = "initial_stop="
_WALLET = "_wallet.feather"
_TRADE_COLUMNS = {
    "pair": str,
    "open_date": "datetime64[ns, UTC]",
    "close_date": "datetime64[ns, UTC]",
    "open_rate": float,
    "close_rate": float,
    "amount": float,
    "stake_amount": float,
    "profit_ratio": float,
    "profit_abs": float,
    "min_rate": float,
    "max_rate": float,
    "enter_tag": str,
    "exit_reason": str,
    "initial_stop": float,
}
_LOCK_COLUMNS = ("pair", "start", "end", "reason")


class ResultError(Exception):
    """A result cannot be used; the text is one sentence for the user."""


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


@dataclass(frozen=True)
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
        close_rate, min_rate, max_rate, initial_stop (quote currency), amount (base currency),
        stake_amount, profit_abs (quote currency), profit_ratio, enter_tag, exit_reason.
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
        where = ".".join(map(str, first["loc"])) or "the whole file"
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
        trades, has_stops = _trades(content["trades"])
        start = from_epoch(content["backtest_start_ts"] / 1000)
        last = from_epoch(content["backtest_end_ts"] / 1000)
        end = last + pd.Timedelta(minutes=minutes(content["timeframe"]))
        equity, invested = _account(wallet, content, start, end)
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
            locks=_locks(content.get("locks") or []),
            equity=equity,
            invested=invested,
            config=config,
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


def _guards_off(config: Mapping[str, Any]) -> list[str]:
    return list(((config.get("ballast") or {}).get("guards") or {}).get("off") or [])


def _trades(rows: list[dict[str, Any]]) -> tuple[pd.DataFrame, bool]:
    closed = [row for row in rows if not row.get("is_open")]
    stops = [_first_stop(row) for row in closed]
    table = pd.DataFrame(closed, columns=[c for c in _TRADE_COLUMNS if c != "initial_stop"])
    fallback = np.array([row["initial_stop_loss_abs"] for row in closed], dtype=float)
    known = np.array(stops, dtype=float)
    table["initial_stop"] = np.where(np.isfinite(known), known, fallback)
    for column in ("open_date", "close_date"):
        table[column] = pd.to_datetime(table[column], utc=True)
    table = table.fillna({"enter_tag": "", "exit_reason": ""}).astype(_TRADE_COLUMNS)
    return table.sort_values("close_date", kind="stable", ignore_index=True), bool(
        np.isfinite(known).all()
    )


def _first_stop(row: dict[str, Any]) -> float:
    """The first managed stop of a trade (price); NaN where its entry's tag does not tell."""
    for order in row.get("orders") or []:
        _, mark, rest = str(order.get("ft_order_tag") or "").partition(_STOP_MARK)
        if mark:
            return float(rest.split()[0])
    return float("nan")


def _locks(rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "pair": [str(row["pair"]) for row in rows],
            "start": pd.to_datetime([row["lock_timestamp"] for row in rows], unit="ms", utc=True),
            "end": pd.to_datetime([row["lock_end_timestamp"] for row in rows], unit="ms", utc=True),
            "reason": [str(row.get("reason") or "") for row in rows],
        },
        columns=_LOCK_COLUMNS,
    )
    return table


def _account(
    wallet: pd.DataFrame | None, content: dict[str, Any], start: datetime, end: datetime
) -> tuple[pd.Series, pd.Series]:
    """Account value and the part of it in positions."""
    first = pd.Series([float(content["starting_balance"])], index=pd.DatetimeIndex([start]))
    last = pd.Series([float(content["final_balance"])], index=pd.DatetimeIndex([end]))
    if wallet is None or not len(wallet):
        if content["trades"]:
            raise ValueError("no wallet history")
        middle = pd.Series(float(first.iloc[0]), index=pd.date_range(start, end, freq="1D"))
        held = middle * 0.0
    else:
        value = (wallet["rate"] * wallet["balance"]).to_numpy()
        dates = pd.DatetimeIndex(wallet["date"])
        middle = pd.Series(value, index=dates).groupby(level=0).sum()
        own = (wallet["currency"] == content["stake_currency"]).to_numpy()
        held = pd.Series(np.where(own, 0.0, value), index=dates).groupby(level=0).sum()
    equity = pd.concat([first, middle, last])
    invested = pd.concat([first * 0.0, held, last * 0.0])
    # What Freqtrade gives for a moment it has come to goes before what is known of the borders.
    keep = ~equity.index.duplicated(keep="last")
    return equity[keep], invested[keep]


def _brief(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return f"{text} is missing" if isinstance(error, KeyError) else text.splitlines()[0]
