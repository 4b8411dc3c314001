"""What happened, in one line that says nothing twice."""

from datetime import UTC, datetime

from ballast.core.events import Event, EventKind
from ballast.core.sentences import sentence, with_numbers
from ballast.core.trust import DataQuality


def test_money_that_came_is_in_a_currency_and_its_equity_is_no_limit() -> None:
    at, facts = datetime(2024, 3, 1, tzinfo=UTC), {"cause": "cash", "currency": "USDT"}
    event = Event(at, EventKind.FLOW, "FLOW", "", None, 500.0, 10_500.0, facts)
    assert with_numbers(event) == "FLOW 500 USDT (equity after it 10500 USDT)"


def test_an_event_is_said_in_the_unit_that_its_verdict_measured() -> None:
    at, facts = datetime(2024, 3, 1, tzinfo=UTC), {"unit": "requests", "began": 12.0}
    event = Event(at, EventKind.REFUSED, "DATA_OUTAGE", "BTC/USDT", None, 11.0, 10.0, facts)
    began = "began at 12 requests (limit 10 requests), now 11 requests"
    assert with_numbers(event) == f"DATA_OUTAGE {began}"


def test_a_code_of_data_is_said_once() -> None:
    quality = DataQuality.AFTER_ABSURD_BAR
    at = datetime(2024, 3, 1, tzinfo=UTC)
    event = Event(at, EventKind.DATA, quality.name, "BTC/USDT", None, float(quality), 0.0)
    assert sentence(event).count("AFTER_ABSURD_BAR") == 1
