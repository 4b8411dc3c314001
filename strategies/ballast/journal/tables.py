"""The tables of the journal, and its rows as they are stored.

Numbers in JSON have ten significant digits; a number that is missing is null.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from ballast.core.data_quality import DataQuality
from ballast.core.decision import Decision, Outcome, Reading
from ballast.core.events import Event, EventKind
from ballast.core.verdict import Verdict

_META = MetaData()

# Whose the journal is (see `ballast.journal.identity`): one row.
IDENTITY = Table(
    "identity",
    _META,
    Column("identity", String, primary_key=True),
    Column("since", DateTime, nullable=False),
)

# What decided: settings, strategy and its rules, written once for as long as they stay the same.
VERSIONS = Table(
    "versions",
    _META,
    Column("id", Integer, primary_key=True),
    Column("settings", String(8), nullable=False),
    Column("strategy", String, nullable=False),
    Column("timeframe", String, nullable=False),
    Column("ballast", String, nullable=False),
    Column("guards", Text, nullable=False),
    Column("setups", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("since", DateTime, nullable=False),
)

# One row for each pair and closed candle; `candle` is its opening time (UTC).
DECISIONS = Table(
    "decisions",
    _META,
    Column("id", Integer, primary_key=True),
    Column("strategy", String, nullable=False),
    Column("timeframe", String, nullable=False),
    Column("pair", String, nullable=False),
    Column("candle", DateTime, nullable=False),
    Column("settings", String(8), nullable=False),
    Column("version", Integer, nullable=False),
    Column("outcome", String, nullable=False),
    Column("code", String, nullable=False),
    Column("value", Float),
    Column("limit", Float),
    Column("trust", String, nullable=False),
    Column("close", Float),
    Column("atr", Float),
    Column("setup", String, nullable=False),
    Column("rules", Text, nullable=False),
    Column("guards", Text, nullable=False),
    Column("gate", Text, nullable=False),
    Column("sizing", Text, nullable=False),
    Column("stop", Float),
    Column("stop_code", String, nullable=False),
    Column("trade_id", Integer),
    UniqueConstraint("strategy", "timeframe", "pair", "candle"),
    Index("decisions_candle", "candle"),
    Index("decisions_trade", "trade_id"),
)

# What happened besides; `at` is UTC.
EVENTS = Table(
    "events",
    _META,
    Column("id", Integer, primary_key=True),
    Column("at", DateTime, nullable=False),
    Column("kind", String, nullable=False),
    Column("code", String, nullable=False),
    Column("pair", String, nullable=False),
    Column("trade_id", Integer),
    Column("value", Float),
    Column("limit", Float),
    Column("facts", Text, nullable=False),
    Index("events_at", "at"),
    Index("events_trade", "trade_id"),
)


def create_tables(engine: Any) -> None:
    """Make the tables that are not there."""
    _META.create_all(engine)


def decision_row(decision: Decision) -> dict[str, Any]:
    """A decision as stored, without what its run is known by."""
    return {
        "pair": decision.pair,
        "candle": decision.candle.replace(tzinfo=None),
        "outcome": decision.outcome.value,
        "code": decision.code,
        "value": _number(decision.value),
        "limit": _number(decision.limit),
        "trust": DataQuality(decision.trust).name,
        "close": _number(decision.close),
        "atr": _number(decision.atr),
        "setup": decision.setup,
        "rules": _rules(decision.rules),
        "guards": to_json({name: _verdict(v) for name, v in decision.guards.items()}),
        "gate": to_json(decision.gate),
        "sizing": to_json(decision.sizing),
        "stop": _number(decision.stop),
        "stop_code": decision.stop_code,
        "trade_id": decision.trade_id,
    }


def read_decision(row: Mapping[str, Any], setups: Mapping[str, tuple[str, ...]]) -> Decision:
    """The decision that a row was written from."""
    return Decision(
        pair=row["pair"],
        candle=row["candle"].replace(tzinfo=UTC),
        outcome=Outcome(row["outcome"]),
        code=row["code"],
        value=_float(row["value"]),
        limit=_float(row["limit"]),
        trust=int(DataQuality[row["trust"]]),
        close=_float(row["close"]),
        atr=_float(row["atr"]),
        setup=row["setup"],
        rules={
            name: Reading(_float(value), relation, _float(limit), met)
            for name, (value, relation, limit, met) in json.loads(row["rules"]).items()
        },
        setups=setups,
        guards={name: _read_verdict(v) for name, v in json.loads(row["guards"]).items()},
        gate=json.loads(row["gate"]),
        sizing=json.loads(row["sizing"]),
        stop=_float(row["stop"]),
        stop_code=row["stop_code"],
        trade_id=row["trade_id"],
    )


def event_row(event: Event) -> dict[str, Any]:
    """An event as stored."""
    return {
        "at": event.at.astimezone(UTC).replace(tzinfo=None),
        "kind": event.kind.value,
        "code": event.code,
        "pair": event.pair,
        "trade_id": event.trade_id,
        "value": _number(event.value),
        "limit": _number(event.limit),
        "facts": to_json(event.facts),
    }


def read_event(row: Mapping[str, Any]) -> Event:
    """The event that a row was written from."""
    return Event(
        at=row["at"].replace(tzinfo=UTC),
        kind=EventKind(row["kind"]),
        code=row["code"],
        pair=row["pair"],
        trade_id=row["trade_id"],
        value=_float(row["value"]),
        limit=_float(row["limit"]),
        facts=json.loads(row["facts"]),
    )


def as_stored(decision: Decision) -> Decision:
    """The decision as it is after having been written and read."""
    return read_decision(decision_row(decision), decision.setups)


def to_json(value: Any) -> str:
    """JSON of a structure; what is no JSON value is written as text."""
    return json.dumps(_plain(value), separators=(",", ":"), default=str) if value else "{}"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return _number(value) if isinstance(value, float) else value


def _number(value: float | None) -> float | None:
    """Ten significant digits; null for what is missing or endless."""
    if value is None or not math.isfinite(value):
        return None
    # SQLite knows no negative zero.
    return float(f"{value:.10g}") + 0.0


def _float(value: float | bool | None) -> float | bool:
    return math.nan if value is None else value


def _rules(rules: Mapping[str, Reading]) -> str:
    plain = {
        name: (
            r.value if isinstance(r.value, bool) else _number(r.value),
            r.relation,
            r.limit if isinstance(r.limit, bool) else _number(r.limit),
            r.met,
        )
        for name, r in rules.items()
    }
    return json.dumps(plain, separators=(",", ":"))


def _verdict(verdict: Verdict) -> list[Any]:
    until = f"{verdict.until:%Y-%m-%d %H:%M:%S}" if verdict.until else None
    return [verdict.code, verdict.value, verdict.limit, verdict.multiplier, until]


def _read_verdict(stored: list[Any]) -> Verdict:
    code, value, limit, multiplier, until = stored
    end = datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None
    return Verdict(code, _float(value), _float(limit), _float(multiplier), end)
