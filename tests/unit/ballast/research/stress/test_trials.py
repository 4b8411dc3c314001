"""Trials move each value of a strategy a quarter either way, and nothing else."""

from __future__ import annotations

import pytest

from ballast.core import uptrend
from ballast.research import changes
from ballast.research.backtests import TaskError
from ballast.research.stress.trials import OWN, WIDE, _moved, moved_by_a_quarter
from ballast.tooling.config_files import read_config
from tests.engine import ROOT

STRATEGIES = ROOT / "strategies"
CONFIG = read_config([str(ROOT / "config.json")])


def tried(strategy: str, kind: str) -> dict[str, list[object]]:
    """Values that are tried, by name."""
    found: dict[str, list[object]] = {}
    for trial in moved_by_a_quarter(strategy, str(STRATEGIES), CONFIG, kind):
        ((name, value),) = trial.items()
        found.setdefault(name, []).append(value)
    return found


def test_own_parameters_are_moved_and_stay_whole() -> None:
    assert tried("DonchianTrend", OWN) == {"channel_days": [4, 6]}


def test_wide_trials_move_stops_settings_and_windows_as_well() -> None:
    found = tried("DonchianTrend", WIDE)
    assert found["channel_days"] == [4, 6]
    assert found["stops.initial_atr"] == ["x0.75", "x1.25"]
    assert found["uptrend.SLOW"] == ["15d", "25d"]
    assert found["ballast.risk.per_trade_pct"] == [0.375, 0.625]
    # A distance that no setup has cannot be moved.
    assert "stops.time_stop" not in found


@pytest.mark.parametrize("path", sorted(STRATEGIES.glob("[!_]*.py")), ids=lambda path: path.stem)
def test_every_kind_of_value_of_every_strategy_can_be_moved(path: object) -> None:
    found = tried(path.stem, WIDE)  # type: ignore[attr-defined]
    kinds = [changes.SETTING, changes.STOP, changes.WINDOW]
    assert all(any(name.startswith(kind) for name in found) for kind in kinds)
    assert any(not name.startswith(tuple(kinds)) for name in found)
    assert all(less != more for less, more in found.values())


def test_a_whole_number_moves_by_at_least_one() -> None:
    assert [_moved(1, factor) for factor in (0.75, 1.25)] == [0, 2]


def test_an_unknown_strategy_is_one_sentence() -> None:
    with pytest.raises(TaskError, match="Nobody"):
        moved_by_a_quarter("Nobody", str(STRATEGIES), CONFIG)


def test_a_changed_window_is_put_back() -> None:
    class Bare:
        """A strategy that nothing else is changed of."""

    with changes.applied(Bare(), {"uptrend.SLOW": "40d"}):
        assert uptrend.SLOW == "40d"
    assert uptrend.SLOW == "20d"
