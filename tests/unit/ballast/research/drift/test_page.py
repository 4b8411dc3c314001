"""The page of a drift shows every difference, and what it is told as text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ballast.core.decision import Decision, Outcome, Reading
from ballast.core.verdict import Verdict
from ballast.research.drift.page import page
from ballast.research.drift.record import Fill, Record, Traded
from ballast.research.drift.study import DriftStudy, study
from ballast.research.drift.wording import headline
from tests.html_page import Shown

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def evil(name: str) -> str:
    return f"<script>alert('{name}')</script>"


def decisions(pair: str, count: int, *last: Decision, **change: Any) -> dict[Any, Decision]:
    """Decisions of the hours from noon, then those given."""
    first = Decision(pair, NOON, Outcome.NO_SIGNAL, "high", close=100.0, atr=1.0)
    usual = [replace(first, candle=NOON + n * HOUR, **change) for n in range(count)]
    return {(each.pair, each.candle): each for each in (*usual, *last)}


def traded(pair: str, reason: str, price: float, late: timedelta = timedelta(0)) -> Traded:
    enter = Fill(NOON + HOUR + late, price, price)
    return Traded(pair, 1.0, enter, Fill(NOON + 3 * HOUR, 110.0, 110.0), reason, 0.001, 10.0)


def compared(*, settings: tuple[Any, Any] = ({}, {}), **runs: Any) -> DriftStudy:
    bot, replay = (
        Record(runs.get("strategy", "Some"), "1h", made, (given,), trades)
        for made, given, trades in zip(runs["decisions"], settings, runs["trades"], strict=True)
    )
    return study(bot, replay, MINUTE)


def test_names_are_text_and_run_nothing() -> None:
    pair, rule, guard = evil("pair"), evil("rule"), evil("guard")
    seen = Decision(
        pair, NOON + 6 * HOUR, Outcome.NO_SIGNAL, "", rules={rule: Reading(1.0, ">", 2.0, True)}
    )
    held = replace(seen, candle=NOON + 7 * HOUR, guards={guard: Verdict("X", 1.0, 0.0, 0.0)})
    other = replace(seen, rules={rule: Reading(1.0, ">", 2.0, False)})
    calm = replace(held, guards={})
    trades = [(traded(pair, evil("exit"), 101.0, 2 * MINUTE),), (traded(pair, "roi", 100.0),)]
    found = compared(
        strategy=evil("strategy"),
        decisions=[decisions(pair, 3, seen, held), decisions(pair, 3, other, calm)],
        settings=({evil("setting"): evil("value")}, {}),
        trades=trades,
    )
    shown = Shown(page(found).html())
    for name in ("strategy", "pair", "rule", "guard", "exit", "setting", "value"):
        assert evil(name) in shown.text, name
    assert shown.allowed == shown.digests
    assert shown.handlers == []


def test_candles_that_end_before_the_journal_are_told_before_what_that_makes_differ() -> None:
    same = decisions("ETH/USDT", 3)
    both = ((), ())
    assert "want of candles" not in headline(compared(decisions=[same, same], trades=both))[0]
    longer = compared(decisions=[decisions("ETH/USDT", 5), same], trades=both)
    assert headline(longer)[0].startswith(
        "The replay's candles end with 2024-05-01 14:00 UTC, the journal with 2024-05-01 16:00: "
    )


def test_fills_are_drawn_by_kind_beside_what_was_modelled() -> None:
    trades = [(traded("ETH/USDT", "roi", 101.0),), (traded("ETH/USDT", "roi", 100.0),)]
    same = decisions("ETH/USDT", 3)
    (chart,) = Shown(page(compared(decisions=[same, same], trades=trades)).html()).charts
    assert [(kind["name"], kind["x"], kind["y"]) for kind in chart["data"]] == [
        ("entry", [0.0], [100.0]),
        ("exit", [0.0], [0.0]),
    ]


def test_what_does_not_fit_on_the_page_is_counted() -> None:
    same, other = (decisions("ETH/USDT", 305, close=close) for close in (100.0, 101.0))
    text = Shown(page(compared(decisions=[same, other], trades=[(), ()])).html()).text
    assert "305 in all, in order of time." in text
    assert "And 5 more: --json has them all." in text


def test_two_runs_that_are_alike_have_a_page_without_a_table_of_differences() -> None:
    same = decisions("ETH/USDT", 3)
    text = Shown(page(compared(decisions=[same, same], trades=[(), ()])).html()).text
    assert "There are none." in text
    assert "replay" not in text
    assert "Nothing was filled on both sides." in text
