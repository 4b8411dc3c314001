"""A pair is bought only where it leads a market that rises."""

import numpy as np
import pandas as pd
import pytest

from ballast.core.candles import Candles
from ballast.core.rules import conjunction
from ballast.core.uptrend import leads_rising_market, rising_market, trend_gap
from tests.unit.ballast.core.made import closes, market_of, walk

LENGTH = 600


def line(step: float) -> pd.DataFrame:
    """Closes that move by that many thousandths an hour."""
    return closes(100 * (1 + step / 1000) ** np.arange(LENGTH))


def rules(pair: float, leader: float, basket: list[float]) -> dict[str, bool]:
    """Which rules the last candle meets."""
    pairs = {f"P{i}/USDT": line(step) for i, step in enumerate(basket)}
    found = leads_rising_market(Candles(line(pair), "1h"), market_of(line(leader), pairs))
    return {name: bool(rule.met[-1]) for name, rule in found.items()}


@pytest.mark.parametrize(
    ("pair", "leader", "basket", "unmet"),
    [
        (2, 1, [1, 1], set()),
        (2, 1, [1, -1], set()),
        (2, -1, [1, 1], {"market_up"}),
        (2, 1, [1, -1, -1], {"breadth_up"}),
        (-1, 1, [1, 1], {"pair_up", "leads"}),
        (1, 1, [2, 2], {"leads"}),
        (2, 1, [], {"breadth_up", "leads"}),
    ],
)
def test_each_condition_is_its_own_rule(
    pair: float, leader: float, basket: list[float], unmet: set[str]
) -> None:
    found = rules(pair, leader, basket)
    assert list(found) == ["market_up", "breadth_up", "pair_up", "leads"]
    assert {name for name, met in found.items() if not met} == unmet


def test_nothing_is_met_before_the_windows_are_full() -> None:
    pair, market = Candles(line(2), "1h"), market_of(line(1), {"A/USDT": line(1)})
    signal = conjunction(leads_rising_market(pair, market), LENGTH)
    assert not signal[:479].any()
    assert signal[480:].all()
    assert not conjunction(rising_market(market), LENGTH)[:430].any()


def test_the_gap_is_how_far_the_fast_average_is_above_the_slow_one() -> None:
    frame = line(1)
    gap = trend_gap(Candles(frame, "1h"))
    fast, slow = frame["close"][-120:].mean(), frame["close"][-480:].mean()
    assert gap.iloc[-1] == pytest.approx(fast / slow - 1)


def test_a_pair_does_not_lead_a_market_that_is_nothing_but_itself() -> None:
    frame = walk(1, LENGTH)
    market = market_of(frame, {"A/USDT": frame})
    assert not leads_rising_market(Candles(frame, "1h"), market)["leads"].met.any()
