"""Charts show the account that the journal has, at the candle that it held for."""

import math
import sqlite3
from collections.abc import Iterable
from datetime import timedelta

import numpy as np
import pandas as pd

from ballast.charts.account_lanes import MOST, AccountLanes
from ballast.core.account import Account, Gauge, State
from tests.engine import START

HOUR = timedelta(hours=1)


def account(hour: int, multiplier: float = 1.0, **gauges: float) -> Account:
    seen = {code: Gauge(value, 2.0) for code, value in gauges.items()}
    return Account(START + hour * HOUR, State.ACTIVE, 1000.0, multiplier, seen)


def lanes(*written: Account) -> AccountLanes:
    return AccountLanes(lambda: written, "1h")


def shown(drawn: AccountLanes, name: str, hours: int = 4) -> list[float]:
    dates = pd.Series(pd.date_range(START, periods=hours, freq="1h"))
    return drawn.columns(dates)[name].tolist()


def test_a_candle_shows_the_account_that_the_one_before_left() -> None:
    drawn = lanes()
    drawn.add(account(0, 0.5, PORTFOLIO_HEAT=1.5, DRAWDOWN=3.25))
    drawn.add(account(1, 0.25))
    assert np.array_equal(shown(drawn, "size_pct"), [math.nan, 50, 25, math.nan], equal_nan=True)
    assert shown(drawn, "heat_pct")[1] == 1.5
    assert shown(drawn, "drawdown_pct")[1] == 3.25
    assert math.isnan(shown(drawn, "heat_pct")[2])


def test_what_is_shown_of_a_candle_does_not_change_with_candles_to_come() -> None:
    drawn = lanes()
    for hour in range(3):
        drawn.add(account(hour, 1 / (hour + 1)))
        before = shown(drawn, "size_pct", hour + 2)
        drawn.add(account(hour + 1, 0.9))
        assert np.array_equal(shown(drawn, "size_pct", hour + 2), before, equal_nan=True)
        drawn = lanes(*(account(h, 1 / (h + 1)) for h in reversed(range(hour + 1))))


def test_pairs_with_candles_of_the_same_times_show_what_was_looked_up_once() -> None:
    drawn, hours = lanes(account(0, 0.5)), pd.date_range(START, periods=3, freq="1h")
    one, other = (drawn.columns(pd.Series(hours)) for _ in range(2))
    assert all(one[name] is other[name] for name in one)
    assert math.isnan(drawn.columns(pd.Series(hours + HOUR))["size_pct"][1])
    drawn.add(account(1, 0.25))
    assert drawn.columns(pd.Series(hours))["size_pct"].tolist()[1:] == [50, 25]


def test_an_account_that_is_taken_again_within_its_candle_stands_for_the_first() -> None:
    """And takes the place of no older one."""
    drawn = lanes()
    drawn.add(account(-1, PORTFOLIO_HEAT=2.5))
    drawn.add(account(0, PORTFOLIO_HEAT=1.5))
    drawn.add(account(0, PORTFOLIO_HEAT=0.5))
    for hour in range(1, MOST - 1):
        drawn.add(account(hour))
    assert shown(drawn, "heat_pct", 2) == [2.5, 0.5]


def test_after_a_restart_the_journal_tells_what_was_before() -> None:
    # It gives the newest first.
    drawn = lanes(account(1, 0.25), account(0, 0.5))
    drawn.add(account(2, 0.75))
    assert shown(drawn, "size_pct")[1:] == [50, 25, 75]


def test_without_the_drawdown_steps_the_last_limit_tells_the_drawdown() -> None:
    assert shown(lanes(account(0, DRAWDOWN_LIMIT=4.0)), "drawdown_pct")[1] == 4


def test_a_journal_that_cannot_be_read_costs_the_past_of_a_chart_and_nothing_else() -> None:
    def broken() -> Iterable[Account]:
        raise sqlite3.DatabaseError("file is not a database")

    drawn = AccountLanes(broken, "1h")
    drawn.add(account(0, 0.5))
    assert shown(drawn, "size_pct")[1] == 50


def test_no_more_is_kept_than_a_chart_shows() -> None:
    drawn = lanes()
    for hour in range(MOST + 10):
        drawn.add(account(hour))
    assert math.isnan(shown(drawn, "size_pct", 11)[10])
    assert shown(drawn, "size_pct", 12)[11] == 100
