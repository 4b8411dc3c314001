"""What a run did: its decisions from the journal, its trades from the database or a result."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from freqtrade.persistence import Order, Trade
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from ballast.core.decision import Decision, Outcome
from ballast.core.times import from_epoch
from ballast.execution.costs import ASKED
from ballast.journal.file import read_only
from ballast.journal.rows import read_decision
from ballast.journal.tables import DECISIONS, VERSIONS
from ballast.research.backtests import TaskError

Key = tuple[str, datetime]


@dataclass(frozen=True)
class Fill:
    """
    An order that has filled.

    Parameters
    ----------
    at : datetime
        When it was placed (UTC); of a stop that rested, when it filled.
    asked, price : float
        What was wanted when it was placed, and what it became (quote currency).
    """

    at: datetime
    asked: float
    price: float


@dataclass(frozen=True)
class Part:
    """A part of a position that was sold before the rest: by what, how much (base currency)."""

    reason: str
    amount: float
    fill: Fill


@dataclass(frozen=True)
class Traded:
    """
    A trade of a run.

    Parameters
    ----------
    amount : float
        Bought, base currency.
    leave : Fill or None
        The last sale; None while it is open.
    fee : float
        Ratio of a fill, mean of both sides.
    profit : float
        Quote currency, net; 0 while it is open.
    """

    pair: str
    amount: float
    enter: Fill
    leave: Fill | None
    reason: str
    fee: float
    profit: float
    parts: tuple[Part, ...] = ()

    @property
    def last_amount(self) -> float:
        """What the parts have left, base currency."""
        return self.amount - sum(part.amount for part in self.parts)

    @property
    def value(self) -> float:
        """Quote currency at entry."""
        return self.amount * self.enter.price


@dataclass(frozen=True)
class Record:
    """
    A run.

    Parameters
    ----------
    decisions : mapping of (pair, opening time of the candle) to Decision
    settings : tuple of mapping
        Every version of the `ballast` section that decided, in order.
    """

    strategy: str
    timeframe: str
    decisions: Mapping[Key, Decision]
    settings: tuple[Mapping[str, Any], ...]
    trades: tuple[Traded, ...]

    @property
    def pairs(self) -> tuple[str, ...]:
        """Pairs that were decided about, in the order of the first candle."""
        return tuple(dict.fromkeys(pair for pair, _ in self.decisions))

    @property
    def last(self) -> datetime:
        """Opening time (UTC) of the newest candle decided about, of which there must be one."""
        return max(candle for _, candle in self.decisions)


def read_journal(path: Path, strategy: str | None = None) -> Record:
    """
    Decisions and settings of a journal; of its only strategy, or of the one that is named.

    Raises
    ------
    TaskError
        If there is no such journal, or it holds no decision of that strategy.
    """
    if not path.is_file():
        raise TaskError(f"there is no journal {path}: expected that of a bot that has run")
    engine = read_only(path)
    try:
        with engine.connect() as connection:
            names = list(connection.execute(select(DECISIONS.c.strategy).distinct()).scalars())
            name = _chosen(path, names, strategy)
            rows = select(DECISIONS).where(DECISIONS.c.strategy == name)
            rows = rows.order_by(DECISIONS.c.candle, DECISIONS.c.id)
            wanted = [dict(row) for row in connection.execute(rows).mappings()]
            versions = {v["id"]: v for v in connection.execute(select(VERSIONS)).mappings()}
    except SQLAlchemyError as error:
        reason = str(error).splitlines()[0]
        raise TaskError(f"--journal {path} cannot be read: {reason}") from None
    finally:
        engine.dispose()
    setups = {number: json.loads(version["setups"]) for number, version in versions.items()}
    decisions = [read_decision(row, setups[row["version"]]) for row in wanted]
    numbers = dict.fromkeys(row["version"] for row in wanted)
    return Record(
        name,
        wanted[0]["timeframe"],
        {(each.pair, each.candle): each for each in decisions},
        tuple(json.loads(versions[number]["text"]) for number in numbers),
        (),
    )


def read_trades(engine: Engine, shown: str, journal: Record) -> tuple[Traded, ...]:
    """
    Trades of a bot's database whose entry has filled, by opening.

    Raises
    ------
    TaskError
        If it cannot be read, all its trades are another strategy's, or it has none of those that
        the journal tells of.
    """
    strategy = journal.strategy
    trades, orders = Trade.__table__, Order.__table__
    try:
        with engine.connect() as connection:
            rows = connection.execute(select(trades).order_by(trades.c.open_date)).mappings()
            found = [dict(row) for row in rows]
            known: dict[int, list[Any]] = {}
            for row in connection.execute(select(orders).order_by(orders.c.id)).mappings():
                known.setdefault(row["ft_trade_id"], []).append(dict(row))
    except SQLAlchemyError as error:
        reason = str(error).splitlines()[0]
        raise TaskError(f"--db-url {shown} cannot be read: {reason}") from None
    own = [row for row in found if row["strategy"] == strategy]
    if found and not own:
        others = ", ".join(sorted({str(row["strategy"]) for row in found}))
        raise TaskError(f"--db-url {shown} is another strategy's: {others}, not {strategy}")
    told = sum(each.outcome is Outcome.ENTERED for each in journal.decisions.values())
    if told and not own:
        raise TaskError(
            f"--db-url {shown} has no trade of {strategy}, and the journal tells of {told}: "
            "expected the database of the same bot"
        )
    made = (_of_database(row, known.get(row["id"], [])) for row in own)
    return tuple(trade for trade in made if trade is not None)


def trades_of(statistics: Mapping[str, Any]) -> tuple[Traded, ...]:
    """Trades of a backtest, without those that its end has closed."""
    return tuple(_of_result(row) for row in statistics["trades"])


def _chosen(path: Path, names: list[str], wanted: str | None) -> str:
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is not None and wanted in names:
        return wanted
    if not names:
        raise TaskError(f"--journal {path} holds no decisions")
    told = f"{wanted} is not among them" if wanted else "name one with --strategy"
    raise TaskError(f"--journal {path} has decisions of {', '.join(names)}: {told}")


def _of_database(row: Mapping[str, Any], orders: list[Any]) -> Traded | None:
    side = "sell" if row["is_short"] else "buy"
    entries = [order for order in orders if order["ft_order_side"] == side and order["filled"]]
    exits = [order for order in orders if order["ft_order_side"] != side and order["filled"]]
    if not entries:
        return None
    leave = _fill(exits[-1], row["close_rate"]) if exits and not row["is_open"] else None
    parts = tuple(_part(order) for order in (exits if leave is None else exits[:-1]))
    # Freqtrade's own is what the parts have left.
    left = float(row["amount"] or entries[0]["filled"])
    return Traded(
        row["pair"],
        left + sum(part.amount for part in parts),
        _fill(entries[0], row["open_rate"]),
        leave,
        str(row["exit_reason"] or ""),
        (float(row["fee_open"] or 0) + float(row["fee_close"] or 0)) / 2,
        float(row["close_profit_abs"] or 0.0) if leave else 0.0,
        parts,
    )


def _part(order: Mapping[str, Any]) -> Part:
    price = float(order["average"] or order["price"])
    return Part(_reason(order), float(order["filled"]), _fill(order, price))


def _reason(order: Mapping[str, Any]) -> str:
    """What an order was sent for, without what a backtest notes beside it."""
    return str(order["ft_order_tag"] or "").partition(f" {ASKED}=")[0]


def _fill(order: Mapping[str, Any], rate: float) -> Fill:
    asked = order["ft_price"] or order["price"] or order["stop_price"] or rate
    rested = order["ft_order_side"] == "stoploss"
    at = (order["order_filled_date"] if rested else None) or order["order_date"]
    return Fill(at.replace(tzinfo=UTC), float(asked), float(rate))


def _of_result(row: Mapping[str, Any]) -> Traded:
    filled = [order for order in row["orders"] if order.get("order_filled_timestamp")]
    enter = next((order for order in filled if order["ft_is_entry"]), None)
    exits = [order for order in filled if not order["ft_is_entry"]]
    leave = exits[-1] if exits else None
    ended = row["exit_reason"] != "force_exit"
    # What the run's end has sold is no part.
    parts = tuple(_result_part(order) for order in exits[:-1])
    return Traded(
        row["pair"],
        float(row["amount"]) + sum(part.amount for part in parts),
        _result_fill(row["open_timestamp"], enter, row["open_rate"]),
        _result_fill(row["close_timestamp"], leave, row["close_rate"]) if ended else None,
        str(row["exit_reason"] or "") if ended else "",
        (float(row["fee_open"]) + float(row["fee_close"])) / 2,
        float(row["profit_abs"]) if ended else 0.0,
        parts,
    )


def _result_part(order: Mapping[str, Any]) -> Part:
    stamp, price = order["order_filled_timestamp"], float(order["safe_price"])
    return Part(_reason(order), float(order["amount"]), _result_fill(stamp, order, price))


def _result_fill(stamp: int, order: Mapping[str, Any] | None, rate: float) -> Fill:
    _, mark, rest = str((order or {}).get("ft_order_tag") or "").rpartition(f"{ASKED}=")
    price = float((order or {}).get("safe_price") or rate)
    return Fill(from_epoch(stamp / 1000), float(rest) if mark else price, price)
