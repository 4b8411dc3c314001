"""`python -m ballast latency`: how long a bot's entries took, and its positions had no stop."""

import argparse
import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from freqtrade.persistence import Trade
from freqtrade.persistence.custom_data import _CustomData
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from ballast.commands.options import add_config, add_database
from ballast.commands.tables import table
from ballast.core.latency import PERCENTILES, STAGES, of_text, percentiles, summarise
from ballast.execution.latency import LATENCY
from ballast.execution.stop_watch import bare_s
from ballast.tooling.config_files import database_url, read_config
from ballast.tooling.database import open_store
from ballast.tooling.errors import CommandError

_NAMES = [f"p{percent}" for percent in PERCENTILES]

EXAMPLES = """\
ballast latency --days 7
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_config(parser)
    add_database(parser)
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
    _, engine = open_store(
        database_url(options.db_url, read_config(options.config or ["config.json"]))
    )
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
    known = [records[trade.id][1] for trade in trades if trade.id in records]
    for shown in (*_stages(known), _bare(bare)):
        console.print(shown)


# Close of the signal candle, and seconds since then by stage.
_Record = tuple[datetime, dict[str, float]]


def _records(session: Session) -> dict[int, _Record]:
    """Latencies by trade."""
    kept = session.scalars(select(_CustomData).where(_CustomData.cd_key == LATENCY))
    return {row.ft_trade_id: of_text(_value(row)) for row in kept}


def _value(row: _CustomData) -> Any:
    return row.cd_value if row.cd_type == "str" else json.loads(row.cd_value)


def _stages(seconds: Sequence[dict[str, float]]) -> list[Table]:
    """Seconds since the signal candle's close, and those of each stage alone."""
    since_close = (*_NAMES, "worst")
    since = table(
        "stage",
        "trades",
        *since_close,
        numbers=("trades", *since_close),
        title="From the signal candle's close, seconds",
    )
    alone = table("stage", *_NAMES, numbers=_NAMES, title="Of each stage alone, seconds")
    for stage, found in summarise(seconds).items():
        name, worst = STAGES[stage], _shown(found.worst)
        since.add_row(name, str(found.count), *map(_shown, found.since_close), worst)
        alone.add_row(name, *map(_shown, found.of_stage))
    return [since, alone]


def _bare(seconds: Sequence[float]) -> Table:
    numbers = ("positions", *_NAMES, "worst")
    title = "Without a stop or an exit on the exchange, seconds"
    bare = table(*numbers, numbers=numbers, title=title)
    worst = max(seconds, default=float("nan"))
    bare.add_row(str(len(seconds)), *map(_shown, percentiles(seconds)), _shown(worst))
    return bare


def _shown(seconds: float) -> str:
    return "-" if math.isnan(seconds) else f"{seconds:.2f}"


def _had(trade: Trade) -> bool:
    """Whether there ever was a position."""
    return any(o.ft_order_side == trade.entry_side and o.safe_filled for o in trade.orders)


def _first_fill(record: _Record | None) -> datetime | None:
    if record is None or "first_fill" not in record[1]:
        return None
    closed, seconds = record
    return closed + timedelta(seconds=seconds["first_fill"])
