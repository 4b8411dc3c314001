"""The lines of a screen that a reader must not have to think about."""

import pytest

from ballast.core.account import Gauge
from ballast.core.status import gauge_line


def test_a_limit_that_is_nearly_used_up_keeps_its_column() -> None:
    """'0.0762 %' pushed its bar out of line."""
    line = "heat                 0 % of 0.08 % --------------------"
    assert gauge_line("heat", Gauge(0.0, 0.0762)) == line


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (1.0, "week's loss          1 % of 4 %    #####---------------"),
        (-1.53, "week's loss          0 % of 4 %    --------------------, up 1.53 %"),
        (-0.0001, "week's loss          0 % of 4 %    --------------------"),
    ],
)
def test_a_gain_is_no_negative_loss(value: float, line: str) -> None:
    assert gauge_line("week's loss", Gauge(value, 4.0)) == line
