"""What happens during a run, as one stream: refusals, orders, blocks, failures.

Whoever wants to know (journal, messages, logs) listens; whoever decides only publishes.
"""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

logger = logging.getLogger(__name__)


class EventKind(StrEnum):
    """What an event is about."""

    REFUSED = "refused"  # an entry, by the sizer, a guard or the gate; `code` says which
    SIZED = "sized"  # an entry that got a size
    GATE = "gate"  # checks before an order that were passed
    ORDER = "order"  # sent, answered, filled, cancelled
    STOP = "stop"  # of a position, moved
    EXIT = "exit"  # why a position is left
    GUARD = "guard"  # a block that begins, goes on or is lifted
    DATA = "data"  # a candle that is missing or not trusted
    WATCH = "watch"  # positions and orders that are not as they should be
    FLOW = "flow"  # money that came or went beside the trades
    LATENCY = "latency"  # how long the way from candle to stop took
    INCIDENT = "incident"  # a failure inside a callback, which refused


@dataclass(frozen=True)
class Event:
    """
    One thing that happened.

    Parameters
    ----------
    at : datetime
        When (UTC; in backtests the candle's time).
    kind : EventKind
    code : str
        A `Reason`; of an exit, a rule's or Freqtrade's own, and of an incident the error's name.
    pair : str
        Empty where it is about all.
    trade_id : int or None
    value, limit : float
        What was seen and what would have been allowed; NaN where there is no number.
    facts : mapping
        Anything else worth keeping, by name; JSON values only, never a secret.
    """

    at: datetime
    kind: EventKind
    code: str
    pair: str = ""
    trade_id: int | None = None
    value: float = math.nan
    limit: float = math.nan
    facts: Mapping[str, Any] = field(default_factory=dict)


class Events:
    """Hands every event to every listener; one that fails is logged and stops nothing."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []

    @property
    def heard(self) -> bool:
        """Whether anybody listens; in a backtest usually nobody, and events need not be made."""
        return bool(self._listeners)

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with every event from now on."""
        self._listeners.append(listener)

    def publish(self, event: Event) -> None:
        """Tell all listeners."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                logger.exception("a listener failed on %s %s", event.kind, event.code)
