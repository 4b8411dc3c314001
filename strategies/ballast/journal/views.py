"""What several screens show of a journal, gathered in one place."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ballast.core.events import EventKind
from ballast.core.status import Status
from ballast.core.windows import minutes
from ballast.journal.reader import Reader

# Refusals are shown as far back as this.
_LATELY = timedelta(days=1)


def status_of(reader: Reader, moment: datetime | None) -> Status:
    """Where a journal's bot stands at a moment (UTC); None for when its newest candle ended."""
    rows = reader.newest()
    timeframe = rows[0].timeframe if rows else ""
    candle = timedelta(minutes=minutes(timeframe)) if timeframe else timedelta()
    account = reader.account()
    ended = account.candle + candle if account is not None else datetime.now(UTC)
    status = Status(
        strategy=reader.strategy or "",
        timeframe=timeframe,
        now=moment if moment is not None else ended,
        candle=candle,
        account=account,
        decisions=[row.decision for row in rows],
        refusals=[],
    )
    lately = reader.events(status.until - _LATELY)
    return replace(status, refusals=[e for e in lately if e.kind is EventKind.REFUSED])
