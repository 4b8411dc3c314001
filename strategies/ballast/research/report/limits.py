"""Where the last limit ended a run, and what gaps below stops took beyond any limit."""

from datetime import datetime, timedelta

from ballast.core.guards.drawdown_limit import DrawdownLimit
from ballast.research.report import guard_times
from ballast.research.report.drawdowns import falls
from ballast.research.report.results import RunResult

# Longer than any lock that ends by itself.
_FOR_GOOD = timedelta(days=366)


def latched(run: RunResult) -> datetime | None:
    """When `DrawdownLimit` ended all entries, since nobody re-arms in a backtest; None if never."""
    for name, locks in guard_times.locks_by_guard(run):
        if name == DrawdownLimit.__name__:
            begun = locks["start"][locks["end"] - locks["start"] >= _FOR_GOOD]
            return begun.min().to_pydatetime() if len(begun) else None
    return None


def gaps_in_drawdown(run: RunResult) -> float:
    """
    How much of the largest drawdown are fills below their stops (ratio of its peak).

    What a position lost between its last stop and its exit, over those that closed on the way down.
    No limit holds it: a price that is not there cannot be sold at.
    """
    found = falls(run.equity)
    if not found:
        return 0.0
    deepest = found[0]
    trades = run.trades
    inside = (trades["close_date"] > deepest.peak) & (trades["close_date"] <= deepest.low)
    below = (trades["last_stop"] - trades["close_rate"]).clip(lower=0)
    # Of what its exit sold: parts have been sold above the stop.
    lost = float((trades["last_amount"] * below)[inside].sum())
    return lost / float(run.equity[deepest.peak])
