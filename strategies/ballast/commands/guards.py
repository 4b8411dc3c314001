"""`python -m ballast guards`: what the guards of a bot remember, and re-arming one by hand."""

import argparse
import math
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from freqtrade.persistence.models import PairLock
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, inspect, select

from ballast.commands.options import add_config, add_database
from ballast.commands.tables import table
from ballast.config import settings
from ballast.config.guards import GuardSettings
from ballast.core.beginnings import BEGINNINGS, Beginnings
from ballast.core.guards.base import Guard
from ballast.core.guards.edge_decay import EdgeDecay
from ballast.core.measures import share
from ballast.core.snapshot import Snapshot
from ballast.core.verdict import ALL_PAIRS, ALLOW, Verdict
from ballast.journal.reader import Reader, Row
from ballast.risk.state_store import StateStore
from ballast.tooling.config_files import database_url, read_config
from ballast.tooling.database import open_store
from ballast.tooling.errors import CommandError
from ballast.tooling.journals import bot_journal

# Length of a candle does not matter to what is shown here.
_CANDLE_MINUTES = 60.0

EXAMPLES = """\
ballast guards
ballast guards rearm DrawdownLadder --because "withdrew 500 USDT by hand"
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    _add_places(parser)
    actions = parser.add_subparsers(dest="action", title="actions")
    rearm = actions.add_parser("rearm", help="end a guard's block or cut, because a person says so")
    rearm.add_argument("name", metavar="NAME", help="a guard, such as DrawdownLadder")
    rearm.add_argument("--because", metavar="REASON", help="kept with the guard as its note")
    _add_places(rearm)
    parser.set_defaults(run=run, config=None, db_url=None)


def _add_places(parser: argparse.ArgumentParser) -> None:
    """Before or after the action; what is not given must not undo what was."""
    add_config(parser, argparse.SUPPRESS)
    add_database(parser, argparse.SUPPRESS)


def run(options: argparse.Namespace) -> None:
    """
    Show the guards, or re-arm one.

    Raises
    ------
    CommandError
        With one sentence for what cannot be used.
    """
    config = read_config(options.config or ["config.json"])
    try:
        guards = settings.load(config.get(settings.SECTION)).guards
    except settings.SettingsError as error:
        raise CommandError(str(error)) from None
    store, engine = open_store(database_url(options.db_url, config))
    guards = _under_the_bots_strategy(guards, bot_journal(options.db_url, config), config)
    try:
        if options.action == "rearm":
            _rearm(store, guards, options.name, options.because)
        else:
            Console().print(_table(store, engine, guards, datetime.now(UTC)))
    finally:
        engine.dispose()


def _under_the_bots_strategy(
    guards: GuardSettings, journal: Path, config: Mapping[str, Any]
) -> GuardSettings:
    """The guards as they are under what the bot ran last: another's baseline says nothing of it."""
    rows: list[Row] = []
    with suppress(sqlite3.Error), closing(Reader(journal)) as reader:
        rows = reader.newest()
    if rows:
        # One that names nobody is of the pack's: whether this is one, the bot has judged.
        return guards.under(rows[0].strategy, foreign=EdgeDecay.__name__ not in rows[0].guards)
    named = config.get("strategy")
    return guards.under(str(named), foreign=False) if named else guards


def _rearm(store: StateStore, guards: GuardSettings, name: str, because: str | None) -> None:
    built = guards.build(_CANDLE_MINUTES)
    if name not in guards.names():
        raise CommandError(f"{name} is not a guard: expected one of {', '.join(built)}")
    if name not in built:
        state = "keeps nothing" if guards.is_on(name) else guards.state(name)
        names = ", ".join(built)
        raise CommandError(f"{name} cannot be re-armed ({state}): expected one of {names}")
    if not (because or "").strip():
        raise CommandError(f'--because is missing: say why {name} is re-armed, --because "..."')
    guard = built[name]
    if name in store.restore({name: guard}):
        raise CommandError(f"{name} has no readable memory in this database: nothing to re-arm")
    now = datetime.now(UTC)
    if all(verdict.multiplier == 1 for verdict in _remembered(guard, now).values()):
        raise CommandError(f"{name} remembers no block and no smaller size: nothing to re-arm")
    guard.rearm()
    note = f"re-armed {now:%Y-%m-%d %H:%M} UTC: {str(because).strip()}"
    store.write(name, guard.memory.model_dump_json(), note)
    holds = _standing(guard, lost=False, locks={}, now=now).state
    Console().print(
        f"{name} is re-armed ({holds}); a running bot adopts it at its next candle.", markup=False
    )


@dataclass(frozen=True)
class _Standing:
    """One row: in words, and the numbers behind them."""

    state: str
    by: str = ""


def _table(store: StateStore, engine: Engine, guards: GuardSettings, now: datetime) -> Table:
    rows, locks = store.rows(), _locks(engine, now)
    begun = store.read(BEGINNINGS, Beginnings) or Beginnings()
    built = guards.build(_CANDLE_MINUTES)
    lost = store.restore(built)
    shown = table("guard", "on", "state", "by")
    for name in guards.names():
        note = rows[name]["note"] if name in rows else ""
        if name not in built:
            is_on = guards.is_on(name)
            shown.add_row(name, guards.state(name), "in the sizer" if is_on else "", note)
            continue
        standing = _standing(built[name], name in lost, locks, now, partial(begun.dated, name))
        shown.add_row(name, "on", standing.state, "\n".join(filter(None, (standing.by, note))))
    return shown


def _standing(
    guard: Guard,
    lost: bool,
    locks: Mapping[str, list[Any]],
    now: datetime,
    dated: Callable[[str, Verdict], Verdict] = lambda pair, verdict: verdict,
) -> _Standing:
    """What a guard remembers; of one that remembers nothing, what it has locked."""
    if lost:
        return _Standing("nothing stored")
    remembered = {pair: dated(pair, each) for pair, each in _remembered(guard, now).items()}
    blocks = {pair: verdict for pair, verdict in remembered.items() if verdict.blocks}
    if blocks:
        longest = max(blocks.values(), key=lambda v: v.until.timestamp() if v.until else math.inf)
        return _Standing(f"blocks {_where(blocks)}", str(longest))
    common = remembered[ALL_PAIRS]
    if common.multiplier < 1:
        return _Standing(f"cuts sizes to {share(common.multiplier)}", str(common))
    if not type(guard.memory).model_fields and guard.code in locks:
        last = max(locks[guard.code], key=lambda lock: lock.until)
        pairs = {lock.pair for lock in locks[guard.code]}
        return _Standing(f"blocks {_where(pairs)}", last.reason)
    return _Standing("allows")


def _remembered(guard: Guard, now: datetime) -> dict[str, Verdict]:
    """Verdicts that follow from memory alone, by pair, '*' being all."""
    snapshot = Snapshot(now, math.nan)
    if not type(guard.memory).model_fields:
        return {ALL_PAIRS: ALLOW}
    return {**guard.pair_verdicts(snapshot), ALL_PAIRS: guard.market_verdict(snapshot)}


def _where(pairs: Any) -> str:
    return "all entries" if ALL_PAIRS in pairs else ", ".join(sorted(pairs))


@dataclass(frozen=True)
class _Lock:
    pair: str
    reason: str
    until: datetime


def _locks(engine: Engine, now: datetime) -> dict[str, list[_Lock]]:
    """Locks in force by the code their reason begins with."""
    if not inspect(engine).has_table(PairLock.__tablename__):
        return {}
    columns = (PairLock.pair, PairLock.reason, PairLock.lock_end_time)
    wanted = select(*columns).where(
        PairLock.active.is_(True), PairLock.lock_end_time > now.replace(tzinfo=None)
    )
    found: dict[str, list[_Lock]] = {}
    with engine.connect() as connection:
        for pair, reason, end in connection.execute(wanted):
            code = (reason or "").partition(" ")[0]
            found.setdefault(code, []).append(_Lock(pair, reason, end.replace(tzinfo=UTC)))
    return found
