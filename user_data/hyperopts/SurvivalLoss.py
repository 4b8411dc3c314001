"""A loss function for `freqtrade hyperopt` that rewards staying in the game.

`freqtrade hyperopt -c config.json --strategy RisingMarket --hyperopt-loss SurvivalLoss --spaces buy
-e 100 --disable-param-export`
"""

import math
from datetime import datetime
from typing import Any

import pandas as pd
from freqtrade.optimize.hyperopt import IHyperOptLoss

# Below this, a drawdown says more about luck than about the strategy (ratio of the account).
SMALLEST_DRAWDOWN = 0.01
# The tail: mean of this share of days, the worst ones (expected shortfall).
TAIL_SHARE = 0.01
# One percent of the account lost on a mean day of the tail costs as much as one unit of yearly
# return over drawdown.
TAIL_PRICE = 100.0
# Thirty is the least that a mean is usually asked of; a strategy that hardly trades is no result.
FEWEST_TRADES = 30
FEWEST_TRADES_A_YEAR = 20
# Losses of results that are not to be chosen whatever they earned; 100,000 is Freqtrade's own.
TOO_FEW_TRADES = 1_000.0
WORST = 100_000.0


class SurvivalLoss(IHyperOptLoss):
    """
    Yearly return over maximum drawdown, less a price on the worst days; smaller is better.

    With the return r (by year, not compounded), the maximum drawdown d and the mean loss t of the
    worst 1 % of days, as ratios of the account: loss = 100 t - r / max(d, 1 %). A losing result has
    loss = 100 t + (d - r) / 1 % with the total return r, so that a deeper drawdown is worse there
    too. Too few trades are worse than any result with enough of them, and results that are empty or
    undefined are worst.

    The account is the sum of closed trades by UTC day: hyperopt keeps no wallet history. What a
    position lost while it was open does not count; judge with `python -m ballast stress`.
    """

    @staticmethod
    def hyperopt_loss_function(
        *,
        results: pd.DataFrame,
        trade_count: int,
        min_date: datetime,
        max_date: datetime,
        starting_balance: float,
        **kwargs: Any,
    ) -> float:
        """Loss of one epoch; see the class."""
        days = max(1, (max_date - min_date).days)
        missing = max(FEWEST_TRADES, FEWEST_TRADES_A_YEAR * days / 365.25) - trade_count
        if not trade_count or starting_balance <= 0 or not results["profit_abs"].notna().all():
            return WORST
        if missing > 0:
            return TOO_FEW_TRADES + missing
        account = daily_account(results, min_date, max_date, starting_balance)
        loss = survival_loss(account, days)
        return min(loss, TOO_FEW_TRADES) if math.isfinite(loss) else WORST


def daily_account(
    trades: pd.DataFrame, min_date: datetime, max_date: datetime, starting_balance: float
) -> pd.Series:
    """Account value at the end of each UTC day, the starting balance in front (quote currency)."""
    closed = trades.groupby(trades["close_date"].dt.floor("1D"))["profit_abs"].sum()
    first = min(pd.Timestamp(min_date).floor("1D"), closed.index[0])
    last = max(pd.Timestamp(max_date).floor("1D"), closed.index[-1])
    before = first - pd.Timedelta(days=1)
    days = pd.date_range(before, last, freq="1D")
    return starting_balance + closed.reindex(days, fill_value=0.0).cumsum()


def survival_loss(account: pd.Series, days: int) -> float:
    """
    The loss of an account's history (see `SurvivalLoss`).

    Parameters
    ----------
    account : Series
        Value by day, the starting balance first, quote currency.
    days : int
        Length of the history.
    """
    if (account <= 0).any():
        return TOO_FEW_TRADES
    total = float(account.iloc[-1] / account.iloc[0] - 1)
    drawdown = float((1 - account / account.cummax()).max())
    changes = account.pct_change().dropna()
    tail = changes.nsmallest(math.ceil(TAIL_SHARE * len(changes)))
    shortfall = max(0.0, -float(tail.mean()))
    if total > 0:
        reward = total * 365.25 / days / max(drawdown, SMALLEST_DRAWDOWN)
    else:
        reward = (total - drawdown) / SMALLEST_DRAWDOWN
    return TAIL_PRICE * shortfall - reward
