"""Tables out of what Freqtrade writes into the zip of a backtest (see `results`)."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

# What `GuardedStrategy.order_filled` appends to the tag of the entry order in backtests.
_STOP_MARK = "initial_stop="
_TRADE_COLUMNS = {
    "pair": str,
    "open_date": "datetime64[ns, UTC]",
    "close_date": "datetime64[ns, UTC]",
    "open_rate": float,
    "close_rate": float,
    "amount": float,
    "last_amount": float,
    "stake_amount": float,
    "profit_ratio": float,
    "profit_abs": float,
    "min_rate": float,
    "max_rate": float,
    "fee_open": float,
    "enter_tag": str,
    "exit_reason": str,
    "initial_stop": float,
    "last_stop": float,
}
_LOCK_COLUMNS = ("pair", "start", "end", "reason")


def trades_of(rows: list[dict[str, Any]]) -> tuple[pd.DataFrame, bool]:
    """
    Closed trades in order of closing (columns as in `RunResult`), and whether each one tells its
    managed first stop. KeyError or ValueError where Freqtrade would have written more.
    """
    closed = [row for row in rows if not row.get("is_open")]
    stops = [_first_stop(row) for row in closed]
    # Freqtrade's own is what was left when it closed: R is of what was bought.
    closed = [{**row, "amount": _bought(row), "last_amount": row["amount"]} for row in closed]
    table = pd.DataFrame(closed, columns=[c for c in _TRADE_COLUMNS if "_stop" not in c])
    fallback = np.array([row["initial_stop_loss_abs"] for row in closed], dtype=float)
    known = np.array(stops, dtype=float)
    table["initial_stop"] = np.where(np.isfinite(known), known, fallback)
    table["last_stop"] = [row["stop_loss_abs"] for row in closed]
    for column in ("open_date", "close_date"):
        table[column] = pd.to_datetime(table[column], utc=True)
    table = table.fillna({"enter_tag": "", "exit_reason": ""}).astype(_TRADE_COLUMNS)
    ordered = table.sort_values("close_date", kind="stable", ignore_index=True)
    return ordered, bool(np.isfinite(known).all())


def _bought(row: dict[str, Any]) -> float:
    """Units that a trade has bought, all its entries together."""
    filled = [o for o in row.get("orders") or [] if o.get("order_filled_timestamp")]
    bought = sum(float(o["amount"]) for o in filled if o["ft_is_entry"])
    return bought or float(row["amount"])


def _first_stop(row: dict[str, Any]) -> float:
    """The first managed stop of a trade (price); NaN where its entry's tag does not tell."""
    for order in row.get("orders") or []:
        _, mark, rest = str(order.get("ft_order_tag") or "").partition(_STOP_MARK)
        if mark:
            return float(rest.split()[0])
    return float("nan")


def locks_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Locks: pair ('*' for all), start and end (UTC), reason."""
    return pd.DataFrame(
        {
            "pair": [str(row["pair"]) for row in rows],
            "start": pd.to_datetime([row["lock_timestamp"] for row in rows], unit="ms", utc=True),
            "end": pd.to_datetime([row["lock_end_timestamp"] for row in rows], unit="ms", utc=True),
            "reason": [str(row.get("reason") or "") for row in rows],
        },
        columns=_LOCK_COLUMNS,
    )


def account_of(
    wallet: pd.DataFrame | None, content: dict[str, Any], start: datetime, end: datetime
) -> tuple[pd.Series, pd.Series]:
    """
    Account value and the part of it in positions, from the start to the end of a run.

    Raises
    ------
    ValueError
        When there are trades but no wallet history.
    """
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
