"""A callback that fails answers its refusal, says so, and never lets a number that is none by."""

import inspect
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.strategy.fail_closed import fail_closed


class Desk:
    """Callbacks that answer, or raise, what they are given."""

    def __init__(self) -> None:
        self.incidents: list[tuple[str, Exception]] = []

    def incident(self, where: str, error: Exception) -> None:
        self.incidents.append((where, error))

    @fail_closed(refusal=0.0)
    def stake(self, answer: Any, *, side: str = "long") -> Any:
        """Stake in quote currency."""
        if isinstance(answer, BaseException):
            raise answer
        return answer


@given(
    st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none(), st.text())
)
def test_an_answer_is_passed_on(answer: Any) -> None:
    sizer = Desk()
    assert sizer.stake(answer, side="long") == answer
    assert sizer.incidents == []


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), KeyError("x"), ZeroDivisionError(), RecursionError(), AssertionError()],
)
def test_a_callback_that_raises_refuses_and_says_where(error: Exception) -> None:
    sizer = Desk()
    assert sizer.stake(error) == 0.0
    assert sizer.incidents == [("stake", error)]


@pytest.mark.parametrize("answer", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_a_number_that_is_not_finite_refuses(answer: float) -> None:
    sizer = Desk()
    assert sizer.stake(answer) == 0.0
    where, error = sizer.incidents[0]
    assert where == "stake"
    assert str(error) == f"stake gave {answer}"


def test_a_number_of_another_type_that_is_not_finite_refuses() -> None:
    assert Desk().stake(np.float32("nan")) == 0.0


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_order_to_stop_is_not_held_up(error: type[BaseException]) -> None:
    with pytest.raises(error):
        Desk().stake(error())


def test_a_failure_that_cannot_be_reported_refuses_all_the_same() -> None:
    class Mute(Desk):
        def incident(self, where: str, error: Exception) -> None:
            raise OSError("no log")

    assert Mute().stake(ValueError()) == 0.0


def test_the_wrong_arguments_refuse() -> None:
    sizer = Desk()
    assert sizer.stake() == 0.0
    assert len(sizer.incidents) == 1


def test_a_callback_that_fails_once_works_again() -> None:
    sizer = Desk()
    sizer.stake(ValueError())
    assert sizer.stake(5.0) == 5.0


def test_a_callback_keeps_its_signature_and_its_text() -> None:
    assert list(inspect.signature(Desk.stake).parameters) == ["self", "answer", "side"]
    assert Desk.stake.__doc__ == "Stake in quote currency."
    assert Desk.stake.__name__ == "stake"


def test_a_callback_says_what_it_refuses_with_and_is_called_without_a_copy_of_the_trade() -> None:
    assert Desk.stake.fails_closed_with == 0.0  # type: ignore[attr-defined]
    assert Desk.stake.__qualname__ == "IStrategy.stake"
