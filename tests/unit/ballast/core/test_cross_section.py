"""A cross-section shows every pair at one candle; one that lacks it is not trusted there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.core.columns import CandleColumns
from ballast.core.cross_section import CrossSection
from ballast.core.trust import DataQuality
from tests.unit.ballast.core.made import dates, moment, row

COLUMNS = ("trust", "cooldown", "intensity", "fall")


def columns(rows: list[int], **columns: list[float]) -> CandleColumns:
    """A columns with the candles of those positions, calm but for what is given."""
    values = {name: np.array(columns.get(name, [0.0] * len(rows))) for name in COLUMNS}
    return CandleColumns(dates(50, "1h")[rows].reset_index(drop=True), "1h", values)


AXIS = CandleColumns(dates(10, "1h"), "1h", {})


def test_a_row_is_that_of_the_candle_that_has_just_ended() -> None:
    fall = [0.01 * i for i in range(10)]
    cross_section = CrossSection(AXIS, {"A": columns(list(range(10)), fall=fall)})
    found = cross_section.at(moment(5))
    assert found is not None
    # The candle that opened at 04:00.
    assert found.share_fallen(0.0399) == 1
    assert found.share_fallen(0.0401) == 0


@pytest.mark.parametrize("hours", [0, 0.5, 11, 500, -3])
def test_there_is_no_row_where_the_axis_has_no_fresh_candle(hours: float) -> None:
    assert CrossSection(AXIS, {"A": columns(list(range(10)))}).at(moment(hours)) is None


def test_a_row_stays_until_the_next_candle_ends() -> None:
    assert CrossSection(AXIS, {}).at(moment(10.999)) is not None


def test_trusted_pairs_are_not_listed_and_others_with_their_code() -> None:
    found = row(
        {"A": {}, "B": {"trust": DataQuality.ABSURD_BAR}, "C": {"trust": DataQuality.SHORT_HISTORY}}
    )
    assert found.untrusted() == {"B": DataQuality.ABSURD_BAR, "C": DataQuality.SHORT_HISTORY}
    assert row({"A": {}, "B": {}}).untrusted() == {}


@settings(max_examples=100)
@given(st.sets(st.integers(0, 14)), st.integers(0, 9))
def test_a_pair_that_lacks_the_candle_is_untrusted_and_neither_cools_nor_has_fallen(
    rows: set[int], at: int
) -> None:
    wild = {name: [9.0] * len(rows) for name in ("cooldown", "intensity", "fall")}
    cross_section = CrossSection(
        AXIS, {"A": columns(sorted(rows), **wild), "B": columns(list(range(10)))}
    )
    found = cross_section.at(moment(at + 1))
    assert found is not None
    there = at in rows
    assert found.untrusted() == ({} if there else {"A": DataQuality.DISORDER})
    assert found.cooling() == ({"A": (9.0, 9.0)} if there else {})
    assert found.share_fallen(0.5) == (0.5 if there else 0.0)


def test_pairs_that_cool_are_told_with_candles_left_and_intensity() -> None:
    found = row({"A": {"cooldown": 3, "intensity": 1.5}, "B": {}, "C": {"cooldown": 1}})
    assert found.cooling() == {
        "A": (3.0, 1.5),
        "C": (1.0, pytest.approx(0.1)),
    }
    assert row({"A": {}}).cooling() == {}


@pytest.mark.parametrize(("by", "share"), [(0.0599, 0.75), (0.06, 0.75), (0.0601, 0.25)])
def test_the_share_fallen_counts_a_fall_of_exactly_the_limit(by: float, share: float) -> None:
    falls = {"A": 0.06, "B": 0.06, "C": 0.2, "D": 0.01}
    assert row({pair: {"fall": fall} for pair, fall in falls.items()}).share_fallen(by) == share


def test_the_share_that_fell_is_that_of_the_pairs_known() -> None:
    assert row({"A": {"fall": np.nan}, "B": {"fall": 0.2}}).share_fallen(0.1) == 1.0
    assert row({"A": {"fall": np.nan}}).share_fallen(0.1) == 0


def test_a_cross_section_without_pairs_shows_nothing() -> None:
    found = CrossSection(AXIS, {}).at(moment(5))
    assert found is not None
    assert (found.untrusted(), found.cooling(), found.share_fallen(0.1)) == ({}, {}, 0.0)


def test_a_cross_section_does_not_depend_on_later_candles() -> None:
    rng = np.random.default_rng(1)
    drawn = {name: list(rng.random(10)) for name in COLUMNS}
    whole = CrossSection(AXIS, {"A": columns(list(range(10)), **drawn)})
    for k in range(1, 11):
        part = {name: values[:k] for name, values in drawn.items()}
        axis = CandleColumns(dates(k, "1h"), "1h", {})
        one, other = (
            CrossSection(axis, {"A": columns(list(range(k)), **part)}).at(moment(k)),
            whole.at(moment(k)),
        )
        assert one is not None
        assert other is not None
        assert one.cooling() == other.cooling()
        assert one.untrusted() == other.untrusted()
        assert one.share_fallen(0.5) == other.share_fallen(0.5)
