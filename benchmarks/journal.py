"""What the journal adds to a loop of a bot that trades many pairs, when they all have a new candle.

Each round, every pair is analysed and the guards are asked, as in paper trading; then the recorder
writes a row for each pair, to a file on this machine's disk.
"""

import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from benchmarks.analysis import Bench, database, rounds_of, stored
from benchmarks.loop import Say
from benchmarks.market import Candles

TARGET_PCT = 1.0
HOURS = 1_200
PAIRS = 50


def run(candles: Candles, strategy: str, rounds: int, say: Say) -> dict[str, Any]:
    """
    Write `rounds` candles of every pair to a journal.

    Returns
    -------
    dict
        strategy, pairs; medians in milliseconds (CPU time) of a round: loop (analysis and guards)
        and journal; share of the journal in both together, percent; row: bytes it takes.
    """
    frames, loops, written = stored(candles, "1h"), [], []
    with database(), tempfile.TemporaryDirectory() as folder:
        say(f"journal of {strategy}, {rounds} candles of {len(candles.pairs)} pairs")
        bench = Bench(strategy, "1h", candles.pairs, Path(folder))
        for now in rounds_of(frames, "1h", rounds + 1):
            seconds = sum(bench.analyse(now))
            newest = max(frame["date"].iloc[-1] for frame in now.values())
            loop_s, journal_s = _candle(bench, newest.to_pydatetime() + timedelta(hours=1))
            loops.append(seconds + loop_s)
            written.append(journal_s)
        size = _size(Path(folder))
        bench.exchange.close()
    # The first round makes the file.
    loop, journal = statistics.median(loops[1:]), statistics.median(written[1:])
    return {
        "strategy": strategy,
        "pairs": len(candles.pairs),
        "loop": 1000 * loop,
        "journal": 1000 * journal,
        "share": 100 * journal / (loop + journal),
        "row": size / (len(candles.pairs) * (rounds + 1)),
    }


def _size(folder: Path) -> int:
    (file,) = folder.glob("ballast_journal*.sqlite")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.stat().st_size


def _candle(bench: Bench, end: datetime) -> tuple[float, float]:
    """CPU seconds that guards and journal take for a candle."""
    run = bench.strategy.session
    began = time.process_time()
    with patch("ballast.journal.recorder.time", SimpleNamespace(perf_counter=time.process_time)):
        run.engine.on_candle(end.astimezone(UTC))
    took = time.process_time() - began
    event = run.recorder.catch_up(end, 0.0)
    journal_s = float(event.facts["journal_s"])
    return took - journal_s, journal_s
