"""Moments in UTC as guards use them."""

from datetime import UTC, datetime, timedelta


def to_epoch(moment: datetime) -> float:
    """Seconds since the epoch."""
    return moment.timestamp()


def from_epoch(seconds: float) -> datetime:
    """The moment that many seconds after the epoch (UTC)."""
    return datetime.fromtimestamp(seconds, tz=UTC)


def day_start(moment: datetime) -> datetime:
    """Midnight (UTC) at or before the moment."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def week_start(moment: datetime) -> datetime:
    """Monday midnight (UTC) at or before the moment."""
    return day_start(moment) - timedelta(days=moment.astimezone(UTC).weekday())


def candle_border(moment: datetime, candle: timedelta) -> datetime:
    """Opening of the candle that runs at the moment, which is where the last one ended (UTC)."""
    span, seconds = candle.total_seconds(), moment.timestamp()
    if not seconds % span and moment.tzinfo is UTC:
        return moment
    return datetime.fromtimestamp(seconds // span * span, tz=UTC)
