"""`python -m ballast latency`: how long a bot's entries took, and its positions had no stop."""

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from freqtrade.persistence import Trade
from freqtrade.persistence.custom_data import _CustomData
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from ballast.core.latency import PERCENTILES, STAGES, percentiles, summarise
from ballast.execution.latency import CANDLE_CLOSE, LATENCY
from ballast.execution.stop_watch import bare_s
from ballast.tooling.database import database_url, open_store, read_config
from ballast.tooling.errors import CommandError

_NAMES = [f"p{percent}" for percent in PERCENTILES]


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "-c", "--config", action="append", help="Freqtrade's configuration (config.json)"
    )
    parser.add_argument("--db", help="URL of the bot's database (that of the configuration)")
    parser.add_argument(
        "--days", type=float, help="only trades opened in the last so many days (all)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Print two tables: stages of entries, and seconds without a stop.

    Raises
    ------
    CommandError
        With one sentence for what cannot be used.
    """
    if options.days is not None and not options.days > 0:
        raise CommandError(f"--days is {options.days:g}: expected a number above 0")
    _, engine = open_store(database_url(options.db, read_config(options.config or ["config.json"])))
    now = datetime.now(UTC)
    try:
        with Session(engine) as session:
            wanted = select(Trade)
            if options.days is not None:
                since = (now - timedelta(days=options.days)).replace(tzinfo=None)
                wanted = wanted.where(Trade.open_date >= since)
            trades = list(session.scalars(wanted))
            records = _records(session)
            bare = [bare_s(t, _first_fill(records.get(t.id)), now) for t in trades if _had(t)]
    finally:
        engine.dispose()
    console = Console()
    console.print(_stages([records[trade.id] for trade in trades if trade.id in records]))
    console.print(_bare(bare))


def _records(session: Session) -> dict[int, dict[str, Any]]:
    """Latencies by trade."""
    kept = session.scalars(select(_CustomData).where(_CustomData.cd_key == LATENCY))
    return {row.ft_trade_id: json.loads(row.cd_value) for row in kept}


def _stages(records: Sequence[dict[str, Any]]) -> Table:
    seconds = [{name: record[name] for name in STAGES if name in record} for record in records]
    table = Table(
        "stage",
        "trades",
        *(f"{name} since close, s" for name in _NAMES),
        "worst, s",
        *(f"{name} of stage, s" for name in _NAMES),
        title="From the signal candle's close",
    )
    for stage, found in summarise(seconds).items():
        table.add_row(
            STAGES[stage],
            str(found.count),
            *map(_shown, found.since_close),
            _shown(found.worst),
            *map(_shown, found.of_stage),
        )
    return table


def _bare(seconds: Sequence[float]) -> Table:
    table = Table("positions", *(f"{name}, s" for name in _NAMES), "worst, s")
    table.title = "Without a stop or an exit on the exchange"
    worst = max(seconds, default=float("nan"))
    table.add_row(str(len(seconds)), *map(_shown, percentiles(seconds)), _shown(worst))
    return table


def _shown(seconds: float) -> str:
    return f"{seconds:.2f}"


def _had(trade: Trade) -> bool:
    """Whether there ever was a position."""
    return any(o.ft_order_side == trade.entry_side and o.safe_filled for o in trade.orders)


def _first_fill(record: dict[str, Any] | None) -> datetime | None:
    if record is None or "first_fill" not in record:
        return None
    closed = datetime.fromisoformat(record[CANDLE_CLOSE])
    return closed + timedelta(seconds=record["first_fill"])
