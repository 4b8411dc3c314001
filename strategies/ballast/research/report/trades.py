"""Trades in R, and what the open ones put at risk.

R is what the first stop of a trade put at risk: ``amount * (open rate - first stop)``, fees left
out. The first stop is the managed one, decided from completed candles before the order was sent
(`RunResult.has_stops`); where a result does not tell it, Freqtrade's own stands in, which is the
disaster stop and makes every R look small.
"""

import numpy as np
import pandas as pd

from ballast.core.heat import StopCosts, loss_at_stop

_HOUR = pd.Timedelta(hours=1)


def in_r(trades: pd.DataFrame) -> pd.DataFrame:
    """
    Add to trades (see `RunResult`) what they were in R.

    Returns
    -------
    DataFrame
        The same rows with risk (quote currency), r (net result), mae and mfe (furthest against and
        for the trade, positive, fees left out), hours (held) and setup (first part of the entry
        tag). NaN in R where the first stop was not below the entry. Lows and highs are those of
        whole candles, the exit's included: a stopped trade can show more than its loss.
    """
    distance = trades["open_rate"] - trades["initial_stop"]
    distance = distance.where(distance > 0)
    risk = trades["amount"] * distance
    return trades.assign(
        risk=risk,
        r=trades["profit_abs"] / risk,
        mae=((trades["open_rate"] - trades["min_rate"]) / distance).clip(lower=0),
        mfe=((trades["max_rate"] - trades["open_rate"]) / distance).clip(lower=0),
        hours=(trades["close_date"] - trades["open_date"]) / _HOUR,
        setup=trades["enter_tag"].str.split(":").str[0],
    )


def contributions(trades: pd.DataFrame, equity: pd.Series) -> pd.Series:
    """Profit of each trade over the account's value when it was opened (ratio), by close date."""
    values = at(equity, trades["open_date"])
    return pd.Series(
        trades["profit_abs"].to_numpy() / values, index=pd.DatetimeIndex(trades["close_date"])
    )


def heat(trades: pd.DataFrame, equity: pd.Series, costs: StopCosts) -> pd.Series:
    """
    What all open trades together lost at their first stops, over the account (ratio).

    An upper bound of the true heat: stops only tighten.

    Parameters
    ----------
    trades : DataFrame
        From `in_r`.
    equity : Series over UTC time, quote currency
    costs : StopCosts
        What leaving at a stop costs beside the distance.

    Returns
    -------
    Series
        On the times of `equity`.
    """
    bought = zip(trades["amount"], trades["open_rate"], trades["initial_stop"], strict=True)
    losses = np.array([loss_at_stop(*position, costs) for position in bought])
    risk = np.where(trades["risk"].notna(), losses, 0.0)
    opened = _accumulated(trades["open_date"], risk, equity.index)
    closed = _accumulated(trades["close_date"], risk, equity.index)
    return pd.Series(np.maximum(opened - closed, 0.0) / equity.to_numpy(), index=equity.index)


def at(values: pd.Series, dates: pd.Series) -> np.ndarray:
    """Newest value at or before each date; the first before them all."""
    position = values.index.searchsorted(pd.DatetimeIndex(dates), side="right") - 1
    return np.asarray(values.to_numpy()[np.maximum(position, 0)])


def top_share(profits: pd.Series, count: int) -> float:
    """Share of the net profit that the `count` best came to; NaN where there is no net profit."""
    total = float(profits.sum())
    if total <= 0:
        return float("nan")
    return float(profits.nlargest(count).sum()) / total


def _accumulated(dates: pd.Series, amounts: np.ndarray, axis: pd.Index) -> np.ndarray:
    """Sum of the amounts dated at or before each time of the axis."""
    order = np.argsort(dates.to_numpy(), kind="stable")
    total = np.concatenate(([0.0], np.cumsum(amounts[order])))
    ordered = pd.DatetimeIndex(dates.iloc[order])
    return np.asarray(total[ordered.searchsorted(axis, side="right")])
