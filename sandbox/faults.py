"""What can go wrong at an exchange: the kinds of faults, and one fault as a value.

A fault is written as JSON, in a file for ``--faults`` or sent to ``/sandbox/faults``::

    {"kind": "answer_lost", "endpoint": "POST /api/v3/order", "probability": 0.05}
    {"kind": "down", "per_day": 0.2, "lasts_s": 3600}
    {"kind": "bad_tick", "pair": "BTC/USDT", "after_s": 900, "times": 1, "ratio": 0.5}

Every kind has the fields of `COMMON` and the numbers of its own that `KINDS` lists. Without a
schedule a fault stands from the beginning; times are the exchange's, not the machine's, except for
how long an answer is held back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from sandbox.candles import DAY_MS
from sandbox.errors import SandboxError


class Kind(StrEnum):
    """What happens when a fault strikes; `KINDS` says it in words."""

    RATE_LIMITED = "rate_limited"
    BANNED = "banned"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    SLOW = "slow"
    ANSWER_LOST = "answer_lost"
    DOWN = "down"
    CLOCK_SKEW = "clock_skew"
    WEBSOCKET_DROP = "websocket_drop"
    CANDLE_UNFINISHED = "candle_unfinished"
    CANDLE_MISSING = "candle_missing"
    CANDLES_DISORDERED = "candles_disordered"
    CANDLES_FROZEN = "candles_frozen"
    BAD_TICK = "bad_tick"
    DELISTING = "delisting"
    BALANCE_LATE = "balance_late"
    ORDER_STUCK = "order_stuck"
    ORDER_PARTIAL = "order_partial"
    FILL_IN_CANCEL = "fill_in_cancel"
    CANCEL_REFUSED = "cancel_refused"
    STOP_JUMPED = "stop_jumped"
    STOP_REJECTED = "stop_rejected"


@dataclass(frozen=True, slots=True)
class Number:
    """A number that a kind of fault takes: its default and the range accepted."""

    default: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of fault: what it does, where it strikes unless told otherwise, and its numbers."""

    what: str
    endpoint: str = "*"
    numbers: Mapping[str, Number] = field(default_factory=dict)


_ORDER, _CANCEL = "POST /api/v3/order", "DELETE /api/v3/order"
_CANDLES, _ACCOUNT = "GET /api/v3/klines", "GET /api/v3/account"

KINDS: Mapping[Kind, Rule] = {
    Kind.RATE_LIMITED: Rule(
        "429 with Retry-After, code -1003", numbers={"retry_after_s": Number(10, 0, 86_400)}
    ),
    Kind.BANNED: Rule(
        "418 with Retry-After, code -1003", numbers={"retry_after_s": Number(120, 0, 259_200)}
    ),
    Kind.SERVER_ERROR: Rule(
        "a 5xx answer; nothing was done", numbers={"status": Number(503, 500, 599)}
    ),
    Kind.TIMEOUT: Rule(
        "no answer for hold_s real seconds, then the connection ends; nothing was done",
        numbers={"hold_s": Number(30, 0, 600)},
    ),
    Kind.SLOW: Rule("the answer comes delay_s later", numbers={"delay_s": Number(2, 0, 600)}),
    Kind.ANSWER_LOST: Rule(
        "done, but the answer is 504, code -1007 (status 0: the connection ends)",
        _ORDER,
        {"status": Number(504, 0, 599)},
    ),
    Kind.DOWN: Rule("every connection ends without an answer"),
    Kind.CLOCK_SKEW: Rule(
        "the client's clock seems skew_s ahead of the exchange's: code -1021",
        numbers={"skew_s": Number(15, -86_400, 86_400)},
    ),
    Kind.WEBSOCKET_DROP: Rule("websockets are cut, and refused while it lasts"),
    Kind.CANDLE_UNFINISHED: Rule(
        "for late_s after its end a candle is served as it was early_s before it",
        _CANDLES,
        {"early_s": Number(60, 1, DAY_MS / 1000), "late_s": Number(30, 1, DAY_MS / 1000)},
    ),
    Kind.CANDLE_MISSING: Rule(
        "a candle is served only late_s after its end",
        _CANDLES,
        {"late_s": Number(60, 1, DAY_MS / 1000)},
    ),
    Kind.CANDLES_DISORDERED: Rule("the newest candles come shuffled, one of them twice", _CANDLES),
    Kind.CANDLES_FROZEN: Rule("every new candle repeats the last one before the fault", _CANDLES),
    Kind.BAD_TICK: Rule(
        "the newest closed candle ends at ratio times its close",
        _CANDLES,
        {"ratio": Number(0.5, 0.01, 100)},
    ),
    Kind.DELISTING: Rule(
        "announced notice_s before; then no trading, no new candle, open orders cancelled",
        numbers={"notice_s": Number(0, 0, 30 * DAY_MS / 1000)},
    ),
    Kind.BALANCE_LATE: Rule(
        "balances are those of late_s ago", _ACCOUNT, {"late_s": Number(30, 1, 86_400)}
    ),
    Kind.ORDER_STUCK: Rule("an order is accepted, stays NEW and is never filled", _ORDER),
    Kind.ORDER_PARTIAL: Rule(
        "an order is filled up to share, then no more", _ORDER, {"share": Number(0.4, 0, 1)}
    ),
    Kind.FILL_IN_CANCEL: Rule(
        "an order that is being cancelled is filled first: code -2011", _CANCEL
    ),
    Kind.CANCEL_REFUSED: Rule("the order stays open: code -2011", _CANCEL),
    Kind.STOP_JUMPED: Rule("a stop with a limit is triggered and not filled", _ORDER),
    Kind.STOP_REJECTED: Rule("a stop is refused: would trigger immediately, code -2010", _ORDER),
}
# Fields of every kind, beside `kind`.
COMMON = ("endpoint", "pair", "probability", "after_s", "from", "lasts_s", "per_day", "times")
_RANGES = {
    "probability": Number(1, 0, 1),
    "after_s": Number(0, 0, 1e9),
    "lasts_s": Number(0, 0.001, 1e9),
    "per_day": Number(0, 0.000_001, 10_000),
    "times": Number(0, 1, 1e9),
}
# The sandbox's own paths are never touched: they are how a rehearsal is run.
OWN_PATHS = "/sandbox/"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a plan.

    Parameters
    ----------
    endpoint : method and path, such as ``POST /api/v3/order``; the method may be left out, ``*``
        stands for any characters.
    pair : only requests about this pair; None for all.
    probability : of each occasion within the schedule [ratio].
    after_ms : since the beginning of the plan [ms]; ``from_ms`` is a date instead [Unix ms].
    lasts_ms : length of the schedule, or of each episode [ms]; None to the end.
    per_day : episodes at random moments, this many a day on average; None for a single one.
    times : at most so often; None for any.
    numbers : what the kind takes beside.
    """

    kind: Kind
    endpoint: str
    pair: str | None = None
    probability: float = 1.0
    after_ms: int = 0
    from_ms: int | None = None
    lasts_ms: int | None = None
    per_day: float | None = None
    times: int | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)

    def concerns(self, method: str, path: str, symbol: str | None) -> bool:
        """Whether a request is one that it may strike; ``symbol`` None where there is none."""
        if path.startswith(OWN_PATHS) or not self.concerns_symbol(symbol):
            return False
        pattern = self.endpoint if " " in self.endpoint else f"* {self.endpoint}"
        return self.endpoint == "*" or fnmatchcase(f"{method} {path}", pattern)

    def concerns_symbol(self, symbol: str | None) -> bool:
        """Whether it may strike a symbol, such as BTCUSDT."""
        return self.pair is None or symbol == self.pair.replace("/", "")

    @staticmethod
    def from_json(given: object, name: str) -> Fault:
        """The fault that a JSON object describes.

        Parameters
        ----------
        name : what to call it in a refusal, such as 'Fault 2'.

        Raises
        ------
        SandboxError
            One sentence with the field, its value and what is accepted.
        """
        if not isinstance(given, dict):
            raise SandboxError(f"{name} must be an object with a 'kind', not {given!r}.")
        kind = _kind(given.get("kind"), name)
        name, rule = f"{name} ({kind})", KINDS[kind]
        known = ("kind", *COMMON, *rule.numbers)
        for key in given:
            if key not in known:
                raise SandboxError(f"{name} has no field {key!r}; known are {', '.join(known)}.")
        accepted = {**_RANGES, **rule.numbers}
        numbers = {
            key: _number(f"{name}: {key}", given[key], accepted[key])
            for key in given
            if key in accepted
        }
        _check_schedule(given, name)
        return Fault(
            kind=kind,
            endpoint=_text(f"{name}: endpoint", given.get("endpoint", rule.endpoint)),
            pair=_pair(name, given.get("pair")),
            probability=numbers.get("probability", 1.0),
            after_ms=round(1000 * numbers.get("after_s", 0)),
            from_ms=_date(name, given["from"]) if "from" in given else None,
            lasts_ms=round(1000 * numbers["lasts_s"]) if "lasts_s" in given else None,
            per_day=numbers.get("per_day"),
            times=int(numbers["times"]) if "times" in given else None,
            numbers={key: numbers.get(key, number.default) for key, number in rule.numbers.items()},
        )

    def as_json(self) -> dict[str, Any]:
        """The object that `from_json` reads, with every default filled in."""
        begin: dict[str, Any] = {"after_s": self.after_ms / 1000}
        if self.from_ms is not None:
            begin = {"from": datetime.fromtimestamp(self.from_ms / 1000, tz=UTC).isoformat()}
        optional = {
            "pair": self.pair,
            "lasts_s": None if self.lasts_ms is None else self.lasts_ms / 1000,
            "per_day": self.per_day,
            "times": self.times,
        }
        return {
            "kind": self.kind.value,
            "endpoint": self.endpoint,
            "probability": self.probability,
            **begin,
            **{key: value for key, value in optional.items() if value is not None},
            **self.numbers,
        }


def _kind(value: object, name: str) -> Kind:
    try:
        return Kind(value)  # type: ignore[arg-type]
    except ValueError:
        known = ", ".join(KINDS)
        raise SandboxError(f"{name}: kind must be one of {known}, not {value!r}.") from None


def _number(name: str, value: object, accepted: Number) -> float:
    number = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    if not accepted.low <= number <= accepted.high:
        raise SandboxError(
            f"{name} must be a number from {accepted.low:g} to {accepted.high:g}, not {value!r}."
        )
    return number


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not ("/" in value or "*" in value):
        raise SandboxError(f"{name} must be like 'POST /api/v3/order' or '*', not {value!r}.")
    return value


def _pair(name: str, value: object) -> str | None:
    if value is None or (isinstance(value, str) and "/" in value):
        return value
    raise SandboxError(f"{name}: pair must be like 'BTC/USDT', not {value!r}.")


def _date(name: str, value: object) -> int:
    try:
        date = datetime.fromisoformat(str(value))
    except ValueError:
        raise SandboxError(
            f"{name}: from must be a date such as 2024-03-01T12:00, not {value!r}."
        ) from None
    return round((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() * 1000)


def _check_schedule(given: Mapping[str, object], name: str) -> None:
    if "from" in given and "after_s" in given:
        raise SandboxError(f"{name}: give from or after_s, not both.")
    if "per_day" in given and "lasts_s" not in given:
        raise SandboxError(f"{name}: per_day needs lasts_s, how long each episode lasts.")
