"""The machine: room on the disk, and the bot's database."""

import os
import shutil
from pathlib import Path

from freqtrade.persistence import Order, Trade
from sqlalchemy import URL, Engine, create_engine, func, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from ballast.alerts import logs
from ballast.config import settings
from ballast.config.database_url import NoDatabaseUrl, is_missing, parsed
from ballast.ops.preflight.check import Bot, CheckResult, failed, passed, warned
from ballast.tooling.config_files import database_url

_FULL_MB, _TIGHT_MB = 200, 2000
_PAPER_ORDER = "dry_run"


def disk(bot: Bot) -> list[CheckResult]:
    """The folder the bot writes to can be written to, and has room."""
    folder = Path(bot.config["user_data_dir"])
    closed = [path for path in (folder, *_log_files(bot)) if not _is_writable(path)]
    if closed:
        todo = "give it to the bot's user (chown)"
        return [failed(f"{path} cannot be written to", todo) for path in closed]
    free_mb = shutil.disk_usage(folder).free // 2**20
    said = f"{free_mb} MB free at {folder}"
    todo = "make room: a full disk stops the database, and with it the bot"
    if free_mb < _FULL_MB:
        return [failed(said, todo)]
    return [warned(said, todo) if free_mb < _TIGHT_MB else passed(said)]


def _log_files(bot: Bot) -> list[Path]:
    """Files that the log is written to: ours, and those of Freqtrade's own settings."""
    handlers = (bot.config.get("log_config") or {}).get("handlers") or {}
    named = [handler["filename"] for handler in handlers.values() if "filename" in handler]
    section = settings.load(bot.config.get(settings.SECTION))
    return [logs.path_of(bot.config, section.log), *map(Path, named)]


def _is_writable(path: Path) -> bool:
    """Whether a file or folder can be written to, or made."""
    there = path.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    return os.access(there, os.W_OK) and (there == path.absolute() or there.is_dir())


def database(bot: Bot) -> list[CheckResult]:
    """The database answers, and its open positions are this bot's."""
    try:
        address = parsed("db_url", database_url(None, dict(bot.config)))
    except NoDatabaseUrl as error:
        return [failed(error.what, error.todo)]
    shown = address.render_as_string(hide_password=True)
    if is_missing(address):
        return [_yet_to_be_made(address, shown)]
    try:
        engine = create_engine(address, poolclass=NullPool)
        try:
            return _foreign(engine, bot, shown) or [passed(f"{shown} answers and is this bot's")]
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        reason = str(error).splitlines()[0]
        return [failed(f"{shown} cannot be read: {reason}", "see that it runs and its address")]


def _yet_to_be_made(address: URL, shown: str) -> CheckResult:
    if address.database in (None, "", ":memory:"):
        return failed(f"{shown} is in memory: positions are forgotten", "name a file in db_url")
    folder = Path(address.database or "").parent
    if not os.access(folder, os.W_OK):
        return failed(f"{folder} cannot be written to", "make the folder, or correct db_url")
    return passed(f"{shown} will be made at the first start")


def _foreign(engine: Engine, bot: Bot, shown: str) -> list[CheckResult]:
    """What says that the database is another bot's."""
    # An answer is asked for even where there is no table yet.
    if not inspect(engine).has_table(Trade.__tablename__):
        return []
    is_open, own = Trade.is_open.is_(True), type(bot.strategy).__name__
    by_strategy = select(Trade.strategy, func.count()).where(is_open).group_by(Trade.strategy)
    paper = select(func.count()).where(
        is_open, Order.ft_trade_id == Trade.id, Order.order_id.startswith(_PAPER_ORDER)
    )
    with engine.connect() as connection:
        counts = {name: count for name, count in connection.execute(by_strategy)}
        paper_orders = connection.execute(paper).scalar() or 0
    others = {name: count for name, count in counts.items() if name != own}
    findings = []
    if others:
        held = ", ".join(f"{count} of {name}" for name, count in others.items())
        findings.append(
            failed(
                f"{shown} holds open positions of another strategy: {held}",
                f"close them, or give {own} a database of its own (db_url)",
            )
        )
    if bot.live and paper_orders:
        findings.append(
            failed(f"{shown} holds open paper positions", "give the live bot its own (db_url)")
        )
    if not bot.live and sum(counts.values()) and not paper_orders:
        findings.append(
            failed(f"{shown} holds open LIVE positions", "give the paper bot its own (db_url)")
        )
    return findings
