"""A regime is what the entry rules say: one definition for charts, report and entries."""

import numpy as np
import pytest

from ballast.core import regime
from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.regime import DOWN, RANGE, UP
from ballast.core.uptrend import leads_rising_market, rising_market
from tests.unit.ballast.core.made import closes, market_of, scaled, walk

DAYS = 24
LENGTH = 30 * DAYS


def moving(step: int, n: int = LENGTH) -> np.ndarray:
    """Closes that rise (1), fall (-1) or stand (0) by a steady ratio."""
    return 100 * (1 + 0.002 * step) ** np.arange(n)


def moving_market(leader: int, basket: list[int]) -> Market:
    frames = {f"P{i}/USDT": closes(moving(step)) for i, step in enumerate(basket)}
    return market_of(closes(moving(leader)), frames)


def random_market(seed: int) -> tuple[Candles, Market]:
    pairs = {f"P{i}/USDT": walk(seed + i, 3 * LENGTH, sigma=0.01) for i in range(5)}
    market = market_of(pairs["P0/USDT"], pairs)
    return Candles(pairs["P1/USDT"], "1h"), market


@pytest.mark.parametrize("seed", range(5))
def test_a_market_is_never_down_where_an_entry_takes_it_for_up(seed: int) -> None:
    _, market = random_market(seed)
    found = regime.of_market(market)
    rules = rising_market(market)
    both = rules["market_up"].met & rules["breadth_up"].met
    assert (found[both] == UP).all()
    assert (found[rules["market_up"].met] != DOWN).all()
    assert set(found) == {UP, DOWN, RANGE}
    assert ((found == UP) == both).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_pair_is_up_where_its_entry_rule_is_met_and_nowhere_else(seed: int) -> None:
    pair, market = random_market(seed)
    found = regime.of_pair(pair)
    met = leads_rising_market(pair, market)["pair_up"].met
    assert ((found == UP) == met).all()
    assert set(found) == {UP, DOWN, RANGE}


@pytest.mark.parametrize(("step", "expected"), [(1, UP), (-1, DOWN), (0, RANGE)])
def test_a_steady_move_is_its_regime_once_its_average_is_known(step: int, expected: int) -> None:
    found = regime.of_pair(Candles(closes(moving(step)), "1h"))
    assert (found[: 20 * DAYS - 1] == RANGE).all()
    assert (found[20 * DAYS - 1 :] == expected).all()


@pytest.mark.parametrize(
    ("leader", "basket", "expected"),
    [
        (1, [1, 1], UP),
        (1, [1, -1], UP),
        (1, [1, -1, -1], RANGE),
        (-1, [-1, -1], DOWN),
        (-1, [1, -1, -1], DOWN),
        (-1, [1, -1], RANGE),
        (1, [], RANGE),
        (-1, [], RANGE),
    ],
)
def test_a_market_needs_its_leader_and_its_breadth_to_agree(
    leader: int, basket: list[int], expected: int
) -> None:
    assert int(regime.of_market(moving_market(leader, basket))[-1]) == expected


def test_a_market_with_a_short_history_is_a_range() -> None:
    frame = walk(1, 10)
    assert (regime.of_market(market_of(frame, {"A/USDT": frame})) == RANGE).all()


def test_the_unit_of_price_changes_no_regime() -> None:
    frame = walk(4, 2 * LENGTH)
    one = regime.of_pair(Candles(frame, "1h"))
    np.testing.assert_array_equal(one, regime.of_pair(Candles(scaled(frame, 2.0**-30), "1h")))


def test_every_regime_has_a_name() -> None:
    assert [regime.NAMES[r] for r in (DOWN, RANGE, UP)] == ["down", "range", "up"]
