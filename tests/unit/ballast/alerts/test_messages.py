"""The operator is told once and in time, never in a flood, and in a form that Telegram takes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.alerts.messages import Messages, as_code
from ballast.config.messages import MessageSettings
from ballast.core.events import Event, EventKind
from ballast.core.redaction import Redactor
from ballast.runtime.operator_channel import sender
from tests.telegram_api import Refused, readable

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def refusal(
    pair: str, code: str = "NO_SIZE", at: datetime = NOON, value: float = 3.0, **facts: Any
) -> Event:
    return Event(at, EventKind.REFUSED, code, pair, None, value, 10.0, facts)


def after(**time: float) -> datetime:
    return NOON + timedelta(**time)


@pytest.fixture
def sent() -> list[str]:
    return []


@pytest.fixture
def messages(sent: list[str]) -> Messages:
    return Messages(MessageSettings(), sent.append)


def test_the_first_refusal_is_told_in_the_next_loop(messages: Messages, sent: list[str]) -> None:
    messages.hear(refusal("BTC/USDT", detail="LIQUIDITY"))
    messages.tick(after(seconds=5))
    (text,) = sent
    assert "NO_SIZE (1 pair)" in text
    assert "BTC/USDT 3 USDT (needed 10 USDT), LIQUIDITY" in text


def test_refusals_after_it_wait_for_the_hour_and_come_together(
    messages: Messages, sent: list[str]
) -> None:
    messages.hear(refusal("BTC/USDT"))
    messages.tick(NOON)
    for minute in range(1, 60):
        for pair in ("ETH/USDT", "XRP/USDT"):
            messages.hear(refusal(pair, "VOLATILITY", after(minutes=minute)))
        messages.tick(after(minutes=minute))
    assert len(sent) == 1
    messages.tick(after(minutes=60))
    assert len(sent) == 2
    assert "since 12:01 UTC" in sent[1]
    assert "VOLATILITY (2 pairs)" in sent[1]


def test_one_signal_refused_in_every_loop_is_one_line_with_its_last_numbers(
    messages: Messages, sent: list[str]
) -> None:
    for number in range(24):
        messages.hear(refusal("BTC/USDT", value=number))
    messages.tick(NOON)
    assert sent[0].count("BTC/USDT") == 1
    assert "23 USDT" in sent[0]


def test_nothing_refused_is_nothing_told(messages: Messages, sent: list[str]) -> None:
    for hour in range(48):
        messages.tick(after(hours=hour))
    assert sent == []


def test_untrusted_data_is_told_once_an_hour_for_each_pair(
    messages: Messages, sent: list[str]
) -> None:
    for minute in range(0, 125, 5):
        messages.hear(Event(after(minutes=minute), EventKind.DATA, "AFTER_HOLE", "BTC/USDT"))
        messages.tick(after(minutes=minute))
    assert len(sent) == 3
    messages.hear(Event(after(minutes=125), EventKind.DATA, "ABSURD_BAR", "ETH/USDT"))
    messages.tick(after(minutes=125))
    assert sent[3].endswith("ABSURD_BAR: ETH/USDT")


def guard(state: str, pair: str = "*", until: str = "") -> Event:
    facts = {"guard": "DataOutageHalt", "state": state, "until": until, "unit": "requests"}
    return Event(NOON, EventKind.GUARD, "DATA_OUTAGE", pair, None, 12, 10, facts)


def test_a_block_lifted_is_told_once(messages: Messages, sent: list[str]) -> None:
    messages.hear(guard("lifted"))
    messages.tick(NOON)
    messages.tick(NOON)
    assert sent == ["DataOutageHalt no longer blocks all pairs"]


def test_a_block_of_all_pairs_that_ends_with_its_cause_is_told_when_it_begins(
    messages: Messages, sent: list[str]
) -> None:
    """Freqtrade's message of a lock needs an end; one of these was told only when it was over."""
    messages.hear(guard("begins"))
    messages.hear(guard("begins", until="2024-05-02 12:00:00+00:00"))
    messages.hear(guard("begins", pair="BTC/USDT"))
    messages.tick(NOON)
    assert sent == [
        "DataOutageHalt blocks all pairs until its cause is over (stops stay): "
        "DATA_OUTAGE 12 requests (limit 10 requests)"
    ]


def test_a_position_that_is_not_as_it_should_be_is_told_once_an_hour(
    messages: Messages, sent: list[str]
) -> None:
    for minute in range(70):
        messages.hear(Event(after(minutes=minute), EventKind.WATCH, "STOP_MISSING", "BTC/USDT"))
        messages.tick(after(minutes=minute))
    assert sent == ["BTC/USDT: STOP_MISSING"] * 2


def test_a_digest_of_a_hundred_pairs_fits_into_a_message(
    messages: Messages, sent: list[str]
) -> None:
    for number in range(100):
        for code in ("NO_SIZE", "VOLATILITY", "LOSS_AT_STOP", "SIGNAL_STALE"):
            messages.hear(refusal(f"PAIR{number}/USDT", code, detail="a word or two about it"))
    messages.tick(NOON)
    assert "and 92 more" in sent[0]
    assert readable(as_code(sent[0]), "Markdown")


@given(st.text(min_size=1).filter(str.strip))
def test_telegram_takes_every_text(text: str) -> None:
    """An error's text may hold anything; a message that Telegram refuses reaches nobody."""
    assert readable(as_code(text), "Markdown")


def test_telegram_refuses_a_bare_reason_code() -> None:
    """Why every text is sent as code: an underscore begins what none ends."""
    with pytest.raises(Refused, match="entity"):
        readable("*Protection* triggered due to DAILY_LOSS value=1", "Markdown")


def test_what_is_sent_holds_no_secret(sent: list[str]) -> None:
    redactor = Redactor({"exchange": {"key": "exchangekey12345"}})
    sender(redactor, sent.append)("failed: exchangekey12345, signature=abcdef0123456789")
    assert "failed" in sent[0]
    assert "exchangekey12345" not in sent[0]
    assert "abcdef0123456789" not in sent[0]


def flow(amount: float, equity: float, cause: str = "cash", at: datetime = NOON) -> Event:
    facts = {"cause": cause, "currency": "USDT"}
    return Event(at, EventKind.FLOW, "FLOW", value=amount, limit=equity, facts=facts)


def test_flows_are_told_in_a_digest_by_what_showed_them(
    messages: Messages, sent: list[str]
) -> None:
    """Another bot's trades on the same account would be a message each."""
    messages.hear(flow(-500, 9_500))
    messages.tick(NOON)
    (text,) = sent
    assert "no profit, and no loss" in text
    assert "-500.00 USDT that own orders do not explain" in text
    assert "Equity is 9500.00 USDT now" in text
    for minute in range(1, 60):
        messages.hear(flow(100, 9_500, at=after(minutes=minute)))
        messages.tick(after(minutes=minute))
    assert len(sent) == 1
    messages.hear(flow(-1_000, 8_500, "capital"))
    messages.tick(after(minutes=60))
    assert "+5900.00 USDT that own orders do not explain" in sent[1]
    assert "-1000.00 USDT by the configuration" in sent[1]
    assert "Equity is 8500.00 USDT now" in sent[1]
