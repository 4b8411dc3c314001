"""Results of backtests as Freqtrade exports them, made by hand."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

START = pd.Timestamp("2021-01-01", tz="UTC")


def trade(
    profit: float,
    day: float = 1.0,
    days: float = 1.0,
    pair: str = "BTC/USDT",
    stop: float | None = 95.0,
    **more: Any,
) -> dict[str, Any]:
    """A trade of 1 BTC at 100 whose stop was 95 and whose profit is given, fees left out."""
    opened = START + pd.Timedelta(days=day)
    mark = "" if stop is None else f" initial_stop={stop}"
    return {
        "pair": pair,
        "stake_amount": 100.0,
        "amount": 1.0,
        "open_date": str(opened),
        "close_date": str(opened + pd.Timedelta(days=days)),
        "open_rate": 100.0,
        "close_rate": 100.0 + profit,
        "profit_ratio": profit / 100,
        "profit_abs": profit,
        "exit_reason": "chandelier_exit",
        "initial_stop_loss_abs": 90.0,
        "stop_loss_abs": 90.0,
        "min_rate": min(100.0, 100.0 + profit),
        "max_rate": max(100.0, 100.0 + profit),
        "is_open": False,
        "enter_tag": "Made: rule",
        "orders": [{"ft_is_entry": True, "ft_order_tag": f"Made: rule{mark}"}],
        **more,
    }


def write_zip(
    path: Path,
    trades: Sequence[dict[str, Any]] = (),
    equity: Sequence[float] | None = None,
    strategy: str = "Made",
    days: int = 30,
    config: dict[str, Any] | None = None,
    **more: Any,
) -> Path:
    """
    A result of daily candles from START, whose account has the values of `equity` at their opens.
    """
    values = list(equity) if equity is not None else [10_000.0] * days
    days = len(values)
    content = {
        "strategy_name": strategy,
        "timeframe": "1d",
        "stake_currency": "USDT",
        "pairlist": ["BTC/USDT", "ETH/USDT"],
        "starting_balance": values[0],
        "final_balance": values[-1],
        "backtest_start_ts": int(START.timestamp() * 1000),
        "backtest_end_ts": int((START + pd.Timedelta(days=days - 1)).timestamp() * 1000),
        "trades": list(trades),
        "locks": [],
        **more,
    }
    dates = pd.date_range(START, periods=days, freq="1D")
    wallet = pd.DataFrame(
        {"date": dates, "currency": "USDT", "rate": 1.0, "balance": np.asarray(values)}
    )
    table = io.BytesIO()
    wallet.to_feather(table)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("made.json", json.dumps({"strategy": {strategy: content}}))
        archive.writestr("made_config.json", json.dumps(config or {}))
        archive.writestr(f"made_{strategy}_wallet.feather", table.getvalue())
    return path
