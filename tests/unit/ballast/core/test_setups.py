"""A setup that cannot be traded is refused where it is stated, in one sentence."""

from typing import Any

import pytest

from ballast.core.setups import Setup, SetupRefused
from ballast.core.stops import StopRules

STOPS = StopRules(2.0)


@pytest.mark.parametrize("size", [3, 0, -1, 1.01, float("nan"), "1", True, None])
def test_a_size_that_is_no_share_of_the_usual_risk_is_refused(size: Any) -> None:
    with pytest.raises(SetupRefused, match=r"^Up\.size is .*: expected a number above 0 to 1"):
        Setup("Up", {}, STOPS, size=size)


def test_a_setup_names_the_stop_that_cannot_be_used() -> None:
    with pytest.raises(SetupRefused, match=r"^Up\.stops\.initial_atr is -3: expected"):
        Setup("Up", {}, StopRules(initial_atr=-3))
