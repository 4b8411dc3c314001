"""A fault refuses nonsense, and a plan strikes when, where and as often as it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.candles import DAY_MS, HOUR_MS
from sandbox.clock import FixedClock
from sandbox.errors import SandboxError
from sandbox.faults import KINDS, Fault, Kind
from sandbox.faults_plan import Asked, FaultPlan, faults_from_json, read_plan

NOON = 1_704_110_400_000
ORDER = Asked("POST", "/api/v3/order", "BTCUSDT")
CANDLES = Asked("GET", "/api/v3/klines", "ETHUSDT")


def fault(**fields: Any) -> Fault:
    return Fault.from_json({"kind": "server_error", **fields}, "Fault 1")


def plan(*faults: Fault, seed: int = 0) -> FaultPlan:
    return FaultPlan(FixedClock(NOON), seed, faults)


def struck(planned: FaultPlan, times: int, asked: Asked = ORDER) -> list[bool]:
    return [planned.strike(Kind.SERVER_ERROR, asked) is not None for _ in range(times)]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (7, "Fault 1 must be an object with a 'kind', not 7."),
        ({}, "Fault 1: kind must be one of rate_limited, banned, "),
        ({"kind": "gremlin"}, "not 'gremlin'."),
        ({"kind": "slow", "delay": 3}, "Fault 1 (slow) has no field 'delay'; known are kind, "),
        (
            {"kind": "slow", "delay_s": -1},
            "Fault 1 (slow): delay_s must be a number from 0 to 600, not -1.",
        ),
        (
            {"kind": "slow", "probability": 1.5},
            "Fault 1 (slow): probability must be a number from 0 to 1, not 1.5.",
        ),
        ({"kind": "slow", "probability": True}, "not True."),
        ({"kind": "slow", "probability": float("nan")}, "not nan."),
        ({"kind": "slow", "delay_s": "2"}, "not '2'."),
        (
            {"kind": "slow", "endpoint": "order"},
            "Fault 1 (slow): endpoint must be like 'POST /api/v3/order' or '*', not 'order'.",
        ),
        (
            {"kind": "slow", "pair": "BTCUSDT"},
            "Fault 1 (slow): pair must be like 'BTC/USDT', not 'BTCUSDT'.",
        ),
        (
            {"kind": "slow", "from": "noon"},
            "Fault 1 (slow): from must be a date such as 2024-03-01T12:00, not 'noon'.",
        ),
        (
            {"kind": "down", "from": "2024-03-01", "after_s": 5},
            "Fault 1 (down): give from or after_s, not both.",
        ),
        (
            {"kind": "down", "per_day": 2},
            "Fault 1 (down): per_day needs lasts_s, how long each episode lasts.",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_one_sentence(given: object, sentence: str) -> None:
    with pytest.raises(SandboxError) as refusal:
        Fault.from_json(given, "Fault 1")
    assert sentence in str(refusal.value)
    assert str(refusal.value).count("\n") == 0


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_is_described_and_survives_being_written_and_read(kind: Kind) -> None:
    read = Fault.from_json({"kind": kind.value, "pair": "BTC/USDT", "lasts_s": 60}, "Fault 1")
    assert Fault.from_json(read.as_json(), "again") == read
    assert set(read.numbers) == set(KINDS[kind].numbers)
    assert KINDS[kind].what


@pytest.mark.parametrize(
    ("endpoint", "asked", "concerned"),
    [
        ("*", ORDER, True),
        ("POST /api/v3/order", ORDER, True),
        ("DELETE /api/v3/order", ORDER, False),
        ("/api/v3/order", ORDER, True),
        ("/api/v3/*", CANDLES, True),
        ("GET *", ORDER, False),
        ("*", Asked("GET", "/sandbox/ledger"), False),
    ],
)
def test_an_endpoint_is_a_method_and_a_path_with_wildcards(
    endpoint: str, asked: Asked, concerned: bool
) -> None:
    assert bool(plan(fault(endpoint=endpoint)).strike(Kind.SERVER_ERROR, asked)) is concerned


def test_a_fault_of_one_pair_leaves_the_others_alone() -> None:
    planned = plan(fault(pair="BTC/USDT"))
    assert struck(planned, 1, ORDER) == [True]
    assert struck(planned, 1, CANDLES) == [False]
    assert struck(planned, 1, Asked("GET", "/api/v3/account")) == [False]


def test_times_is_how_often_it_strikes_at_most() -> None:
    assert struck(plan(fault(times=2)), 4) == [True, True, False, False]


def test_a_schedule_runs_in_the_exchanges_time_and_its_end_is_excluded() -> None:
    clock = FixedClock(NOON)
    planned = FaultPlan(clock, 0, [fault(after_s=60, lasts_s=10)])
    seen = []
    for offset_ms in (0, 59_999, 60_000, 69_999, 70_000):
        clock.time_ms = NOON + offset_ms
        seen += struck(planned, 1)
    assert seen == [False, False, True, True, False]


def test_a_schedule_may_begin_at_a_date() -> None:
    clock = FixedClock(NOON)
    planned = FaultPlan(clock, 0, [fault(**{"from": "2024-01-01T13:00"})])
    assert struck(planned, 1) == [False]
    clock.time_ms = NOON + HOUR_MS
    assert struck(planned, 1) == [True]


def test_a_fault_injected_later_counts_from_then_on() -> None:
    clock = FixedClock(NOON)
    planned = FaultPlan(clock)
    clock.time_ms += HOUR_MS
    planned.add(fault(lasts_s=60))
    assert struck(planned, 1) == [True]


def test_the_same_seed_strikes_at_the_same_requests_and_another_does_not() -> None:
    first, again, other = (struck(plan(fault(probability=0.5), seed=s), 60) for s in (1, 1, 2))
    assert first == again
    assert first != other
    assert 15 < sum(first) < 45


def test_requests_do_not_move_the_episodes() -> None:
    """What happens when depends on the clock, so that a change in the bot meets the same market."""
    quiet_clock, busy_clock = FixedClock(NOON), FixedClock(NOON)
    episodes = fault(per_day=10, lasts_s=600, probability=0.5)
    quiet, busy = FaultPlan(quiet_clock, 3, [episodes]), FaultPlan(busy_clock, 3, [episodes])
    for minute in range(2 * 1440):
        quiet_clock.time_ms = busy_clock.time_ms = NOON + 60_000 * minute
        struck(busy, 3)
        now_ms = quiet_clock.time_ms
        assert quiet.planned[0].began_ms(now_ms) == busy.planned[0].began_ms(now_ms)


def test_episodes_come_as_often_as_said() -> None:
    (planned,) = plan(fault(per_day=4, lasts_s=60)).planned
    begun = {planned.began_ms(NOON + 60_000 * minute) for minute in range(100 * 1440)} - {None}
    assert 330 < len(begun) < 470


@given(st.floats(0.1, 50), st.floats(1, 7200), st.integers(0, 20 * DAY_MS))
def test_an_episode_contains_the_moment_it_is_found_at(
    per_day: float, lasts_s: float, offset_ms: int
) -> None:
    (planned,) = plan(fault(per_day=per_day, lasts_s=lasts_s)).planned
    began_ms = planned.began_ms(NOON + offset_ms)
    assert began_ms is None or NOON <= began_ms <= NOON + offset_ms < began_ms + 1000 * lasts_s


def test_one_fault_or_all_can_be_ended_and_the_record_stays() -> None:
    planned = plan(fault(), fault(probability=0))
    struck(planned, 2)
    assert planned.remove(1) == 1
    assert struck(planned, 1) == [False]
    assert planned.remove() == 1
    assert planned.counts == {"server_error": 2}
    assert [strike.asked for strike in planned.strikes] == [ORDER, ORDER]


def test_a_plan_is_an_object_a_list_or_a_single_fault() -> None:
    one = {"kind": "slow"}
    assert faults_from_json({"seed": 7, "faults": [one]})[0] == 7
    assert faults_from_json([one])[1] == faults_from_json(one)[1] == [Fault.from_json(one, "")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON: "),
        ('{"sed": 1, "faults": []}', "A plan has no field 'sed'; known are seed and faults."),
        ('{"seed": 1.5}', "seed must be a whole number, not 1.5."),
        ('[{"kind": "slow"}, {"kind": "slower"}]', "Fault 2: kind must be one of "),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_what_is_wrong(
    text: str, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "faults.json"
    path.write_text(text)
    with pytest.raises(SandboxError) as refusal:
        read_plan(path, FixedClock(NOON))
    assert str(path) in str(refusal.value)
    assert sentence in str(refusal.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"Cannot read --faults .*nowhere\.json"):
        read_plan(tmp_path / "nowhere.json", FixedClock(NOON))


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_text(json.dumps({"seed": 5, "faults": [{"kind": "down", "lasts_s": 3600}]}))
    planned = read_plan(path, FixedClock(NOON))
    assert planned.seed == 5
    assert [p.fault.kind for p in planned.planned] == [Kind.DOWN]
