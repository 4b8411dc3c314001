"""What holds for every guard: restarts change nothing, asking changes nothing, order is kept."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.config.guards import GuardSettings
from ballast.core.guard_set import GuardSet
from ballast.core.guards.base import Guard
from ballast.core.guards.edge_decay import EdgeDecaySettings
from ballast.core.guards.market_shock_halt import MarketShockHaltSettings
from ballast.core.snapshot import Snapshot
from ballast.core.status import GAUGES
from ballast.core.trust import DataQuality
from ballast.core.verdict import Verdict
from tests.unit.ballast.core.made import moment, restarted, row, seen, trade

PAIRS = ("A/USDT", "B/USDT")
SETTINGS = GuardSettings(
    MarketShockHalt=MarketShockHaltSettings(policy="flatten"),
    EdgeDecay=EdgeDecaySettings(mean_r=2.0, sd_r=0.5, trades=500),
)
NAMES = list(SETTINGS.build(60))
ROWS = [
    row({PAIRS[0]: dict(zip(("trust", "cooldown", "fall"), values, strict=True)), PAIRS[1]: {}})
    for values in ((0, 0, 0.0), (3, 0, 0.01), (0, 2, 0.09), (7, 5, 0.2))
]

TRADES = st.lists(st.tuples(st.sampled_from(PAIRS), st.floats(-1.5, 2) | st.just(-1.0)), max_size=3)
CANDLES = st.tuples(
    # Hours since the last candle: mostly one, sometimes an outage over a day or week, or backwards.
    st.sampled_from([1, 1, 1, 1, 5, 23, 24, 100, 168, -3]),
    # Change of equity, in percent.
    st.sampled_from([0.0, 0.1, -0.2, -0.8, -1.5, -3.0, 2.0, 5.0, -100.0]),
    TRADES,
    st.sampled_from([0.0, 0.02, 0.059, 0.06, 0.2, float("nan")]),
    st.sampled_from([DataQuality.OK, DataQuality.OK, DataQuality.BAD_BAR]),
    st.sampled_from([0, 0, 10]),
    st.sampled_from([*ROWS, None]),
)


def story(candles: list[tuple]) -> list[Snapshot]:
    """Snapshots of an account and a market to which these things happen."""
    hours, equity, snapshots = 20.0, 1000.0, []
    for step, change, trades, fall, trust, errors, cross_section in candles:
        hours += step
        known = equity * (1 + change / 100)
        equity = known if known > 0 else equity
        closed = tuple(trade(hours - 0.5, r, pair) for pair, r in trades)
        snapshots.append(
            Snapshot(moment(hours), known, closed, cross_section, PAIRS, trust, fall, errors)
        )
    return snapshots


def verdicts(guard: Guard, picture: Snapshot) -> list[str]:
    """All that a guard says of a candle, after it has seen it."""
    answers: list[Verdict] = [guard.market_verdict(picture)]
    answers += [guard.verdict(picture, pair) for pair in PAIRS]
    return [f"{answer} {answer.multiplier}" for answer in answers] + [str(guard.flattens)]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150)
@given(st.lists(CANDLES, max_size=25), st.integers(0, 25))
def test_a_restart_in_the_middle_changes_no_verdict(
    name: str, candles: list[tuple], at: int
) -> None:
    through, other = SETTINGS.build(60)[name], SETTINGS.build(60)[name]
    for number, picture in enumerate(story(candles)):
        if number == at:
            other = restarted(other, SETTINGS.build(60)[name])
        for guard in (through, other):
            guard.observe(picture)
        assert verdicts(other, picture) == verdicts(through, picture)
    assert through.memory == other.memory


@pytest.mark.parametrize("name", [n for n, g in SETTINGS.build(60).items() if not g.follows_trades])
@settings(max_examples=50)
@given(st.lists(CANDLES, max_size=15))
def test_what_has_closed_is_nothing_to_a_guard_that_follows_no_trades(
    name: str, candles: list[tuple]
) -> None:
    one, other = SETTINGS.build(60)[name], SETTINGS.build(60)[name]
    for picture in story(candles):
        one.observe(picture)
        other.observe(replace(picture, closed=()))
        assert verdicts(one, picture) == verdicts(other, picture)
        assert one.memory == other.memory


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50)
@given(st.lists(CANDLES, max_size=15))
def test_asking_changes_nothing(name: str, candles: list[tuple]) -> None:
    guard = SETTINGS.build(60)[name]
    for picture in story(candles):
        guard.observe(picture)
        before = guard.memory.model_dump_json()
        assert verdicts(guard, picture) == verdicts(guard, picture)
        assert guard.memory.model_dump_json() == before


@settings(max_examples=500)
@given(st.lists(CANDLES, min_size=1, max_size=12), st.sets(st.sampled_from(NAMES)))
def test_a_guard_more_never_raises_the_size(candles: list[tuple], off: set[str]) -> None:
    every = GuardSet(SETTINGS.build(60))
    fewer = GuardSet({n: g for n, g in SETTINGS.build(60).items() if n not in off})
    for picture in story(candles):
        every.observe(picture)
        fewer.observe(picture)
        for pair in PAIRS:
            one, other = (w.entry_verdict(pair, picture.now) for w in (every, fewer))
            assert 0 <= one.multiplier <= other.multiplier <= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_calm_market_and_account_are_allowed_by_every_guard(name: str) -> None:
    guard = SETTINGS.build(60)[name]
    for hours in (0, 1, 24, 168):
        guard.observe(seen(hours))
        assert guard.verdict(seen(hours), "A/USDT").multiplier == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_every_guard_has_its_own_code_and_says_what_it_protects_from(name: str) -> None:
    guards = SETTINGS.build(60)
    assert [guard.code for guard in guards.values()].count(guards[name].code) == 1
    assert guards[name].code.isupper()
    assert type(guards[name]).__name__ == name
    assert type(guards[name]).__doc__


@pytest.mark.parametrize("name", NAMES)
def test_a_guard_made_anew_shares_no_memory_with_another(name: str) -> None:
    one, other = SETTINGS.build(60)[name], SETTINGS.build(60)[name]
    for hours in range(12):
        losses = [trade(hours, -1.0, pair) for pair in PAIRS]
        one.observe(seen(hours, equity=1000 - 50 * hours, closed=losses, fall=0.1))
    assert other.memory == type(other.memory)()


@pytest.mark.parametrize("name", ["DailyLossLimit", "WeeklyLossLimit"])
def test_memory_can_be_restored_after_a_candle_of_unknown_equity(name: str) -> None:
    guard = SETTINGS.build(60)[name]
    guard.observe(seen(0, equity=float("nan")))
    restarted(guard, SETTINGS.build(60)[name])


def test_what_limits_heat_is_shown_with_its_limit() -> None:
    """A heat limit of 1.3 % instead of 2 % could be read nowhere: its guard had no bar."""
    guards = SETTINGS.build(60).values()
    limiting = [guard for guard in guards if type(guard).floor is not Guard.floor]
    assert len(limiting) > 3
    for guard in limiting:
        assert guard.gauge() is not None, guard.code
        assert guard.code in GAUGES
