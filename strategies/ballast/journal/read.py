"""
The journal as DataFrames, for a notebook or a spreadsheet.

::

    from ballast.journal import read

    decisions = read.decisions("user_data/ballast_journal.dryrun.1a2b3c4d.sqlite")
    decisions[decisions["outcome"] == "REFUSED"].groupby("code").size()
"""

import json
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from ballast.core.account import Account
from ballast.core.decision import Decision
from ballast.core.events import Event
from ballast.core.trust import DataQuality
from ballast.journal.reader import Reader
from ballast.journal.rows import to_json

ALL = datetime(2000, 1, 1, tzinfo=UTC)


def decisions(path: Path | str, strategy: str | None = None, since: datetime = ALL) -> pd.DataFrame:
    """
    A row for each pair and closed candle.

    Columns: candle (opening time, UTC), pair, outcome, code, value, limit, trust, close, atr
    (quote currency), setup, unmet (names of its rules that are not met), blocked_by (guards that
    block), multiplier (that the guards leave), stake, bound_by, stop, trade_id.

    Parameters
    ----------
    path : Path or str
        Of the journal.
    strategy : str or None
        Only rows of this strategy; None for those of the one that wrote last.
    since : datetime
        Of the first candle (UTC).

    Raises
    ------
    sqlite3.Error
        If it is no journal; so do the others.
    """
    with closing(Reader(Path(path), strategy)) as reader:
        return of_decisions(row.decision for row in reader.rows_since(since))


def accounts(path: Path | str, strategy: str | None = None, since: datetime = ALL) -> pd.DataFrame:
    """
    A row for each closed candle: the account as the guards had it.

    Columns: candle (opening time, UTC), state, equity, multiplier, positions (how many), risk
    (quote currency, at all stops), and for each gauge CODE and CODE_limit (percent of equity).
    """
    with closing(Reader(Path(path), strategy)) as reader:
        return of_accounts(reversed(reader.accounts(since)))


def events(path: Path | str, since: datetime = ALL) -> pd.DataFrame:
    """
    A row for each event: orders, fills, moves of stops, guards, refusals, incidents.

    Columns: at (UTC), kind, code, pair, trade_id, value, limit, facts (JSON).
    """
    with closing(Reader(Path(path))) as reader:
        return of_events(reader.events(since))


def of_decisions(found: Iterable[Decision]) -> pd.DataFrame:
    """See `decisions`."""
    return _frame([_decision(each) for each in found], "candle")


def of_accounts(found: Iterable[Account]) -> pd.DataFrame:
    """See `accounts`."""
    return _frame([_account(each) for each in found], "candle")


def of_events(found: Iterable[Event]) -> pd.DataFrame:
    """See `events`."""
    rows = [{**vars(each), "kind": each.kind.value, "facts": _facts(each)} for each in found]
    return _frame(rows, "at")


def _facts(event: Event) -> str:
    return json.dumps(json.loads(to_json(event.facts)), ensure_ascii=False)


def _decision(each: Decision) -> dict[str, Any]:
    blocking = [name for name, verdict in each.guards.items() if verdict.blocks]
    return {
        "candle": each.candle,
        "pair": each.pair,
        "outcome": each.outcome.value,
        "code": each.code,
        "value": each.value,
        "limit": each.limit,
        "trust": DataQuality(each.trust).name,
        "close": each.close,
        "atr": each.atr,
        "setup": each.setup,
        "unmet": ", ".join(each.unmet()),
        "blocked_by": ", ".join(blocking),
        "multiplier": min((v.multiplier for v in each.guards.values()), default=1.0),
        "stake": each.sizing.get("stake"),
        "bound_by": each.sizing.get("binding"),
        "stop": each.stop,
        "trade_id": each.trade_id,
    }


def _account(each: Account) -> dict[str, Any]:
    row: dict[str, Any] = {
        "candle": each.candle,
        "state": each.state.value,
        "equity": each.equity,
        "multiplier": each.multiplier,
        "positions": len(each.positions),
        "risk": sum(held.risk for held in each.positions),
    }
    for code, gauge in each.gauges.items():
        row |= {str(code): gauge.value, f"{code}_limit": gauge.limit}
    return row


def _frame(rows: list[dict[str, Any]], moment: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    if len(frame):
        frame[moment] = pd.to_datetime(frame[moment], utc=True)
    if "trade_id" in frame:
        # Whole numbers, some of which are missing.
        frame["trade_id"] = frame["trade_id"].astype("Int64")
    return frame
