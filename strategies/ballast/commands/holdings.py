"""`python -m ballast holdings`: which coins are not the bot's, and saying so of others by hand.

The owner's, and what closed trades have left: fees, lots, and what was too little to be sold.
"""

import argparse
import math

from freqtrade.persistence import Trade
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy import Engine, inspect, select
from sqlalchemy.orm import Session

from ballast.commands.options import add_config, add_database
from ballast.commands.tables import table
from ballast.execution.holdings import ROW, Holdings
from ballast.execution.recorded_positions import left_by_closed
from ballast.risk.state_store import StateStore
from ballast.tooling.config_files import database_url, read_config
from ballast.tooling.database import open_store
from ballast.tooling.errors import CommandError

EXAMPLES = """\
ballast holdings
ballast holdings --own BTC 0.25 --because "my own, from before"
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_config(parser)
    add_database(parser)
    parser.add_argument(
        "--own",
        nargs=2,
        metavar=("CURRENCY", "UNITS"),
        help="so many units of a currency are yours: they are never touched, and stop no entries",
    )
    parser.add_argument("--because", metavar="REASON", help="kept with the holdings as a note")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Show what the owner holds, or change it.

    Raises
    ------
    CommandError
        With one sentence for what cannot be used.
    """
    config = read_config(options.config or ["config.json"])
    store, engine = open_store(database_url(options.db_url, config))
    try:
        holdings, note = _read(store)
        if options.own:
            currency, units = options.own
            note = _change(holdings, currency, units, options.because)
            store.write(ROW, holdings.model_dump_json(), note)
        left = _left(engine)
        shown = table("currency", "units that are yours", "left by closed trades")
        for name in sorted({*holdings.units, *left}):
            shown.add_row(
                name, f"{holdings.units.get(name, 0.0):.8g}", f"{left.get(name, 0.0):.8g}"
            )
        console = Console()
        console.print(shown)
        if note:
            console.print(note, markup=False)
    finally:
        engine.dispose()


def _left(engine: Engine) -> dict[str, float]:
    """Units by currency; nothing where no trade has been."""
    if not inspect(engine).has_table(Trade.__tablename__):
        return {}
    with Session(engine) as session:
        pairs = session.execute(select(Trade.pair, Trade.base_currency).distinct()).all()
        left = left_by_closed(session, [pair for pair, _ in pairs])
        found = {base or pair.split("/")[0]: left[pair] for pair, base in pairs}
    return {currency: units for currency, units in found.items() if units > 0}


def _read(store: StateStore) -> tuple[Holdings, str]:
    row = store.rows().get(ROW)
    if row is None:
        raise CommandError(
            "no holdings in this database: expected that of a bot that has traded on an exchange"
        )
    try:
        return Holdings.model_validate_json(row["memory"]), str(row["note"])
    except ValidationError:
        raise CommandError("the holdings in this database are unreadable") from None


def _change(holdings: Holdings, currency: str, given: str, because: str | None) -> str:
    """Change one currency; the note that says why."""
    if currency not in holdings.units:
        known = ", ".join(sorted(holdings.units))
        raise CommandError(f"--own {currency} is not traded here: expected one of {known}")
    try:
        units = float(given)
    except ValueError:
        units = math.nan
    if not 0 <= units < math.inf:
        raise CommandError(f"--own {currency} {given}: expected units from 0")
    if not (because or "").strip():
        raise CommandError('--because is missing: say why they are yours, --because "..."')
    before, holdings.units[currency] = holdings.units[currency], units
    return f"{currency} {before:.8g} became {units:.8g}: {str(because).strip()}"
