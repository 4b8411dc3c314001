"""A position that was found quiet is so while nothing of what that followed from has changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from ballast.strategy.quiet import Bounds, Target, _stated

NOW = datetime(2024, 1, 1, 5, tzinfo=UTC)
LOW, HIGH = 98.0, 102.0


def made(**members: Any) -> Any:
    return SimpleNamespace(**members)


class Case:
    """A strategy, a position of it, and the bounds that were found."""

    def __init__(self) -> None:
        self.now, self.low, self.high = NOW, LOW, HIGH
        self.strategy = made(
            minimal_roi={0: 0.1},
            stoploss=-0.2,
            trailing_stop=True,
            trailing_stop_positive=0.02,
            trailing_stop_positive_offset=0.04,
            trailing_only_offset_is_reached=True,
            use_custom_roi=False,
        )
        self.trade = made(stop_loss=95.0, amount=2.0)
        plan = made(stop=94.0, closed_below=False)
        self.managed = made(plan=plan, asked=NOW)
        targets, *rest = _stated(self.strategy)
        until, stated = NOW + timedelta(hours=1), (dict(targets), *rest)
        self.guards = made(flattens=None)
        self.found = Bounds(
            self.trade,
            self.managed,
            self.guards,
            stop=94.0,
            stop_loss=95.0,
            amount=2.0,
            ceiling=104.0,
            target=Target(110.0, until),
            until=until,
            stated=stated,
        )

    def holds(self) -> bool:
        return self.found.holds(self.strategy, self.trade, self.now, self.low, self.high)


def changed(where: str, name: str, value: Any) -> Callable[[Case], None]:
    return lambda case: setattr(getattr(case, where) if where else case, name, value)


@pytest.mark.parametrize(
    "change",
    [
        changed("", "low", 95.0),
        changed("", "low", 94.0),
        changed("", "high", 104.0),
        changed("", "now", NOW + timedelta(hours=1)),
        changed("", "trade", made(stop_loss=95.0, amount=2.0)),
        changed("trade", "stop_loss", 96.0),
        changed("trade", "amount", 1.0),
        changed("managed", "asked", NOW - timedelta(hours=1)),
        changed("guards", "flattens", "DrawdownLimit"),
        changed("strategy", "stoploss", -0.1),
        changed("strategy", "trailing_stop", False),
        changed("strategy", "trailing_stop_positive", 0.01),
        changed("strategy", "trailing_stop_positive_offset", 0.01),
        changed("strategy", "trailing_only_offset_is_reached", False),
        changed("strategy", "minimal_roi", {0: 0.01}),
        changed("strategy", "use_custom_roi", True),
        lambda case: case.strategy.minimal_roi.update({0: 0.01}),
        lambda case: setattr(case.managed.plan, "stop", 94.5),
        lambda case: setattr(case.managed.plan, "closed_below", True),
    ],
)
def test_whatever_changes_lets_freqtrade_and_the_layer_look_again(
    change: Callable[[Case], None],
) -> None:
    case = Case()
    assert case.holds()
    change(case)
    assert not case.holds()


@pytest.mark.parametrize(
    "change",
    [
        changed("", "now", NOW + timedelta(hours=1)),
        changed("", "trade", made(stop_loss=95.0, amount=2.0)),
        changed("trade", "amount", 1.0),
        changed("strategy", "minimal_roi", {0: 0.01}),
        changed("strategy", "use_custom_roi", True),
        lambda case: case.strategy.minimal_roi.update({0: 0.01}),
    ],
)
def test_a_profit_target_is_worked_out_again_where_it_may_be_another(
    change: Callable[[Case], None],
) -> None:
    """A stop that has moved is no reason to."""
    case = Case()
    case.trade.stop_loss = 97.0
    assert case.found.keeps_target(case.strategy, case.trade, case.now)
    change(case)
    assert not case.found.keeps_target(case.strategy, case.trade, case.now)
