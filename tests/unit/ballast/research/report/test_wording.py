"""Numbers read the same everywhere."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from ballast.research.report import wording


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0.1234, "+12.3 %"),
        (-0.05, "-5.0 %"),
        (17.58, "+1,758 %"),
        (0.0, "0 %"),
        (-0.0004, "0 %"),
        (math.nan, "-"),
    ],
)
def test_changes_have_a_sign(ratio: float, text: str) -> None:
    assert wording.percent(ratio) == text


def test_shares_have_none() -> None:
    assert wording.share(0.123) == "12 %"
    assert wording.share(0.123, 1) == "12.3 %"
    assert wording.share(math.inf) == "-"


def test_a_number_that_rounds_to_nothing_has_no_sign() -> None:
    """A pair's mean result read '-0.00'."""
    assert [wording.number(n) for n in (-0.004, 0.004, -0.006)] == ["0.00", "0.00", "-0.01"]


def test_chances_are_never_certain() -> None:
    assert [wording.chance(c) for c in (0.0, 0.54, 1.0)] == [
        "less than 1 %",
        "54 %",
        "more than 99 %",
    ]


def test_lengths_are_days_or_years() -> None:
    assert [wording.days(d) for d in (1, 40.4, 729, 1036, math.inf)] == [
        "1 day",
        "40 days",
        "729 days",
        "2.8 years",
        "no length of time",
    ]


def test_nouns_follow_their_number() -> None:
    assert wording.counted(1, "trade") == "1 trade"
    assert wording.counted(1200, "stretch", "stretches") == "1,200 stretches"


def test_a_date_is_short() -> None:
    assert wording.day(datetime(2021, 3, 5, tzinfo=UTC)) == "5 Mar 2021"
