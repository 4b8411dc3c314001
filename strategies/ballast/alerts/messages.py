"""What the operator is told beside Freqtrade's own messages: digests, not a flood.

Sent through Freqtrade's strategy messages: to Telegram, and to any other module whose
`allow_custom_messages` is on. Telegram refuses a message whose Markdown does not close, and one
underscore in a reason code opens it: every text of ours is sent as a block of code.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from ballast.config.messages import MessageSettings
from ballast.core.events import Event, EventKind
from ballast.core.ledger import Cause
from ballast.core.reasons import ALL_WELL
from ballast.core.sentences import details, with_numbers
from ballast.core.verdict import ALL_PAIRS

# Telegram's limit is 4096 characters.
_LONGEST = 3500
_MOST_PAIRS = 8
_CAUSES = {
    Cause.CASH: "that own orders do not explain: paid in or out, or another bot's",
    Cause.CAPITAL: "by the configuration, which gives another capital",
    Cause.TRADES: "by trades that were deleted or rewritten",
    Cause.BALANCE: "from the balance of the account to what is the bot's",
}


def as_code(text: str) -> str:
    """A text that Telegram shows as it is, whatever is in it; cut to what fits in a message."""
    text = text.replace("`", "'")
    return "```\n" + (text if len(text) <= _LONGEST else text[:_LONGEST] + " ...") + "\n```"


class Messages:
    """
    Gathers events and tells about them now and then.

    Parameters
    ----------
    settings : MessageSettings
    send : callable
        Sends a text to the operator as it is (see `as_code`).
    """

    def __init__(self, settings: MessageSettings, send: Callable[[str], None]) -> None:
        self._send = send
        self._refusals = _Refusals(timedelta(minutes=settings.digest_minutes))
        self._flows = _Flows(timedelta(minutes=settings.digest_minutes))
        self._quiet = timedelta(minutes=settings.quiet_minutes)
        self._untrusted = _Untrusted(self._quiet)
        self._told: dict[tuple[str, str], datetime] = {}
        self._transitions: list[str] = []

    def hear(self, event: Event) -> None:
        """Take note of an event."""
        if event.kind == EventKind.REFUSED:
            self._refusals.add(event)
        elif event.kind == EventKind.DATA:
            self._untrusted.add(event)
        elif event.kind == EventKind.WATCH and event.code not in ALL_WELL:
            self._trouble(event)
        elif event.kind == EventKind.FLOW:
            self._flows.add(event)
        elif event.kind == EventKind.GUARD:
            self._block(event)

    def _block(self, event: Event) -> None:
        """
        Tell about a block that is over, and about one of all pairs that begins without a known end.

        Others that begin are told by `ballast.alerts.lock_alerts`, with their end, or are of a pair
        whose data is not trusted.
        """
        facts = event.facts
        scope = "all pairs" if event.pair == ALL_PAIRS else event.pair
        if facts.get("state") == "lifted":
            self.transition(f"{facts.get('guard')} no longer blocks {scope}")
        elif event.pair == ALL_PAIRS and not facts.get("until"):
            self.transition(
                f"{facts.get('guard')} blocks {scope} until its cause is over (stops stay): "
                f"{with_numbers(event)}"
            )

    def _trouble(self, event: Event) -> None:
        """Tell about a position or an order that is not as it should be, once an interval each."""
        key = (event.code, event.pair)
        told = self._told.get(key)
        if told is None or event.at - told >= self._quiet:
            self._told[key] = event.at
            self.transition(f"{event.pair or 'all pairs'}: {with_numbers(event)}")

    def transition(self, sentence: str) -> None:
        """Tell about something that has changed; all of one loop go into one message."""
        self._transitions.append(sentence)

    def tick(self, now: datetime) -> None:
        """Send what is due; to be called in every loop of the bot."""
        changed, self._transitions = "\n".join(self._transitions), []
        due = (changed, self._flows.due(now), self._refusals.due(now), self._untrusted.due())
        for text in due:
            if text:
                self._send(text)


class _Pace:
    """When the next message may be sent: the first at once, later ones an interval apart."""

    def __init__(self, interval: timedelta) -> None:
        self._interval = interval
        self._sent: datetime | None = None

    def has_come(self, now: datetime) -> bool:
        """Whether one may be sent; it counts as sent then."""
        if self._sent is not None and now - self._sent < self._interval:
            return False
        self._sent = now
        return True


class _Refusals:
    """At most one message an interval: the first refusal at once, later ones together."""

    def __init__(self, interval: timedelta) -> None:
        self._pace = _Pace(interval)
        self._since: datetime | None = None
        # By code and pair: the last refusal. One signal is refused in every loop while it is fresh.
        self._last: dict[tuple[str, str], Event] = {}

    def add(self, event: Event) -> None:
        self._since = self._since or event.at
        self._last[(event.code, event.pair)] = event

    def due(self, now: datetime) -> str:
        if not self._last or self._since is None or not self._pace.has_come(now):
            return ""
        by_code: dict[str, list[Event]] = {}
        for event in self._last.values():
            by_code.setdefault(event.code, []).append(event)
        lines = [f"Entries refused since {self._since:%H:%M} UTC"]
        for code, events in sorted(by_code.items(), key=lambda item: -len(item[1])):
            lines.append(f"{code} ({len(events)} {'pair' if len(events) == 1 else 'pairs'})")
            lines += [f"  {event.pair} {details(event)}".rstrip() for event in events[:_MOST_PAIRS]]
            if len(events) > _MOST_PAIRS:
                lines.append(f"  and {len(events) - _MOST_PAIRS} more")
        self._since, self._last = None, {}
        return "\n".join(lines)


class _Flows:
    """At most one message an interval: another bot on the account would make one of every trade."""

    def __init__(self, interval: timedelta) -> None:
        self._pace = _Pace(interval)
        self._new: list[Event] = []

    def add(self, event: Event) -> None:
        self._new.append(event)

    def due(self, now: datetime) -> str:
        if not self._new or not self._pace.has_come(now):
            return ""
        new, self._new = self._new, []
        currency = new[-1].facts["currency"]
        lines = ["Money that came or went beside the trades: no profit, and no loss"]
        for cause, meaning in _CAUSES.items():
            found = [event.value for event in new if event.facts.get("cause") == cause]
            if found:
                lines.append(f"  {sum(found):+.2f} {currency} {meaning} ({len(found)})")
        lines.append(f"Equity is {new[-1].limit:.2f} {currency} now")
        return "\n".join(lines)


class _Untrusted:
    """Each pair's market data at most once an interval, and all that is due in one message."""

    def __init__(self, interval: timedelta) -> None:
        self._interval = interval
        self._told: dict[str, datetime] = {}
        self._new: dict[str, str] = {}

    def add(self, event: Event) -> None:
        told = self._told.get(event.pair)
        if told is None or event.at - told >= self._interval:
            self._told[event.pair] = event.at
            self._new[event.pair] = event.code

    def due(self) -> str:
        if not self._new:
            return ""
        by_code: dict[str, list[str]] = {}
        for pair, code in self._new.items():
            by_code.setdefault(code, []).append(pair)
        self._new = {}
        lines = ["Market data not trusted, no entries there"]
        lines += [f"{code}: {', '.join(pairs)}" for code, pairs in by_code.items()]
        return "\n".join(lines)
