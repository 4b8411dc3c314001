"""A snapshot is frozen, and what it was not told is not trusted."""

import math

import pytest

from ballast.core.snapshot import Snapshot
from ballast.core.trust import DataQuality
from tests.unit.ballast.core.made import moment, trade


def test_a_snapshot_and_its_trades_cannot_be_changed() -> None:
    picture = Snapshot(moment(), 1000.0, (trade(0, 1.0),))
    for frozen, name in ((picture, "equity"), (picture.closed[0], "r")):
        with pytest.raises(AttributeError):
            setattr(frozen, name, 0.0)


def test_what_a_snapshot_was_not_told_is_missing_and_not_calm() -> None:
    picture = Snapshot(moment(), 1000.0)
    assert picture.row is None
    assert picture.leader_trust == DataQuality.DISORDER
    assert math.isnan(picture.leader_fall)
