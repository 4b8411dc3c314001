"""The labelled disasters of a generated year of ten pairs: what is lost in each of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from unittest.mock import patch

import pandas as pd
import pytest

from ballast.config.guards import GuardSettings
from ballast.core.guard_set import GuardSet
from ballast.core.snapshot import Snapshot
from ballast.risk.candle_news import CandleNews
from sandbox.candles import TIMEFRAMES_MS, aggregate
from sandbox.profiles import PROFILES
from sandbox.regimes import Label
from tests.behaviour.market import source
from tests.engine import run_backtest

DAYS = 366
EVENTS = ("flash_crash", "slow_crash", "outage", "bad_tick")
# Losses that begin within an event may take some time to be realised.
AFTERMATH = timedelta(hours=24)


@dataclass(frozen=True)
class Year:
    """Equity at every candle border (quote currency), and the trades."""

    equity: pd.Series
    trades: pd.DataFrame

    def lost(self, label: Label) -> float:
        """Deepest fall of equity within a label and its aftermath, percent of the start's."""
        within = self.equity[label.start - timedelta(hours=1) : label.end + AFTERMATH]
        return float(100 * (1 - within.min() / within.iloc[0]))

    def days(self) -> pd.Series:
        """Change of equity over each UTC day, percent, by the day."""
        return 100 * self.equity.resample("1D").first().pct_change().shift(-1).dropna()

    def lost_on(self, pair: str) -> float:
        """Deepest fall of what one pair's trades have earned, percent of the first equity."""
        earned = self.trades[self.trades["pair"] == pair].sort_values("close_date")["profit_abs"]
        total = pd.concat([pd.Series([0.0]), earned.cumsum()])
        return float(100 * (total.cummax() - total).max() / self.equity.iloc[0])


@contextmanager
def equity_watched() -> Iterator[dict[datetime, float]]:
    """The equity at every candle, of which the guards are shown each."""
    seen: dict[datetime, float] = {}
    observe = GuardSet.observe

    def watched(self: GuardSet, snapshot: Snapshot) -> object:
        seen[snapshot.now] = snapshot.equity
        return observe(self, snapshot)

    with (
        patch.object(CandleNews, "at", lambda *_, **__: None),
        patch.object(GuardSet, "observe", watched),
    ):
        yield seen


@cache
def year(*, guards: bool) -> Year:
    market = source(DAYS)
    frames = {
        pair: aggregate(market.candles(pair), TIMEFRAMES_MS["1h"]).to_frame() for pair in PROFILES
    }
    prices = {"price_side": "other", "use_order_book": False}
    config = {
        "stake_amount": "unlimited",
        "entry_pricing": prices,
        "exit_pricing": prices,
        "ballast": {
            # What the guards hold is measured at the prices asked.
            "costs": {"enabled": False},
            "guards": {"off": [] if guards else GuardSettings.names()},
        },
    }
    with equity_watched() as seen:
        outcome = run_backtest(
            "strategies/RisingMarket.py", frames, config=config, fee=0.001, protections=True
        )
    return Year(pd.Series(seen).sort_index(), outcome.trades)


def labels(name: str) -> list[Label]:
    return [label for label in source(DAYS).labels() if label.name == name]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", EVENTS)
def test_no_disaster_costs_more_than_three_percent(scenario: str) -> None:
    for label in labels(scenario):
        assert year(guards=True).lost(label) <= 3.0


@pytest.mark.xfail(strict=True, reason="-3.4 % where the market opens 11 % lower")
def test_no_day_costs_more_than_two_and_a_half_percent() -> None:
    assert year(guards=True).days().min() >= -2.5


def test_no_day_but_that_of_the_gap_costs_more_than_two_and_a_half_percent() -> None:
    (crash,) = labels("flash_crash")
    days = year(guards=True).days()
    assert len(days) > 300
    assert days.drop(pd.Timestamp(crash.start.date(), tz="UTC")).min() >= -2.5


def test_a_thin_pair_costs_no_more_than_three_percent() -> None:
    (label,) = labels("thin")
    assert year(guards=True).lost_on(label.pairs[0]) <= 3.0


@pytest.mark.slow
def test_the_same_disasters_cost_more_without_the_guards() -> None:
    events = [label for name in EVENTS for label in labels(name)]
    lost = {on: sum(year(guards=on).lost(label) for label in events) for on in (True, False)}
    assert lost[True] < lost[False]
