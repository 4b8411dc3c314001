"""Every setting has a range, and what is not a setting or out of range is refused by name."""

import math
from collections.abc import Iterator
from types import UnionType
from typing import Any, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError

from ballast.config.guards import GuardSettings
from ballast.config.settings import Settings, SettingsError, load
from ballast.core.heat import PortfolioHeatSettings


def numbers(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple]:
    """Every setting that is a number: path, type, and the bounds of its range."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if get_origin(kind) is UnionType:
            kind = next(arg for arg in get_args(kind) if arg is not type(None))
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from numbers(kind, (*path, name))
        elif kind in (int, float):
            yield (*path, name), kind, field.metadata


NUMBERS = list(numbers(Settings))
NAMES = [".".join(path) for path, _, _ in NUMBERS]
every_number = pytest.mark.parametrize(("path", "kind", "bounds"), NUMBERS, ids=NAMES)


def section(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The section of a configuration with one setting, and the one that must fit it."""
    partner: dict[str, dict[str, Any]] = {
        "reducing_pct": {"halted_pct": 50.0},
        "halted_pct": {"reducing_pct": 1e-6},
        "mean_r": {"sd_r": 1e-6, "trades": 100_000},
    }
    value = {path[-1]: value, **partner.get(path[-1], {})}
    path = path[:-1]
    for name in reversed(path):
        value = {name: value}
    return value


def value_of(settings: Settings, path: tuple[str, ...]) -> Any:
    found: Any = settings
    for name in path:
        found = getattr(found, name)
    return found


def refusal(given: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        load(given)
    return str(refused.value)


def limits(kind: type, bounds: list[Any]) -> tuple[Any, Any, Any, Any]:
    """Lowest and highest accepted value, and the next ones past them."""
    step: Any = 1 if kind is int else 1e-6
    signs = ("gt", "ge", "lt", "le")
    marks = {sign: getattr(b, sign) for b in bounds for sign in signs if hasattr(b, sign)}
    least = marks["ge"] if "ge" in marks else marks["gt"] + step
    most = marks["le"] if "le" in marks else marks["lt"] - step
    return least, most, least - step, most + step


def fits_the_others(path: tuple[str, ...]) -> bool:
    """Whether a setting can be changed alone: the ladder's floor must lie below its steps."""
    return path[-1] != "halt_pct"


def test_no_section_is_all_defaults() -> None:
    assert load(None) == load({}) == Settings()


@every_number
def test_every_number_has_a_range(path: tuple, kind: type, bounds: list) -> None:
    assert any(isinstance(b, Ge | Gt) for b in bounds)
    assert any(isinstance(b, Le | Lt) for b in bounds)


@every_number
def test_a_number_at_the_ends_of_its_range_is_accepted(
    path: tuple, kind: type, bounds: list
) -> None:
    least, most, _, _ = limits(kind, bounds)
    for value in (least, most) if fits_the_others(path) else (most,):
        assert value_of(load(section(path, value)), path) == value


@every_number
def test_a_number_one_step_out_of_its_range_is_refused_with_its_name_value_and_range(
    path: tuple, kind: type, bounds: list
) -> None:
    _, most, below, above = limits(kind, bounds)
    for value in (below, above):
        text = refusal(section(path, value))
        assert text.startswith(f"ballast.{'.'.join(path)} is {value!r}: expected a ")
        assert f" to {most:g}" in text.replace(".0", "")
        assert "\n" not in text


@every_number
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "1", True, [1], {}, "one"])
def test_what_is_not_a_number_is_refused(path: tuple, kind: type, bounds: list, value: Any) -> None:
    assert f"ballast.{'.'.join(path)} is {value!r}: expected a" in refusal(section(path, value))


def test_a_misspelled_setting_is_refused_with_what_was_meant() -> None:
    assert refusal({"riks": {}}) == "ballast.riks is not a setting: did you mean 'risk'?"
    text = refusal({"risk": {"per_trade": 1}})
    assert text == "ballast.risk.per_trade is not a setting: did you mean 'per_trade_pct'?"
    text = refusal({"guards": {"DailyLosLimit": {}}})
    assert text == "ballast.guards.DailyLosLimit is not a setting: did you mean 'DailyLossLimit'?"


def test_an_unknown_setting_is_refused_with_all_that_are_known() -> None:
    text = refusal({"xyz": 1})
    assert text.startswith("ballast.xyz is not a setting: known here: risk, ")


def test_every_wrong_setting_gets_its_own_sentence() -> None:
    text = refusal({"risk": {"per_trade_pct": 5, "fee_pct": -1}, "nothing": 1})
    assert len(text.splitlines()) == 3


@pytest.mark.parametrize("given", [[], "risk", 3, True])
def test_a_section_that_is_none_is_refused(given: Any) -> None:
    assert refusal(given) == f"ballast is {given!r}: expected a section of settings"


@pytest.mark.parametrize("name", ["risk", "trust", "market", "stops", "guards"])
@pytest.mark.parametrize("given", [None, [], 3])
def test_a_part_that_is_no_section_is_refused(name: str, given: Any) -> None:
    text = refusal({name: given})
    assert text == f"ballast.{name} is {given!r}: expected a section of settings"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"market": {"leader": "BTC"}}, "ballast.market.leader is 'BTC': expected pairs such as"),
        ({"market": {"basket": ["BTC"]}}, "ballast.market.basket is ['BTC']: expected pairs such"),
        ({"market": {"leader": 3}}, "ballast.market.leader is 3: expected a text (a pair"),
        ({"market": {"basket": [3]}}, "ballast.market.basket[0] is 3: expected pairs such as 'BTC"),
        ({"market": {"basket": "BTC/USDT"}}, "is 'BTC/USDT': expected a list (pairs such as"),
        ({"stops": {"time_stop": "999999999d"}}, "expected a length of time of at most '3650d'"),
        ({"market": {"basket": []}}, "ballast.market.basket is []: expected pairs such as"),
        ({"kill": {"file": ""}}, "ballast.kill.file is '': expected a text that is not empty"),
        ({"journal": {"path": ""}}, "ballast.journal.path is '': expected a text that is not"),
        ({"guards": {"EdgeDecay": {"strategy": ""}}}, "strategy is '': expected a text that is"),
        ({"stops": {"time_stop": "soon"}}, "expected a length of time such as '36h'"),
        ({"stops": {"time_stop": "0h"}}, "expected a length of time such as '36h'"),
        ({"protections": {}}, "ballast.protections is {}: expected a list (entries such as {"),
        ({"protections": ["X"]}, "ballast.protections[0] is 'X': expected an entry such as {"),
        ({"protections": [{"method": 5}]}, "protections[0] is {'method': 5}: expected an entry"),
        (
            {"market": {"basket": ["A/B"] * 2}},
            "expected pairs such as 'BTC/USDT', each of them once",
        ),
        ({"guards": {"off": ["Daily"]}}, "ballast.guards.off[0] is 'Daily': expected"),
        (
            {"guards": {"DrawdownLadder": {"steps": [[1, "x"]]}}},
            "ballast.guards.DrawdownLadder.steps[0][1] is 'x': expected pairs of drawdown in",
        ),
        ({"guards": {"off": "DailyLossLimit"}}, "ballast.guards.off is 'DailyLossLimit'"),
        ({"guards": {"off": [3]}}, "ballast.guards.off[0] is 3: expected names of guards that are"),
    ],
)
def test_a_text_that_is_not_accepted_is_refused_with_what_is(given: dict, text: str) -> None:
    assert text in refusal(given)


@pytest.mark.parametrize(
    "given",
    [
        {"risk": {"fee_pct": 10**400}},
        {"risk": {"entries_per_candle": 10**400}},
        {"risk": {"x" * 10_000: 1}},
        {"x" * 10_000: 1},
        {"stops": {"time_stop": "x" * 10_000}},
        {"stops": {"time_stop": "9" * 300 + "d"}},
        {"market": {"leader": "x" * 10_000}},
        {"market": {"basket": ["A/B"] * 5_000}},
        {"market": {"basket": [["x" * 10_000]]}},
        {"guards": {"off": ["x" * 10_000]}},
        {"guards": {"DrawdownLadder": {"steps": [("x" * 10_000, 1)]}}},
        {"guards": "x" * 10_000},
        {"protections": ["x" * 10_000]},
        {"protections": [{"method": ["x" * 10_000]}]},
        "x" * 10_000,
    ],
)
def test_what_is_long_is_not_repeated_whole(given: Any) -> None:
    text = refusal(given)
    assert "... (" in text
    assert " characters)" in text
    # Name and value, what is accepted, and the value again where that says of it what it is not.
    assert all(len(line) < 900 for line in text.splitlines())


def test_what_fits_into_a_line_is_repeated_whole() -> None:
    pairs = [f"PAIR{number}" for number in range(15)]
    assert f"is {pairs!r}: expected" in refusal({"market": {"basket": pairs}})


def test_a_policy_that_is_not_known_is_refused_with_those_that_are() -> None:
    text = refusal({"guards": {"MarketShockHalt": {"policy": "run"}}})
    assert "halt" in text
    assert "flatten" in text


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"market": {"leader": "ETH/USDT"}}, ("market", "leader")),
        ({"market": {"basket": ["ETH/USDT", "SOL/USDT"]}}, ("market", "basket")),
        ({"stops": {"time_stop": "36h"}}, ("stops", "time_stop")),
        ({"stops": {"initial_atr": None}}, ("stops", "initial_atr")),
        ({"guards": {"off": ["PortfolioHeat"]}}, ("guards", "off")),
        (
            {"guards": {"MarketShockHalt": {"policy": "flatten"}}},
            ("guards", "MarketShockHalt", "policy"),
        ),
        ({"risk": {"fee_pct": 1}}, ("risk", "fee_pct")),
        ({"protections": [{"method": "CooldownPeriod"}]}, ("protections",)),
    ],
)
def test_what_is_accepted_is_kept(given: dict, path: tuple[str, ...]) -> None:
    expected: Any = given
    for name in path:
        expected = expected[name]
    assert value_of(load(given), path) == expected


def ladder(*steps: tuple[float, float], **others: float) -> dict[str, Any]:
    return {"guards": {"DrawdownLadder": {"steps": list(steps), **others}}}


@pytest.mark.parametrize("steps", [[(3.0, 0.5)], [(3.0, 0.5), (11.9, 0.1)], []])
def test_steps_that_descend_are_accepted(steps: list[tuple[float, float]]) -> None:
    assert load(ladder(*steps)).guards.DrawdownLadder.steps == steps


def test_steps_can_be_given_as_the_lists_of_a_configuration_file() -> None:
    given = {"guards": {"DrawdownLadder": {"steps": [[3.0, 0.5], [6.0, 0.25]]}}}
    assert load(given).guards.DrawdownLadder.steps == [(3.0, 0.5), (6.0, 0.25)]


@pytest.mark.parametrize(
    "steps",
    [
        [(3.0, 0.5), (3.0, 0.4)],
        [(3.0, 0.5), (2.0, 0.4)],
        [(3.0, 0.5), (4.0, 0.5)],
        [(3.0, 0.5), (4.0, 0.6)],
        [(0.0, 0.5)],
        [(3.0, 1.0)],
        [(3.0, 0.0)],
        [(12.0, 0.5)],
        [(-1.0, 0.5)],
    ],
)
def test_steps_that_do_not_descend_are_refused(steps: list[tuple[float, float]]) -> None:
    text = refusal(ladder(*steps))
    assert text.startswith("ballast.guards.DrawdownLadder is ")
    assert "steps whose drawdowns ascend to below halt_pct" in text


@pytest.mark.parametrize("step", [5, [3.0], [3.0, 0.5, 1.0]])
def test_a_step_that_is_no_pair_is_refused_with_what_is_one(step: Any) -> None:
    text = refusal({"guards": {"DrawdownLadder": {"steps": [step]}}})
    name = "ballast.guards.DrawdownLadder.steps[0]"
    assert text.startswith(f"{name} is {step!r}: expected pairs of drawdown in percent, ascending")


@pytest.mark.parametrize("step", [(math.inf, 0.5), (3.0, math.inf)])
def test_infinite_steps_are_refused(step: tuple[float, float]) -> None:
    assert "DrawdownLadder" in refusal(ladder(step))


@pytest.mark.parametrize("place", [0, 1])
def test_steps_that_are_not_numbers_are_refused(place: int) -> None:
    # Kept, so that each is at another address.
    unknown = [float("nan") for _ in range(200)]
    for nan in unknown:
        step = (nan, 0.5) if place == 0 else (3.0, nan)
        assert "DrawdownLadder" in refusal(ladder(step))


@pytest.mark.parametrize("name", ["DailyLossLimit", "WeeklyLossLimit"])
def test_a_halting_loss_smaller_than_the_reducing_one_is_refused(name: str) -> None:
    refusal({"guards": {name: {"reducing_pct": 10.0, "halted_pct": 2.0}}})


def test_settings_cannot_be_changed_once_loaded() -> None:
    with pytest.raises(ValidationError):
        setattr(load({}).risk, NUMBERS[0][0][-1], 2.0)


@every_number
def test_the_digest_changes_with_any_setting_that_decides(
    path: tuple, kind: type, bounds: list
) -> None:
    most = limits(kind, bounds)[1]
    same = load(section(path, most)).digest() == Settings().digest()
    # How long the journal remembers decides nothing.
    assert same == (path[0] == "journal")


def test_the_digest_does_not_depend_on_how_the_same_settings_are_written() -> None:
    one = load({"risk": {"fee_pct": 0.1}, "trust": {}})
    assert one.digest() == Settings().digest() == load(None).digest()
    assert len(one.digest()) == 8


def test_percentages_become_ratios_in_the_risk_budget() -> None:
    risk = load(
        {
            "risk": {
                "per_trade_pct": 1,
                "position_cap_pct": 10,
                "exposure_cap_pct": 30,
                "daily_volatility_pct": 2,
                "turnover_share_pct": 4,
                "fee_pct": 0.2,
                "slippage_bps": 10,
            }
        }
    ).risk
    budget = risk.budget(PortfolioHeatSettings(limit_pct=3.0, cluster_pct=2.5))
    assert budget.per_trade == pytest.approx(0.01)
    assert budget.heat == pytest.approx(0.03)
    assert budget.cluster_heat == pytest.approx(0.025)
    assert budget.position == pytest.approx(0.1)
    assert budget.exposure == pytest.approx(0.3)
    assert budget.daily_volatility == pytest.approx(0.02)
    assert budget.turnover_share == pytest.approx(0.04)
    # Two sides of 0.2 % fee and 0.1 % slippage.
    assert budget.costs.round_trip == risk.round_trip_cost() == pytest.approx(0.006)
    assert risk.round_trip_cost(0.004) == pytest.approx(0.01)
    assert budget.costs.gap == pytest.approx(0.005)


def test_without_the_guard_of_heat_the_whole_account_may_be_at_risk() -> None:
    budget = load(None).risk.budget(None)
    assert (budget.heat, budget.cluster_heat) == (1.0, None)


def test_trust_settings_become_trust_limits() -> None:
    settings = load({"trust": {"hole_candles": 5, "recovery_candles": 0}})
    found = settings.trust.limits(77)
    assert (found.hole_candles, found.recovery_candles, found.history_candles) == (5, 0, 77)
    assert found.absurd_move_sigmas == settings.trust.absurd_move_sigmas
    assert found.absurd_move_min_pct == settings.trust.absurd_move_min_pct


# PortfolioHeat is part of the sizer, and EdgeDecay waits for a baseline.
BUILT = [name for name in GuardSettings.names() if name not in ("PortfolioHeat", "EdgeDecay")]


def test_every_guard_is_on_unless_it_is_named() -> None:
    assert sorted(GuardSettings().build(60)) == sorted(BUILT)
    assert all(GuardSettings().is_on(name) for name in (*BUILT, "PortfolioHeat"))
    told = load({"guards": {"EdgeDecay": {"mean_r": 0.5}}}).guards
    assert sorted(told.build(60)) == sorted([*BUILT, "EdgeDecay"])


@pytest.mark.parametrize("name", GuardSettings.names())
def test_a_guard_can_be_switched_off_by_its_name_alone(name: Any) -> None:
    settings = load({"guards": {"off": [name]}}).guards
    assert not settings.is_on(name)
    assert sorted(settings.build(60)) == sorted(n for n in BUILT if n != name)


def test_every_guard_has_a_section_of_its_name_beside_it() -> None:
    assert sorted(GuardSettings().judged_at_candles()) == sorted(BUILT)
    for name, guard in load({"guards": {"EdgeDecay": {"mean_r": 0.5}}}).guards.build(60).items():
        assert type(guard).__name__ == name
        section = type(getattr(GuardSettings(), name))
        assert section.__module__ == type(guard).__module__


def test_a_guard_that_is_not_there_cannot_be_switched_off_and_those_that_are_there_are_named() -> (
    None
):
    text = refusal({"guards": {"off": ["EdgeDecay", "Daily"]}})
    assert text.startswith("ballast.guards.off[1] is 'Daily': expected 'VolatilityCooldown', 'Mar")
    assert text.endswith("'DataOutageHalt' or 'EdgeDecay'")


@pytest.mark.parametrize(
    ("figures_of", "on"), [(None, True), ("RisingMarket", True), ("DonchianTrend", False)]
)
def test_a_baseline_that_names_nobody_is_of_the_packs_strategies(
    figures_of: str | None, on: bool
) -> None:
    figures = {"mean_r": 0.5, "sd_r": 1.5, "trades": 200, "strategy": figures_of}
    guards = load({"guards": {"EdgeDecay": figures}}).guards
    assert guards.under("RisingMarket", foreign=False).is_on("EdgeDecay") is on
