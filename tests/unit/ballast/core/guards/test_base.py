"""A guard without an opinion allows; memory takes only what it knows."""

import pytest
from pydantic import ValidationError

from ballast.core.guards.base import Guard, Nothing
from ballast.core.verdict import ALLOW
from tests.unit.ballast.core.made import seen


def test_a_guard_without_an_opinion_allows_and_closes_nothing() -> None:
    guard = Guard()
    guard.observe(seen())
    assert guard.market_verdict(seen()) is ALLOW
    assert guard.pair_verdicts(seen()) == {}
    assert not guard.verdict(seen(), "A/USDT").blocks
    assert guard.flattens is False


def test_a_guard_without_memory_can_be_rearmed() -> None:
    guard = Guard()
    guard.rearm()
    assert guard.memory == Nothing()


def test_memory_with_an_unknown_entry_is_refused() -> None:
    with pytest.raises(ValidationError):
        Nothing.model_validate_json('{"peak": 1.0}')
