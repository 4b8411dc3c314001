"""Whether recorded fills agree with the cost model is said with an interval, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ballast.research.drift.calibration import calibrated
from ballast.research.drift.fills import FillPair
from ballast.research.drift.record import Fill

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def fill(recorded: float, modelled: float, kind: str = "entry", pair: str = "ETH/USDT") -> FillPair:
    """A fill that was `recorded` basis points worse than decided."""
    sign = 1 if kind == "entry" else -1
    bot, replay = (100 * (1 + sign * bps / 10_000) for bps in (recorded, modelled))
    return FillPair(pair, kind, 1.0, Fill(NOON, 100.0, bot), Fill(NOON, 100.0, replay))


@pytest.mark.parametrize(
    ("recorded", "says"),
    [
        ([12, 15, 11, 14, 13, 12], "the model is too kind"),
        ([1, 2, 1, 0, 1, 2], "the model is too hard"),
        ([5, 4, 6, 5, 4.5, 5.5], "the model agrees"),
        ([50, 50, 50, 50], "too few fills"),
        ([-900, -400, 0, 300, 500], "cannot tell: about 25921 fills would"),
    ],
)
def test_says_what_the_interval_allows(recorded: list[float], says: str) -> None:
    everything, *_ = calibrated([fill(each, 5.0) for each in recorded])
    assert (everything.name, everything.fills, everything.says) == ("all", len(recorded), says)
    assert everything.modelled == pytest.approx(5.0)


def test_kinds_and_pairs_have_rows_of_their_own_and_stops_stay_out_of_pairs() -> None:
    fills = [fill(1, 1), fill(2, 2, "exit"), fill(90, 60, "stop"), fill(3, 3, pair="SOL/USDT")]
    counts = {row.name: row.fills for row in calibrated(fills)}
    assert counts == {
        "all": 4,
        "entry, all pairs": 2,
        "exit, all pairs": 1,
        "stop, all pairs": 1,
        "ETH/USDT": 2,
        "SOL/USDT": 1,
    }
