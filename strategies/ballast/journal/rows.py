"""Rows of the journal as they are stored, and what they are read as.

Numbers in JSON have ten significant digits; a number that is missing is null. Moments are UTC.
"""

import functools
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ballast.core.account import Account, Gauge, OpenPosition, State
from ballast.core.decision import Decision, Outcome, Reading
from ballast.core.events import Event, EventKind
from ballast.core.trust import DataQuality
from ballast.core.verdict import Verdict


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


def read_decision(row: Any, setups: Mapping[str, tuple[str, ...]]) -> Decision:
    """The decision that a row was written from."""
    return Decision(
        pair=row["pair"],
        candle=moment_of(row["candle"]),
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


def read_event(row: Any) -> Event:
    """The event that a row was written from."""
    return Event(
        at=moment_of(row["at"]),
        kind=EventKind(row["kind"]),
        code=row["code"],
        pair=row["pair"],
        trade_id=row["trade_id"],
        value=_float(row["value"]),
        limit=_float(row["limit"]),
        facts=json.loads(row["facts"]),
    )


def account_row(account: Account) -> dict[str, Any]:
    """An account as stored, without what its run is known by."""
    return {
        "candle": account.candle.replace(tzinfo=None),
        "state": account.state.value,
        "equity": _number(account.equity),
        "multiplier": _number(account.multiplier),
        "gauges": to_json({code: list(gauge) for code, gauge in account.gauges.items()}),
        "guards": to_json({name: _verdict(v) for name, v in account.guards.items()}),
        "positions": json.dumps(
            [
                _plain({**vars(held), "opened": f"{held.opened:%Y-%m-%d %H:%M:%S}"})
                for held in account.positions
            ]
        ),
    }


def account_data(account: Account) -> dict[str, Any]:
    """An account as JSON values, for programs."""
    row = account_row(account)
    parts = {name: json.loads(row[name]) for name in ("gauges", "guards", "positions")}
    return {**row, "candle": f"{account.candle:%Y-%m-%dT%H:%M:%SZ}", **parts}


def read_account(row: Any) -> Account:
    """The account that a row was written from."""
    gauges = json.loads(row["gauges"]).items()
    return Account(
        candle=moment_of(row["candle"]),
        state=State(row["state"]),
        equity=_float(row["equity"]),
        multiplier=_float(row["multiplier"]),
        gauges={code: Gauge(_float(value), _float(limit)) for code, (value, limit) in gauges},
        guards={name: _read_verdict(v) for name, v in json.loads(row["guards"]).items()},
        positions=tuple(_held(held) for held in json.loads(row["positions"])),
    )


def _held(stored: dict[str, Any]) -> OpenPosition:
    """Null is a number that is missing."""
    known = {name: _float(value) for name, value in stored.items()}
    return OpenPosition(**{**known, "opened": moment_of(stored["opened"])})


def as_stored(decision: Decision) -> Decision:
    """The decision as it is after having been written and read."""
    return read_decision(decision_row(decision), decision.setups)


def moment_of(stored: datetime | str) -> datetime:
    """A moment as SQLAlchemy gives it, or as SQLite itself does."""
    moment = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    return moment.replace(tzinfo=UTC)


def to_json(value: Any) -> str:
    """JSON of a structure; what is no JSON value is written as text."""
    return json.dumps(_plain(value), separators=(",", ":"), default=str) if value else "{}"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return _number(value) if isinstance(value, float) else value


# Limits and the market's values are the same in the rows of all pairs.
@functools.lru_cache(maxsize=1024)
def _number(value: float | None) -> float | None:
    """Ten significant digits; null for what is missing or endless."""
    if value is None or not math.isfinite(value):
        return None
    # SQLite knows no negative zero.
    return float(f"{value:.10g}") + 0.0


def _float(value: Any) -> Any:
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
    stored = [verdict.code, verdict.value, verdict.limit, verdict.multiplier, until]
    return [*stored, verdict.began, verdict.below, verdict.unit]


def _read_verdict(stored: list[Any]) -> Verdict:
    """Rows from before beginnings were written have five parts, those without a unit seven."""
    code, value, limit, multiplier, until, *hold = stored
    end = datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None
    numbers = (_float(value), _float(limit), _float(multiplier))
    return Verdict(code, *numbers, end, *(_float(part) for part in hold))
