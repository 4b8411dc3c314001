"""Does a running bot still decide? A process that answers and decides nothing is not alive.

Freqtrade's loop may go round while no candle arrives, and a port may be open while the loop hangs:
both the loop and the newest candle that was analysed are looked at.
"""

import math
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ballast.core.measures import duration
from ballast.core.reasons import Reason
from ballast.tooling.bot_api import BotApi

# A loop takes seconds; one that waits for a slow exchange or many pairs takes a minute.
LOOP_S = 180.0
# Candles are analysed some seconds after their end; one that comes late is waited for.
LATE_S = 180.0
# In what a strategy says of its version.
_JOURNAL = re.compile(r" journal (ballast_journal\S*\.sqlite)")


@dataclass(frozen=True)
class Signs:
    """
    What a bot shows of its life, ages in seconds.

    Parameters
    ----------
    state : str
        Freqtrade's: running, paused, stopped, reload_config.
    candle_s : float
        Length of the strategy's candle.
    loop_age_s : float or None
        Since the last loop ended; None before the first.
    decided_age_s : float or None
        Since the end of the newest candle that was analysed, of any pair; None before the first.
    journal_age_s : float or None
        Since the end of the newest candle in the journal; None where there is no journal, endless
        where it is empty or unreadable.
    """

    state: str
    candle_s: float
    loop_age_s: float | None
    decided_age_s: float | None
    journal_age_s: float | None = None


def faults(signs: Signs) -> list[str]:
    """
    Why the bot is not alive; empty if it is.

    A bot that a person has stopped is alive: were it called dead, something might restart it, and
    it would trade again.
    """
    if signs.state == "stopped":
        return []
    found = []
    if signs.loop_age_s is None or signs.loop_age_s > LOOP_S:
        found.append(f"{Reason.LOOP_SILENT} {_ago(signs.loop_age_s)}, limit {duration(LOOP_S)}")
    limit = signs.candle_s + LATE_S
    if signs.decided_age_s is None or signs.decided_age_s > limit:
        found.append(f"{Reason.DECISIONS_OLD} {_ago(signs.decided_age_s)}, limit {duration(limit)}")
    if signs.journal_age_s is not None and signs.journal_age_s > limit:
        found.append(f"{Reason.JOURNAL_OLD} {_ago(signs.journal_age_s)}, limit {duration(limit)}")
    return found


def _ago(age: float | None) -> str:
    if age is None:
        return "never"
    # A journal that is empty or cannot be read.
    return f"{duration(age)} ago" if math.isfinite(age) else "nothing"


def signs_of(
    api: BotApi, now: datetime, user_data: Path, config: Mapping[str, Any] | None = None
) -> Signs:
    """
    Look at a bot through its API, and at its journal where there is one.

    Parameters
    ----------
    user_data : Path
        Freqtrade's folder.
    config : mapping or None
        Freqtrade's configuration, which may name another place for the journal.

    Raises
    ------
    BotSilent
        If it does not answer.
    """
    shown = api.ask("show_config")
    candle_s = shown["timeframe_ms"] / 1000
    loop = api.ask("health").get("last_process_ts")
    return Signs(
        state=shown["state"],
        candle_s=candle_s,
        loop_age_s=None if loop is None else now.timestamp() - loop,
        decided_age_s=_decided_age_s(api, shown, now, candle_s),
        journal_age_s=_journal_age_s(journal_file(config or {}, shown, user_data), now, candle_s),
    )


def journal_file(
    config: Mapping[str, Any], shown: Mapping[str, Any], user_data: Path
) -> Path | None:
    """
    Where a bot keeps its journal; None where it keeps none.

    By its configuration, else by the name that the bot itself shows: nobody outside knows with
    which database it was started.
    """
    named = ((config.get("ballast") or {}).get("journal") or {}).get("path")
    if named is not None:
        return Path(named)
    kept = _JOURNAL.search(str(shown.get("strategy_version") or ""))
    return user_data / kept[1] if kept else None


def candle_end(api: BotApi, pair: str, timeframe: str, candle_s: float) -> datetime | None:
    """When the newest analysed candle of a pair ended (UTC); None where there is none."""
    answer: Mapping[str, Any] = api.ask("pair_candles", pair, timeframe, 1)
    # 0 where the bot has analysed nothing yet.
    opened_ms = answer.get("data_stop_ts")
    return datetime.fromtimestamp(opened_ms / 1000 + candle_s, UTC) if opened_ms else None


def _decided_age_s(
    api: BotApi, shown: Mapping[str, Any], now: datetime, candle_s: float
) -> float | None:
    """Of the pair that was analysed last; the first that is fresh answers for all."""
    ages: list[float] = []
    for pair in api.ask("whitelist")["whitelist"]:
        end = candle_end(api, pair, shown["timeframe"], candle_s)
        if end is not None:
            ages.append((now - end).total_seconds())
            if ages[-1] <= candle_s:
                break
    return min(ages, default=None)


def _journal_age_s(path: Path | None, now: datetime, candle_s: float) -> float | None:
    """None where there is no journal; endless where it is empty or cannot be read."""
    if path is None or not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
            newest = connection.execute("SELECT MAX(candle) FROM decisions").fetchone()[0]
    except sqlite3.Error:
        return math.inf
    if newest is None:
        return math.inf
    opened = datetime.fromisoformat(newest).replace(tzinfo=UTC)
    return now.timestamp() - opened.timestamp() - candle_s
