"""Positions that are open, and what settings do to them that are others than before."""

from collections.abc import Sequence

from freqtrade.persistence import Trade
from sqlalchemy import Engine, create_engine, func, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from ballast.config import settings
from ballast.config.database_url import NoDatabaseUrl, is_missing, parsed
from ballast.core.heat import loss_at_stop
from ballast.core.ledger import LedgerMemory
from ballast.core.windows import minutes
from ballast.ops.preflight.check import Bot, CheckResult, is_pattern, passed, warned
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
        return _judged(bot, engine) if inspect(engine).has_table(Trade.__tablename__) else []
    except (NoDatabaseUrl, SQLAlchemyError, ImportError):
        # `host.database` says why.
        return []


def _judged(bot: Bot, engine: Engine) -> list[CheckResult]:
    is_open = Trade.is_open.is_(True)
    with Session(engine) as session:
        trades = [trade for trade in session.scalars(select(Trade).where(is_open)) if trade.amount]
        results = select(func.sum(Trade.close_profit_abs)).where(~is_open)
        closed = float(session.scalar(results) or 0.0)
        if not trades:
            return [passed("none is open")]
        findings = [*_entries(bot, trades), *_heat(bot, trades, closed, engine)]
    return findings or [passed(f"{len(trades)} open, held by these settings as they are")]


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
    listed = bot.config["exchange"].get("pair_whitelist") or []
    gone = [trade.pair for trade in trades if trade.pair not in listed]
    if gone and not any(map(is_pattern, listed)):
        findings.append(
            warned(
                f"open positions of pairs that are off pair_whitelist: {', '.join(gone)}",
                "their stops and exits stay; nothing more is bought of them",
            )
        )
    return findings


def _price(bot: Bot, trade: Trade) -> float:
    """Last completed close, quote currency; what was paid where the exchange has no candles."""
    if trade.pair not in bot.api.load_markets():
        return trade.open_rate
    rows = bot.api.fetch_ohlcv(trade.pair, bot.strategy.timeframe, limit=3)
    # The newest candle is the running one.
    return float(rows[-2][4]) if len(rows) > 1 else trade.open_rate


def _heat(bot: Bot, trades: Sequence[Trade], closed: float, engine: Engine) -> list[CheckResult]:
    """
    Where stops are drawn closer at the first candle (see `OpenRisk.hold`).

    Parameters
    ----------
    closed : float
        Results of closed trades, quote currency.
    """
    section = settings.load(bot.config.get(settings.SECTION))
    if not section.guards.is_on("PortfolioHeat"):
        return []
    known = StateStore(engine).read(LEDGER, LedgerMemory) if StateStore.exists(engine) else None
    capital = stated_capital(bot.config) if known is None else known.capital
    if capital is None:
        return []
    # Less capital alone draws no stop closer (see `Ledger.heat_base`).
    heat, worth = 0.0, capital + closed + (known.withdrawn if known else 0.0)
    for trade in trades:
        price = _price(bot, trade)
        costs = section.risk.stop_costs(trade.fee_open or None)
        heat += loss_at_stop(trade.amount, price, trade.stop_loss or 0.0, costs)
        worth += (trade.realized_profit or 0.0) + trade.amount * price - trade.stake_amount
    limit_pct = section.guards.PortfolioHeat.limit_pct
    if heat <= limit_pct / 100 * worth:
        return []
    quote = bot.config["stake_currency"]
    return [
        warned(
            f"what is open loses {heat:.8g} {quote} at its stops, {100 * heat / worth:.3g} % of "
            f"the account: ballast.guards.PortfolioHeat.limit_pct allows {limit_pct:g} %",
            "its stops are drawn closer at the first candle; raise the limit until it is sold "
            "where they should not be",
        )
    ]
