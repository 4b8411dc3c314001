"""One function decides what a closed candle means for a pair; every answer has its number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.core.columns import CandleColumns
from ballast.core.combinations import all_of, any_of, negated
from ballast.core.decision import Decision, Outcome, Position, nearest
from ballast.core.rulebook import Rulebook, decide
from ballast.core.rules import Rule, above, conjunction, holds
from ballast.core.trust import DataQuality
from ballast.core.verdict import ALLOW, Verdict
from ballast.core.wording import distance, explained, headline, said
from ballast.journal.explanations import lines_of

PAIR = "ETH/USDT"
CANDLE = datetime(2024, 1, 1, tzinfo=UTC)
HALT = Verdict("DAILY_LOSS", -3.2, -3.0, 0.0)


def columns(trust: int = DataQuality.OK, close: float = 101.2) -> CandleColumns:
    columns = {name: np.array([value]) for name, value in (("close", close), ("atr", 2.0))}
    return CandleColumns(
        pd.Series([pd.Timestamp(CANDLE)]), "1h", {**columns, "trust": np.array([trust])}
    )


def rule(value: float, limit: float) -> Rule:
    return above(pd.Series([value]), limit)


def decided(
    setups: Mapping[str, Mapping[str, Rule]],
    verdicts: Mapping[str, Verdict] | None = None,
    held: Position | None = None,
    trust: int = DataQuality.OK,
) -> Decision:
    given_verdicts = {"DailyLossLimit": ALLOW, **(verdicts or {})}
    return decide(PAIR, CANDLE, columns(trust), 0, Rulebook(setups), given_verdicts, held)


def test_a_candle_without_a_signal_is_decided_by_the_first_rule_that_is_not_met() -> None:
    row = decided({"Trend": {"up": rule(5, 1), "breakout": rule(101.2, 104.9), "calm": rule(1, 2)}})
    assert (row.outcome, row.code, row.setup) == (Outcome.NO_SIGNAL, "breakout", "Trend")
    assert (row.value, row.limit) == (101.2, 104.9)
    assert list(row.unmet()) == ["breakout", "calm"]


def test_the_setup_with_the_fewest_rules_unmet_is_the_one_that_is_told_about() -> None:
    far = {"a": rule(0, 1), "b": rule(0, 1)}
    row = decided({"Far": far, "Near": {"c": rule(2, 1), "d": rule(0.5, 1)}})
    assert (row.setup, row.code) == ("Near", "d")


def test_a_setup_without_rules_never_signals() -> None:
    assert decided({"Nothing": {}}).outcome is Outcome.NO_SIGNAL
    assert decided({"Nothing": {}, "Far": {"a": rule(0, 1)}}).code == "a"


def test_a_guard_that_blocks_refuses_a_signal_with_its_numbers() -> None:
    row = decided({"Trend": {"up": rule(5, 1)}}, {"DailyLossLimit": HALT})
    assert (row.outcome, row.code, row.value, row.limit) == (
        Outcome.REFUSED,
        "DAILY_LOSS",
        -3.2,
        -3.0,
    )
    assert row.guards == {"DailyLossLimit": HALT}


def test_a_guard_that_blocks_is_on_record_where_no_rule_asked_for_an_entry() -> None:
    row = decided({"Trend": {"up": rule(0, 1)}}, {"DailyLossLimit": HALT})
    assert row.outcome is Outcome.NO_SIGNAL
    assert row.guards == {"DailyLossLimit": HALT}


def test_an_untrusted_candle_gives_no_signal_whatever_the_rules_say() -> None:
    row = decided({"Trend": {"up": rule(5, 1)}}, trust=DataQuality.AFTER_HOLE)
    assert (row.outcome, row.code) == (Outcome.UNTRUSTED, "AFTER_HOLE")


def test_a_missing_candle_is_unseen() -> None:
    for found in (None, columns()):
        row = decide(PAIR, CANDLE, found, -1, Rulebook({}), {})
        assert (row.outcome, row.code) == (Outcome.UNSEEN, "CANDLE_MISSING")


def test_who_is_in_a_position_is_told_how_far_the_stop_is() -> None:
    row = decided({"Trend": {"up": rule(5, 1)}}, held=Position(7, 96.5, "CHANDELIER"))
    assert (row.outcome, row.trade_id, row.stop_code) == (Outcome.HOLDING, 7, "CHANDELIER")
    assert (row.value, row.limit) == (101.2, 96.5)
    waiting = decided({"Trend": {"up": rule(5, 1)}}, held=Position(7, filled=False))
    assert (waiting.outcome, waiting.code) == (Outcome.ORDERED, "ENTRY_UNFILLED")


def test_what_is_held_is_read_by_the_exit_rules_of_its_own_setup() -> None:
    """Where nothing is held, exit rules say nothing; nor does another setup's."""
    entry = {"Trend": {"up": rule(5, 1)}, "Dip": {"dipped": rule(1, 5)}}
    exits = {"Trend": {"lags": rule(1, 2)}, "Dip": {"back": rule(3, 2)}}
    book = Rulebook(entry, exits=exits)

    def row(held: Position | None) -> Decision:
        return decide(PAIR, CANDLE, columns(), 0, book, {}, held)

    found = row(Position(7, 96.5, setup="Dip"))
    assert {name: (r.value, r.met) for name, r in found.exits().items()} == {"back": (3, True)}
    assert found.read_for_entry().keys() == {"up", "dipped"}
    text = "\n".join(lines_of(found))
    assert "left by any of\n+ back 3 > 2" in text
    for none in (None, Position(7, filled=False, setup="Dip"), Position(7, 96.5, setup="Gone")):
        assert row(none).exits() == {}
        assert row(none).rules.keys() == {"up", "dipped"}


@given(
    st.lists(
        st.lists(st.booleans(), min_size=0, max_size=4),
        min_size=1,
        max_size=4,
    )
)
def test_the_outcome_is_a_signal_exactly_where_a_conjunction_is_met(met: list[list[bool]]) -> None:
    setups = {
        f"S{number}": {f"r{number}{i}": holds(pd.Series([flag])) for i, flag in enumerate(flags)}
        for number, flags in enumerate(met)
    }
    row = decided(setups)
    signals = [name for name, entry in setups.items() if conjunction(entry, 1)[0]]
    assert (row.outcome is Outcome.SIGNAL) == bool(signals)
    if signals:
        assert row.setup == signals[0]


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        (101.2, 104.9, "-3.53 %, -1.9 ATR"),
        (0.4, 0.5, "-20.00 %"),
        (-0.02, 0.0, "-0.02"),
        (math.nan, 1.0, ""),
        (False, True, ""),
    ],
)
def test_a_distance_is_in_percent_and_of_prices_in_atr(
    value: float, limit: float, text: str
) -> None:
    assert distance(value, limit, 101.2, 2.0) == text


def test_a_rule_is_said_with_its_numbers() -> None:
    row = decided({"T": {"breakout": rule(101.2, 104.9), "calm": holds(pd.Series([False]))}})
    assert said("breakout", row.rules["breakout"]) == "breakout 101.2 > 104.9"
    assert said("calm", row.rules["calm"]) == "not calm"


def test_a_state_that_is_not_met_is_not_denied_twice() -> None:
    row = decided({"T": {"calm": holds(pd.Series([False]))}})
    assert headline(row) == "no signal: calm is not met; 1 of 1 rules of T unmet"


def test_an_entry_is_explained_by_rules_size_and_stop() -> None:
    row = decided({"Trend": {"up": rule(5, 1)}})
    sizing = {"stake": 500.0, "binding": "POSITION_CAP", "loss_ratio": 0.1, "multiplier": 1.0}
    text = explained(Decision(**{**vars(row), "sizing": sizing, "stop": 95.0}))
    size = "stake 500 USDT, bound by POSITION_CAP; stop 95, 50 USDT at risk"
    assert text == f"Trend: up 5 > 1; {size}"


def test_why_names_the_nearest_branch_of_an_any_of_and_its_distance() -> None:
    trigger = any_of(
        dip=all_of(oversold=rule(20, 30), calm=rule(9, 10)),
        breakout=rule(101.2, 104.9),
    )
    row = decided({"Trend": {"trigger": trigger}})
    assert (row.code, row.value, row.limit) == ("trigger", 0, 1)
    assert nearest(row.rules, "trigger") == "trigger.breakout"
    assert headline(row) == (
        "no signal: trigger 0 >= 1 is not met, nearest is trigger.breakout 101.2 > 104.9 "
        "(-3.53 %, -1.9 ATR); 1 of 1 rules of Trend unmet"
    )


def test_of_parts_that_must_all_change_the_furthest_tells_how_far_it_is() -> None:
    trigger = any_of(dip=all_of(a=rule(20, 30), b=rule(9, 10)), breakout=rule(50, 100))
    row = decided({"Trend": {"trigger": trigger}})
    assert nearest(row.rules, "trigger") == "trigger.dip.a"
    row = decided({"Trend": {"quiet": negated(any_of(a=rule(2, 1), b=rule(1.1, 1)))}})
    assert nearest(row.rules, "quiet") == "quiet.a"


def test_what_has_no_distance_is_never_the_nearest_beside_what_has() -> None:
    trigger = any_of(up=holds(pd.Series([False])), dip=rule(1, 100), gone=rule(math.nan, 1))
    row = decided({"Trend": {"trigger": trigger}})
    assert nearest(row.rules, "trigger") == "trigger.dip"
    assert list(row.unmet()) == ["trigger"]
