"""The panel's pages, made of what the journal holds."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from ballast.core.account import Account, OpenPosition
from ballast.core.decision import Decision, Outcome
from ballast.core.events import Event, EventKind
from ballast.core.measures import measure, number, share
from ballast.core.reasons import Reason
from ballast.core.sentences import what
from ballast.core.status import (
    GAUGES,
    NEW,
    Status,
    gained,
    gauge_limit,
    gauge_value,
    guard_lines,
    is_new,
    last_refused,
    pair_blocks,
    seen,
    unmet_line,
    used_share,
)
from ballast.core.wording import headline
from ballast.journal.reader import Reader
from ballast.journal.views import status_of
from ballast.ops.panel import timeline
from ballast.tooling.pages.page import Page, Section, Tab
from ballast.tooling.pages.rendering import render
from ballast.tooling.pages.tables import Cell, Row, facts, table, tone
from ballast.tooling.pages.texts import Badged, badged, bullets, paragraph, tiles

_BADGES = {"ACTIVE": "fine", "REDUCING": "warning", "HALTED": "alarm"}


def overview(reader: Reader, moment: datetime | None) -> Page:
    """
    Where the bot stands, why nothing is bought, what happened, and its trades.

    Parameters
    ----------
    moment : datetime or None
        Present time (UTC); None for when the journal's newest candle ended.
    """
    status = status_of(reader, moment)
    since = status.until - timeline.WEEK
    events = reader.events(since)
    # What is newer than the last candle of a bot that has ended belongs to its week.
    now = max([status.until, *(event.at for event in events[-1:])])
    tabs = [
        Tab("status", "Status", _status(status)),
        Tab("why", "Why", _why(status, reader, since)),
        Tab("timeline", "Timeline", timeline.sections(events, now)),
        Tab("trades", "Trades", _trades(status.account, events)),
    ]
    who = f"{status.strategy} {status.timeframe}"
    told = seen(status)
    return Page(who, f"{told[:1].upper()}{told[1:]}", tabs, _FOOTER)


_FOOTER = "Read from the bot's journal. This page contacts nothing but the panel, on this machine."


def _status(status: Status) -> list[Section]:
    account = status.account
    if account is None:
        return [Section("", "", [paragraph("The journal does not tell of the account yet.")])]
    state = Badged(_BADGES[account.state], account.state, _state_text(account))
    objections = guard_lines(account.guards)
    blocked = pair_blocks(status.decisions)
    heat = account.heat
    figures = [
        (measure(Reason.NO_SIZE, account.equity, f"/{status.quote}"), "equity"),
        (share(account.multiplier), "size of entries"),
        (f"{number(heat.value, 3)} %" if heat else "-", "heat: lost if every stop is hit"),
        (str(len(account.positions)), "open positions"),
    ]
    sections = [
        Section("", "", [badged([state]), tiles(figures)]),
        Section("Limits", "How much of each limit is used, percent of equity.", [_gauges(account)]),
        Section("Positions", "", [_positions(status, account.positions)]),
        Section("Guards", "", [bullets(objections + blocked or ["All guards allow."])]),
    ]
    refused = _refused(status.refusals)
    return [*sections, Section("Refused lately", "", [refused])] if refused else sections


def _state_text(account: Account) -> str:
    return {
        "ACTIVE": "Entries have their full size.",
        "REDUCING": f"Entries are cut to {share(account.multiplier)} of their size.",
        "HALTED": "Nothing is entered; stops and exits stay active.",
    }[account.state]


def _gauges(account: Account) -> Markup:
    rows = []
    for code, name in GAUGES.items():
        if code in account.gauges:
            gauge = account.gauges[code]
            used = round(100 * used_share(gauge))
            text = f"{gauge_value(gauge)} of {gauge_limit(gauge)}{gained(gauge)}"
            kind = "alarm" if used >= 90 else "warning" if used >= 60 else "fine"
            rows.append({"name": name, "text": text, "used": used, "kind": kind})
    return render("gauges.html", rows=rows)


def _positions(status: Status, positions: Sequence[OpenPosition]) -> Markup:
    if not positions:
        return paragraph("No position is open.", "quiet")
    rows: list[Row] = [
        [
            held.pair,
            "new" if is_new(status, held) else Cell(f"{held.r:+.2f} R", tone(held.r, 2.0)),
            number(held.stop),
            f"{number(held.risk, 4)} {status.quote}",
            number(held.entry),
            number(held.close),
            f"{held.opened:%m-%d %H:%M}",
        ]
        for held in positions
    ]
    heads = ("pair", "now", "stop", "at risk", "entry", "close", "since (UTC)")
    note = [paragraph(NEW, "quiet")] if any(is_new(status, held) for held in positions) else []
    return Markup("").join([table(heads, rows), *note])


def _refused(refusals: Sequence[Event]) -> Markup | None:
    told = last_refused(refusals)
    return bullets(told[::-1][:20]) if told else None


def _why(status: Status, reader: Reader, since: datetime) -> list[Section]:
    order = sorted(status.decisions, key=_nearness)
    rows = [(each.pair, each.outcome.value, _answer(each)) for each in order]
    lead = "Every pair's last candle: the first rule that is not met, and how far it was."
    counts = reasons(reader.outcomes(since))
    sections = [Section("Pair by pair", lead, [facts(rows)])]
    if counts:
        total = sum(counts.values())
        listed: list[Row] = [
            [code, f"{count:,}", share(count / total)] for code, count in counts.most_common(12)
        ]
        commonest, often = counts.most_common(1)[0]
        lead = (
            f"Of {total:,} candles of pairs in a week without an entry, {share(often / total)} "
            f"had '{commonest}' as the first reason."
        )
        counted = table(("reason", "candles", "of all"), listed)
        sections.append(Section("Nothing is bought: why?", lead, [counted]))
    return sections


def reasons(outcomes: Sequence[tuple[str, str, int]]) -> Counter[str]:
    """How often each code kept a pair that was not held from being entered."""
    found: Counter[str] = Counter()
    for outcome, code, count in outcomes:
        if outcome in (Outcome.NO_SIGNAL, Outcome.REFUSED, Outcome.SIGNAL, Outcome.UNTRUSTED):
            found[code] += count
    return found


def _nearness(decision: Decision) -> tuple[int, int, str]:
    waits = decision.outcome is Outcome.NO_SIGNAL
    return int(waits), len(decision.unmet()) if waits else 0, decision.pair


def _answer(decision: Decision) -> str:
    if decision.outcome is Outcome.NO_SIGNAL and decision.unmet():
        return f"{decision.setup}: {unmet_line(decision)}"
    return headline(decision)


def _trades(account: Account | None, events: Sequence[Event]) -> list[Section]:
    held = account.positions if account is not None else ()
    rows = [
        {"id": each.trade_id, "pair": each.pair, "text": f"open, {each.r:+.2f} R"} for each in held
    ]
    left = [event for event in events if event.kind is EventKind.EXIT and event.trade_id]
    rows += [
        {"id": event.trade_id, "pair": event.pair, "text": f"{event.at:%m-%d %H:%M} {what(event)}"}
        for event in left[::-1][:50]
    ]
    block = render("trades.html", rows=rows) if rows else paragraph("No trade in a week.", "quiet")
    return [Section("Trades of a week", "Each opens its life on its candles.", [block])]
