"""Positions that are open, and what settings do to them that are others than before."""

import math
from collections.abc import Sequence

from freqtrade.persistence import Trade
from freqtrade.plugins.pairlist.pairlist_helpers import expand_pairlist
from sqlalchemy import Engine, create_engine, func, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from ballast.config import settings
from ballast.config.database_url import NoDatabaseUrl, is_missing, parsed
from ballast.core.guards.base import Guard
from ballast.core.heat import loss_at_stop
from ballast.core.ledger import Books, Cause, Ledger, LedgerMemory
from ballast.core.snapshot import Snapshot
from ballast.core.windows import minutes
from ballast.ops.preflight.check import Bot, CheckResult, chooses_pairs, failed, passed, warned
from ballast.risk.flows import stated_capital
from ballast.risk.state_store import LEDGER, StateStore
from ballast.tooling.config_files import database_url


def open_positions(bot: Bot) -> list[CheckResult]:
    """What is open keeps its stops under the settings that hold from now on."""
    try:
        address = parsed("db_url", database_url(None, dict(bot.config)))
        if is_missing(address):
            return []
        engine = create_engine(address, poolclass=NullPool)
        table, found = Trade.__tablename__, inspect(engine)
        if not found.has_table(table):
            return []
        there = {column["name"] for column in found.get_columns(table)}
    except (NoDatabaseUrl, SQLAlchemyError, ImportError):
        # `host.database` says why.
        return []
    if lacking := sorted({column.name for column in Trade.__table__.columns} - there):
        return [
            warned(
                f"the table {table} is of an older Freqtrade, without {', '.join(lacking)}: "
                "what is open cannot be looked at",
                "start once with the settings as they were, which brings the table up to date, "
                "and ask again before you change any",
            )
        ]
    return _judged(bot, engine)


def _judged(bot: Bot, engine: Engine) -> list[CheckResult]:
    is_open = Trade.is_open.is_(True)
    quotes = select(Trade.stake_currency).where(
        Trade.stake_currency != bot.config["stake_currency"]
    )
    with Session(engine) as session:
        if others := sorted(set(session.scalars(quotes))):
            return [_in_other_money(bot, others)]
        trades = [trade for trade in session.scalars(select(Trade).where(is_open)) if trade.amount]
        results = select(func.sum(Trade.close_profit_abs)).where(~is_open)
        closed = float(session.scalar(results) or 0.0)
        if not trades:
            return [passed("none is open")]
        findings = [*_entries(bot, trades), *_heat(bot, trades, closed, engine)]
    return findings or [passed(f"{len(trades)} open, held by these settings as they are")]


def _in_other_money(bot: Bot, others: Sequence[str]) -> CheckResult:
    return failed(
        f"the database has trades in {', '.join(others)}, and stake_currency is "
        f"{bot.config['stake_currency']}: what they earned would be added up as one currency",
        "sell what is open under the former stake_currency, and give the bot a database of its own "
        "(db_url)",
    )


def _entries(bot: Bot, trades: Sequence[Trade]) -> list[CheckResult]:
    """Where nothing more is bought, or by other candles than what is open."""
    findings = []
    most, own = bot.config["max_open_trades"], minutes(bot.strategy.timeframe)
    if len(trades) > most:
        findings.append(
            warned(
                f"open positions: {len(trades)}, max_open_trades: {most:g}",
                "nothing is bought until fewer are open",
            )
        )
    if others := {trade.timeframe or own for trade in trades} - {own}:
        before = ", ".join(f"{each}" for each in sorted(others))
        findings.append(
            warned(
                f"open positions were bought on candles of {before} minutes, now of {own:g}",
                "their stops stay, and move on with candles of the new length",
            )
        )
    for name, gone in _not_bought(bot, [trade.pair for trade in trades]).items():
        findings.append(
            warned(
                f"open positions of pairs that are {name}: {', '.join(gone)}",
                "their stops and exits stay; nothing more is bought of them",
            )
        )
    return findings


def _not_bought(bot: Bot, pairs: Sequence[str]) -> dict[str, list[str]]:
    """Pairs that the settings take out of what is traded, by what does it."""
    exchange, found = bot.config["exchange"], {}
    if not chooses_pairs(bot.config):
        listed = expand_pairlist(exchange.get("pair_whitelist") or [], list(pairs))
        found["off pair_whitelist"] = [pair for pair in pairs if pair not in listed]
    found["on pair_blacklist"] = expand_pairlist(exchange.get("pair_blacklist") or [], list(pairs))
    return {name: gone for name, gone in found.items() if gone}


def _price(bot: Bot, trade: Trade) -> float:
    """Last completed close, quote currency; what was paid where the exchange has no candles."""
    if trade.pair not in bot.api.load_markets():
        return trade.open_rate
    rows = bot.api.fetch_ohlcv(trade.pair, bot.strategy.timeframe, limit=3)
    # The newest candle is the running one.
    return float(rows[-2][4]) if len(rows) > 1 else trade.open_rate


def _heat(bot: Bot, trades: Sequence[Trade], closed: float, engine: Engine) -> list[CheckResult]:
    """
    Where stops are drawn closer at the first candle (see `OpenRisk.hold`), and where they are not
    and nothing is bought.

    Parameters
    ----------
    closed : float
        Results of closed trades, quote currency.
    """
    section = settings.load(bot.config.get(settings.SECTION))
    heat = 0.0
    opened: dict[int, float] = {}
    for trade in trades:
        price = _price(bot, trade)
        # As Freqtrade has it in paper trading.
        fee = bot.config.get("fee") if not bot.live else None
        costs = section.risk.stop_costs(fee or trade.fee_open or None)
        heat += loss_at_stop(trade.amount, price, trade.stop_loss or 0.0, costs)
        at_mark = trade.amount * price - trade.stake_amount
        opened[trade.id] = (trade.realized_profit or 0.0) + at_mark
    books = Books(closed, opened)
    guards = section.guards.build(minutes(bot.strategy.timeframe))
    ledger = _ledger(bot, engine, guards, books)
    if ledger is None:
        return []
    equity = ledger.capital + books.results
    for guard in guards.values():
        if guard.floor is not None:
            guard.observe(Snapshot(bot.now(), equity))
    # What may be lost at the stops, quote currency, by the setting that says so.
    may = {
        f"ballast.guards.{name}": equity - guard.floor
        for name, guard in guards.items()
        if guard.floor is not None
    }
    if section.guards.is_on("PortfolioHeat"):
        limit_pct = section.guards.PortfolioHeat.limit_pct
        may[f"ballast.guards.PortfolioHeat.limit_pct {limit_pct:g} %"] = limit_pct / 100 * equity
    setting = min(may, key=lambda name: may[name], default="")
    allowed = may.get(setting, math.inf)
    if heat <= allowed:
        return []
    quote = bot.config["stake_currency"]
    said = (
        f"what is open loses {heat:.5g} {quote} at its stops, and {setting} allows "
        f"{max(allowed, 0.0):.5g} of {equity:.5g} {quote}"
    )
    # Less capital alone draws no stop closer.
    if equity > 0 and heat <= allowed * (ledger.heat_base(equity, fits=False) / equity):
        return [warned(said, "its stops stay; nothing is bought until it fits the smaller account")]
    return [
        warned(
            said,
            "its stops are drawn closer at the first candle; where that is not wanted, leave the "
            "setting as it was until these positions are sold",
        )
    ]


def _ledger(bot: Bot, engine: Engine, guards: dict[str, Guard], books: Books) -> Ledger | None:
    """
    What the bot will begin with, once a capital that is stated anew has come (see `Flows.begin`);
    None where that cannot be told. The guards are given what they remember.
    """
    stated = stated_capital(bot.config)
    ledger = Ledger(stated)
    if StateStore.exists(engine):
        store = StateStore(engine)
        store.restore(guards)
        if known := store.read(LEDGER, LedgerMemory):
            # Trades that have vanished meanwhile are left out of it.
            ledger.memory = known.model_copy(update={"closed": None})
    if ledger.memory.capital is None:
        return None
    if stated is not None:
        ledger.arrive(stated - ledger.capital, Cause.CAPITAL)
    for flow in ledger.take(books, {}):
        for guard in guards.values():
            guard.flowed(flow.factor)
    return ledger
