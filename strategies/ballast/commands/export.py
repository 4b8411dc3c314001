"""`python -m ballast export`: the journal as a table for a spreadsheet."""

import argparse
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pandas as pd

from ballast.commands.journals import opened, parse_since, since_in
from ballast.commands.options import add_journal, add_since, config_of
from ballast.journal import read
from ballast.journal.reader import Reader
from ballast.tooling.errors import CommandError
from ballast.tooling.files import write

EXAMPLES = """\
ballast export decisions --csv decisions.csv
ballast export accounts --since 2024-03-01 --csv accounts.csv
ballast export events                 to the terminal, or a program
"""
_TABLES: dict[str, Callable[[Reader, datetime], pd.DataFrame]] = {
    "decisions": lambda reader, since: read.of_decisions(
        row.decision for row in reader.rows_since(since)
    ),
    "accounts": lambda reader, since: read.of_accounts(reversed(reader.accounts(since))),
    "events": lambda reader, since: read.of_events(reader.events(since)),
}


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("table", choices=_TABLES, help="which (columns: `ballast.journal.read`)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write it there")
    add_since(parser, "all of it")
    add_journal(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Write the table.

    Raises
    ------
    CommandError
        With one sentence for what cannot be used.
    """
    asked = parse_since(options.since) if options.since else read.ALL
    with opened(options, config_of(options)) as reader:
        since, _ = since_in(reader, asked)
        frame = _TABLES[options.table](reader, since)
    if not len(frame):
        raise CommandError(f"the journal has no {options.table} since {since:%Y-%m-%d %H:%M} UTC")
    text = frame.to_csv(index=False)
    if options.csv is None:
        sys.stdout.write(text)
        return
    write(options.csv, text)
    sys.stdout.write(f"{len(frame):,} rows: {options.csv}\n")
