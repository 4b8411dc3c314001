"""Writes candle after candle to a journal until it is killed; says the number of each written."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "strategies"))

from ballast.config.settings import JournalSettings
from ballast.core.decision import Decision, Outcome
from ballast.journal.store import Journal, Version

VERSION = Version("abcd1234", "Trend", "1h", "0.1.0", [], {}, {})


def main(path: Path) -> None:
    journal = Journal(path, JournalSettings())
    last = journal.last_candle(VERSION)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    number = int((last - start) / timedelta(hours=1)) + 1 if last is not None else 0
    while True:
        candle = start + timedelta(hours=number)
        rows = [Decision(f"P{n}/USDT", candle, Outcome.NO_SIGNAL, "up") for n in range(50)]
        journal.write(VERSION, rows, [])
        number += 1
        print(number, flush=True)


main(Path(sys.argv[1]))
