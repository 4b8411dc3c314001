"""What happened, in one line that says nothing twice."""

from datetime import UTC, datetime

from ballast.core.events import Event, EventKind
from ballast.core.sentences import sentence
from ballast.core.trust import DataQuality


def test_a_code_of_data_is_said_once() -> None:
    quality = DataQuality.AFTER_ABSURD_BAR
    at = datetime(2024, 3, 1, tzinfo=UTC)
    event = Event(at, EventKind.DATA, quality.name, "BTC/USDT", None, float(quality), 0.0)
    assert sentence(event).count("AFTER_ABSURD_BAR") == 1
