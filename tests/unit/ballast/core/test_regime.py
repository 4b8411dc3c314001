"""A regime is what averages say, once several closes in a row have said so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.core import regime
from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.regime import DOWN, RANGE, UP, RegimeRules, confirmed
from tests.unit.ballast.core.made import closes, scaled, walk

RULES = RegimeRules(fast="5h", slow="20h", confirm_candles=3)
RAW = st.lists(st.sampled_from([DOWN, RANGE, UP]), max_size=60)


def by_hand(raw: list[int], candles: int) -> list[int]:
    """The last value that stood long enough, by a plain loop."""
    out, last = [], RANGE
    for i in range(len(raw)):
        recent = raw[max(0, i - candles + 1) : i + 1]
        if len(recent) == candles and len(set(recent)) == 1:
            last = raw[i]
        out.append(last)
    return out


@settings(deadline=None)
@given(RAW, st.integers(2, 6))
def test_a_regime_counts_once_it_has_stood_long_enough(raw: list[int], candles: int) -> None:
    found = confirmed(np.array(raw, dtype=np.int8), candles)
    assert list(found) == by_hand(raw, candles)


@settings(deadline=None)
@given(RAW, st.integers(0, 6), st.integers(0, 60))
def test_a_confirmed_regime_does_not_depend_on_later_candles(
    raw: list[int], candles: int, k: int
) -> None:
    whole = confirmed(np.array(raw, dtype=np.int8), candles)
    assert list(confirmed(np.array(raw[:k], dtype=np.int8), candles)) == list(whole[:k])


@pytest.mark.parametrize("candles", [0, 1])
def test_without_confirmation_every_candle_counts(candles: int) -> None:
    assert list(confirmed(np.array([UP, DOWN]), candles)) == [UP, DOWN]


def test_one_candle_short_of_confirmation_changes_nothing() -> None:
    raw = np.array([UP] * 3 + [DOWN] * 2 + [UP] + [DOWN] * 3)
    assert list(confirmed(raw, 3)) == [RANGE, RANGE] + [UP] * 6 + [DOWN]


def test_a_pairs_regime_equals_its_definition() -> None:
    frame = walk(1, 300, sigma=0.01)
    close = frame["close"]
    fast, slow = close.rolling(5).mean(), close.rolling(20).mean()
    raw = [
        UP if f > s and c > s else DOWN if f < s and c < s else RANGE
        for c, f, s in zip(close, fast, slow, strict=True)
    ]
    found = list(regime.of_pair(Candles(frame, "1h"), RULES))
    assert found == by_hand(raw, 3)
    assert set(found) == {UP, DOWN, RANGE}


@pytest.mark.parametrize(("step", "expected"), [(1, UP), (-1, DOWN), (0, RANGE)])
def test_a_steady_move_is_its_regime(step: int, expected: int) -> None:
    frame = closes(100 * (1 + 0.002 * step) ** np.arange(60))
    found = regime.of_pair(Candles(frame, "1h"), RULES)
    # Known from candle 19 on, and confirmed two candles later.
    assert (found[:21] == RANGE).all()
    assert (found[21:] == expected).all()


def test_a_short_history_is_a_range_and_no_whole_hour_is_unknown() -> None:
    assert (regime.of_pair(Candles(walk(1, 10), "1h"), RULES) == RANGE).all()
    fine = regime.of_pair(Candles(walk(1, 14, "5m"), "5m"), RULES)
    assert fine[:11].isna().all()
    assert (fine[11:] == RANGE).all()


def test_different_rules_on_the_same_candles_are_kept_apart() -> None:
    candles = Candles(walk(2, 300), "1h")
    one = regime.of_pair(candles, RULES)
    other = regime.of_pair(candles, RegimeRules(fast="5h", slow="20h", confirm_candles=9))
    assert not one.equals(other)


def market(leader: int, basket: list[int], breadth: float = 0.5) -> int:
    """Regime of a market whose leader and pairs move so."""
    frames = [closes(100 * (1 + 0.002 * step) ** np.arange(60)) for step in (leader, *basket)]
    pairs = {f"P{i}/USDT": frame for i, frame in enumerate(frames[1:])}
    rules = RegimeRules(fast="5h", slow="20h", breadth=breadth)
    return int(regime.of_market(Market(frames[0], "1h", pairs), rules).iloc[-1])


@pytest.mark.parametrize(
    ("leader", "basket", "expected"),
    [
        (1, [1, 1], UP),
        (1, [1, -1], UP),
        (1, [1, -1, -1], RANGE),
        (-1, [-1, -1], DOWN),
        (-1, [1, -1, -1], DOWN),
        (-1, [1, -1], RANGE),
        (0, [1, 1], RANGE),
        (1, [], RANGE),
        (-1, [], RANGE),
    ],
)
def test_a_market_needs_its_leader_and_its_breadth_to_agree(
    leader: int, basket: list[int], expected: int
) -> None:
    assert market(leader, basket) == expected


def test_a_market_with_a_short_history_is_a_range() -> None:
    frame = walk(1, 10)
    assert (regime.of_market(Market(frame, "1h", {"A/USDT": frame}), RULES) == RANGE).all()


def test_the_unit_of_price_changes_no_regime() -> None:
    frame = walk(4, 300)
    one = regime.of_pair(Candles(frame, "1h"), RULES)
    assert one.equals(regime.of_pair(Candles(scaled(frame, 2.0**-30), "1h"), RULES))


def test_every_regime_has_a_name() -> None:
    assert [regime.NAMES[r] for r in (DOWN, RANGE, UP)] == ["down", "range", "up"]
