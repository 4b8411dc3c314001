"""`/why` answers in the journal's words, briefly, and about pairs as people type them."""

import math
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ballast.core.decision import THEIR_SIGNAL, Decision, Outcome, Reading
from ballast.core.verdict import Verdict
from ballast.journal.explanations import lines_of, why

CANDLE = datetime(2024, 1, 1, 12, tzinfo=UTC)
TRADED = ["BTC/USDT", "ETH/USDT"]


def decision(**changed: Any) -> Decision:
    made: dict[str, Any] = {
        "pair": "BTC/USDT",
        "candle": CANDLE,
        "outcome": Outcome.NO_SIGNAL,
        "code": "breakout",
        "value": 101.0,
        "limit": 104.0,
        "close": 101.0,
        "atr": 1.5,
        "setup": "DonchianTrend",
        "rules": {
            "market_up": Reading(True, "is", True, True),
            "breakout": Reading(101.0, ">", 104.0, False),
        },
        "setups": {"DonchianTrend": ("market_up", "breakout")},
    }
    return Decision(**(made | changed))


def recorder(known: Decision | None) -> Any:
    return SimpleNamespace(
        signal_candle=lambda now: CANDLE,
        newest=lambda pair, candle: known if known and pair == known.pair else None,
    )


@pytest.mark.parametrize("asked", ["BTC/USDT", "BTC"])
def test_a_pair_is_known_by_its_name_and_by_its_currency(asked: str) -> None:
    assert why(recorder(decision()), TRADED, asked).startswith("BTC/USDT, candle of 2024-01-01")


def test_each_rule_is_said_with_how_far_it_was_away() -> None:
    lines = why(recorder(decision()), TRADED, "BTC").splitlines()
    assert "+ market_up" in lines
    assert "- breakout 101 > 104 (-2.88 %, -2.0 ATR)" in lines


def test_a_guard_that_objected_is_said_with_its_numbers() -> None:
    verdict = Verdict("DRAWDOWN", 2.1, 2.0, 0.78)
    text = "\n".join(lines_of(decision(guards={"DrawdownLadder": verdict})))
    assert "DrawdownLadder cuts sizes to 78 %: DRAWDOWN 2.1 % (limit 2 %)" in text


def test_a_candle_without_anything_is_said_in_two_lines() -> None:
    seen = Decision("BTC/USDT", CANDLE, Outcome.UNSEEN, "CANDLE_MISSING", close=math.nan)
    assert len(list(lines_of(seen))) == 2


def test_what_is_not_known_is_said() -> None:
    assert "XYZ is not traded. Traded now: BTC/USDT" in why(recorder(None), TRADED, "XYZ")
    assert "nothing has been decided yet" in why(recorder(None), TRADED, "BTC")
    assert "not recorded" in why(None, TRADED, "BTC")


def of_theirs(hours: float, **changed: Any) -> Decision:
    """A candle of a strategy that states no rules, so many hours after its last signal."""
    signal = Reading(hours, "<=", 0.0, hours == 0)
    return decision(
        code=THEIR_SIGNAL,
        value=hours,
        setup="MACDStrategy",
        rules={THEIR_SIGNAL: signal, "trend_up": Reading(False, "is", True, False)},
        setups={"MACDStrategy": (THEIR_SIGNAL,)},
        **changed,
    )


@pytest.mark.parametrize(
    ("multiplier", "allowed"),
    [
        (1.0, "allowed a whole trade"),
        (0.6, "allowed 0.6 of a trade"),
        (0.0, "refused it (DRAWDOWN)"),
    ],
)
def test_a_strategy_without_rules_is_answered_for_by_its_signal(
    multiplier: float, allowed: str
) -> None:
    guards = {"DrawdownLadder": Verdict("DRAWDOWN", 2.1, 2.0, multiplier)}
    lines = list(lines_of(of_theirs(14.0, guards=guards)))
    assert lines[1] == f"no entry: their signal is 0; last 14 h ago; guards would have {allowed}"


def test_conditions_of_theirs_stand_by_themselves() -> None:
    lines = list(lines_of(of_theirs(14.0)))
    assert lines[-2:] == ["\ntheir conditions, as far as columns tell", "- not trend_up"]
    assert "none before" in list(lines_of(of_theirs(math.nan)))[1]


def test_the_parts_of_a_rule_follow_it_and_are_not_taken_for_conditions_of_others() -> None:
    rules = {
        "trigger": Reading(0.0, ">=", 1.0, False),
        "trigger.dip": Reading(34.2, "<", 30.0, False),
        "trigger.breakout": Reading(101.0, ">", 104.0, False),
    }
    lines = list(lines_of(decision(rules=rules, setups={"DonchianTrend": ("trigger",)})))
    at = lines.index("- trigger 0 >= 1 (-100.00 %)")
    assert lines[at + 1 :] == [
        "- trigger.dip 34.2 < 30 (+14.00 %)",
        "- trigger.breakout 101 > 104 (-2.88 %, -2.0 ATR)",
    ]
