"""`python -m ballast holdings`: which coins are the owner's, and saying so of others by hand."""

import argparse
import math

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from ballast.execution.reconciliation import ROW, Holdings
from ballast.risk.state_store import StateStore
from ballast.tooling.database import database_url, open_store, read_config
from ballast.tooling.errors import CommandError


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "-c", "--config", action="append", help="Freqtrade's configuration (config.json)"
    )
    parser.add_argument("--db", help="URL of the bot's database (that of the configuration)")
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
    store, engine = open_store(database_url(options.db, config))
    try:
        holdings, note = _read(store)
        if options.own:
            currency, units = options.own
            note = _change(holdings, currency, units, options.because)
            store.write(ROW, holdings.model_dump_json(), note)
        table = Table("currency", "units that are yours")
        for name, held in sorted(holdings.units.items()):
            table.add_row(name, f"{held:.8g}")
        console = Console()
        console.print(table)
        if note:
            console.print(note, markup=False)
    finally:
        engine.dispose()


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
