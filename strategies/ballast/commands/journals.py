"""The journal that a command is asked about, opened; nothing else is answered from in its stead."""

import argparse
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ballast.core.windows import minutes
from ballast.journal.reader import Reader
from ballast.tooling.errors import CommandError
from ballast.tooling.journals import backtest_journal, bot_journal

# A candle and so long after the last one, a bot has ended.
_OVERDUE = timedelta(minutes=3)


def journal_file(options: argparse.Namespace, config: Mapping[str, Any]) -> Path:
    """Where the journal that is asked for lies."""
    if options.journal:
        return Path(options.journal)
    if options.backtest:
        return backtest_journal(config)
    return bot_journal(options.db_url, config)


@contextmanager
def opened(options: argparse.Namespace, config: Mapping[str, Any]) -> Iterator[Reader]:
    """
    The journal that is asked for.

    Raises
    ------
    CommandError
        If there is none, it cannot be read, or it has no rows of the strategy that is named.
    """
    path = journal_file(options, config)
    if not path.is_file():
        named = "--journal names no file" if options.journal else "there is no journal"
        raise CommandError(
            f"{named}: {path}; expected that of a bot that has run, or of a backtest with "
            '"ballast": {"journal": {"backtest": true}}'
        )
    reader = None
    try:
        # A bot is often started with another strategy than the configuration's.
        reader = Reader(path, options.strategy)
        known = reader.strategies()
        if options.strategy and options.strategy not in known:
            told = f"it has rows of {', '.join(known)}" if known else "it has no rows at all"
            raise CommandError(
                f"--strategy {options.strategy} is not in the journal {path}: {told}"
            )
        yield reader
    except sqlite3.Error as error:
        raise CommandError(f"the journal {path} cannot be read: {error}") from None
    finally:
        if reader is not None:
            reader.close()


def pair_of(reader: Reader, asked: str) -> str:
    """
    A pair of the journal: as Freqtrade writes it, in small letters, or its first currency alone.

    Raises
    ------
    CommandError
        If the journal has no rows of it.
    """
    known, wanted = list(reader.pairs()), asked.strip().upper()
    found = [pair for pair in known if wanted in (pair, pair.partition("/")[0])]
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(f"{asked} is several pairs: {', '.join(found)}; expected one of them")
    told = f"it covers {', '.join(known)}" if known else "it covers none"
    raise CommandError(
        f"{asked} is not a pair of the journal: {told} (--recompute works it out from stored "
        "candles)"
    )


def parse_since(text: str) -> datetime | timedelta:
    """
    A moment in UTC, or a length such as '7d'.

    Raises
    ------
    CommandError
        If it is neither.
    """
    try:
        return timedelta(minutes=minutes(text))
    except ValueError:
        return parse_time(text, ", or a length such as 12h or 7d")


def since_in(reader: Reader, asked: datetime | timedelta) -> tuple[datetime, str]:
    """
    From when on, and words for what a length counts back from.

    It is now, or where nothing is newer the end of the journal's last candle.
    """
    if isinstance(asked, datetime):
        return asked, ""
    now, rows = datetime.now(UTC), reader.newest()
    if not rows:
        return now - asked, ""
    candle = timedelta(minutes=minutes(rows[0].timeframe))
    ended = rows[0].decision.candle + candle
    if now - ended <= candle + _OVERDUE:
        return now - asked, ""
    told = f", counted from the journal's last candle, which ended {ended:%Y-%m-%d %H:%M}"
    return ended - asked, told


def parse_time(text: str, beside: str = "") -> datetime:
    """
    A moment in UTC.

    Parameters
    ----------
    beside : str
        What else would be taken.

    Raises
    ------
    CommandError
        If it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"{text!r} is no time: expected one such as '2024-03-01 14:00' (UTC){beside}"
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
