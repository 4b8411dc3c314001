"""When an exchange answered nothing follows from what it refused."""

from __future__ import annotations

from sandbox.faults import Kind
from sandbox.faults_plan import Asked, Strike
from tools.soak_plan import unanswered

ASKED = Asked("GET", "/api/v3/order")


def strikes(*found: tuple[int, Kind]) -> list[Strike]:
    return [Strike(1000 * second, 0, kind, ASKED) for second, kind in found]


def test_refusals_that_follow_each_other_are_one_silence() -> None:
    found = strikes((0, Kind.DOWN), (5, Kind.BANNED), (60, Kind.CLOCK_SKEW), (200, Kind.DOWN))
    assert unanswered(found) == [(0, 60_000), (200_000, 200_000)]


def test_faults_of_single_requests_are_no_silence() -> None:
    assert unanswered(strikes((0, Kind.SERVER_ERROR), (5, Kind.ANSWER_LOST))) == []
