"""Verdicts compose by minimum: any block wins, and another verdict never helps."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.core.verdict import ALLOW, Verdict, compose
from tests.unit.ballast.core.made import START

MULTIPLIERS = st.one_of(st.floats(0, 1), st.sampled_from([float("nan"), -1.0, 0.0, 1.0]))
VERDICTS = st.builds(
    Verdict,
    st.sampled_from(["A", "B", "C"]),
    st.floats(0, 10),
    st.just(1.0),
    MULTIPLIERS,
    st.one_of(st.none(), st.integers(0, 1000).map(lambda h: START + timedelta(hours=h))),
)


def size(verdict: Verdict) -> float:
    """What a verdict lets through."""
    return 0.0 if verdict.blocks else verdict.multiplier


@pytest.mark.parametrize("multiplier", [0.0, -0.5, float("nan"), float("-inf")])
def test_a_multiplier_that_is_not_above_zero_blocks(multiplier: float) -> None:
    assert Verdict("X", 1, 1, multiplier).blocks


@pytest.mark.parametrize("multiplier", [1e-9, 0.5, 1.0])
def test_a_multiplier_above_zero_does_not_block(multiplier: float) -> None:
    assert not Verdict("X", 1, 1, multiplier).blocks


def test_no_verdicts_allow() -> None:
    assert compose([]) is ALLOW


def test_the_smallest_multiplier_binds() -> None:
    half, third = Verdict("HALF", 1, 1, 0.5), Verdict("THIRD", 1, 1, 0.33)
    assert compose([ALLOW, half, third]) is third


def test_any_block_wins() -> None:
    block = Verdict("BLOCK", 1, 1, 0.0)
    assert compose([Verdict("SMALL", 1, 1, 0.01), block, ALLOW]) is block


def test_a_multiplier_that_is_not_a_number_wins_over_a_small_one() -> None:
    broken = Verdict("BROKEN", 1, 1, float("nan"))
    assert compose([Verdict("SMALL", 1, 1, 0.01), broken]) is broken


def test_among_blocks_the_longest_is_told() -> None:
    short = Verdict("SHORT", 1, 1, 0.0, START)
    long = Verdict("LONG", 1, 1, 0.0, START + timedelta(hours=1))
    assert compose([short, long, Verdict("OPEN_ENDED", 1, 1, 0.0)]) is long


@settings(max_examples=500)
@given(st.lists(VERDICTS, max_size=8), VERDICTS)
def test_another_verdict_never_raises_the_size(verdicts: list[Verdict], further: Verdict) -> None:
    assert size(compose([*verdicts, further])) <= size(compose(verdicts))


@settings(max_examples=500)
@given(
    st.lists(VERDICTS, min_size=1, max_size=8).flatmap(
        lambda v: st.tuples(st.just(v), st.permutations(v))
    )
)
def test_the_order_of_verdicts_does_not_matter(both: tuple[list[Verdict], list[Verdict]]) -> None:
    one, other = map(compose, both)
    assert size(one) == size(other)
    assert one.until == other.until or not one.blocks


def test_a_verdict_reads_as_code_value_limit_and_end() -> None:
    verdict = Verdict("DAILY_LOSS", 2.345678, 1.5, 0.0, START)
    assert str(verdict) == "DAILY_LOSS 2.35 % (limit 1.5 %), until 2024-01-01 00:00 UTC"
    assert str(ALLOW) == "OK"
