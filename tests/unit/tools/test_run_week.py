"""What grows after the first day is told in percent a day, whatever the first day did."""

from __future__ import annotations

import pytest

from tools.run_week import growth_pct


def test_growth_is_of_the_size_after_the_first_day() -> None:
    first = [50.0, 80.0, 90.0, 95.0]
    assert growth_pct([*first, *(100.0 + candle / 4 for candle in range(8))], 4) == pytest.approx(1)
    assert growth_pct([*first, *[100.0] * 8], 4) == pytest.approx(0)


def test_a_single_day_says_nothing() -> None:
    with pytest.raises(ValueError, match="expected at least 6"):
        growth_pct([100.0] * 5, 4)
