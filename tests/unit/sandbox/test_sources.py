"""A generated history is a function of its arguments; a shifted one is the same history later."""

import hashlib
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sandbox.candles import TIMEFRAMES_MS
from sandbox.errors import SandboxError
from sandbox.profiles import PROFILES
from sandbox.regimes import find_labels
from sandbox.sources import GeneratedSource, ShiftedSource, frame, span_ms


def as_bytes(source: GeneratedSource, pair: str) -> bytes:
    candles = source.candles(pair)
    columns = (candles.open_ms, candles.open, candles.high, candles.low, candles.close)
    return b"".join(column.tobytes() for column in (*columns, candles.volume))


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = GeneratedSource(5, days=60), GeneratedSource(5, days=60)
    for pair in PROFILES:
        assert as_bytes(first, pair) == as_bytes(second, pair)
    assert first.labels() == second.labels()


def test_another_process_gives_the_same_bytes() -> None:
    program = (
        "import hashlib; from tests.unit.sandbox.test_sources import as_bytes;"
        "from sandbox.sources import GeneratedSource;"
        "print(hashlib.sha256(as_bytes(GeneratedSource(5, days=60), 'SOL/USDT')).hexdigest())"
    )
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[3],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    here = hashlib.sha256(as_bytes(GeneratedSource(5, days=60), "SOL/USDT")).hexdigest()
    assert result.stdout.strip() == here


def test_another_seed_gives_another_market() -> None:
    first, second = GeneratedSource(5, days=60), GeneratedSource(6, days=60)
    assert as_bytes(first, "BTC/USDT") != as_bytes(second, "BTC/USDT")


def test_a_pair_does_not_depend_on_which_others_are_offered_or_asked_first() -> None:
    everything, alone = GeneratedSource(5, days=60), GeneratedSource(5, days=60, pairs=["SOL/USDT"])
    everything.candles("ADA/USDT")
    assert as_bytes(everything, "SOL/USDT") == as_bytes(alone, "SOL/USDT")


def test_minute_candles_show_the_same_market_facts() -> None:
    source = GeneratedSource(5, days=45, pairs=["BTC/USDT", "WAN/USDT"], timeframe="1m")
    candles = frame(source, "BTC/USDT", "1m")
    assert candles["date"].diff().median() == pd.Timedelta(minutes=1)
    hours = frame(source, "BTC/USDT", "1h")
    yearly = np.log(hours["close"]).diff().std() * np.sqrt(365 * 24)
    assert 0.4 < yearly < 2.0


def test_a_shifted_source_moves_candles_markets_and_labels_alike() -> None:
    source, shift = GeneratedSource(5, days=60), 90 * 300_000
    moved = ShiftedSource(source, shift)
    start, end = span_ms(source)
    assert span_ms(moved) == (start + shift, end + shift)
    for label, later in zip(source.labels(), moved.labels(), strict=True):
        assert later.start_ms == label.start_ms + shift
    (delisting,) = find_labels(moved.labels(), "delisting")
    (market,) = [market for market in moved.markets() if market.delisted_ms]
    assert market.delisted_ms == delisting.end_ms
    candles = moved.candles(market.pair)
    assert candles.open_ms[-1] + TIMEFRAMES_MS["5m"] == market.delisted_ms


def test_an_unknown_pair_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        GeneratedSource(5, days=60, pairs=["BTC/USDT"]).candles("ETH/USDT")


def test_labels_can_be_asked_for_by_name_and_pair() -> None:
    labels = GeneratedSource(5).labels()
    assert len(find_labels(labels, "bull")) == 2
    assert find_labels(labels, "listing", "BTC/USDT") == []
    assert find_labels(labels, "listing", "SUI/USDT")[0].pairs == ("SUI/USDT",)
    assert find_labels(labels, "bull")[0].start.tzinfo is UTC


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"seed": -1}, "Seed -1 is outside 0 to 4294967295"),
        ({"seed": 1, "days": 29}, "29 days is outside 30 to 1500"),
        ({"seed": 1, "timeframe": "1h"}, "5m, not '1h'"),
        ({"seed": 1, "pairs": []}, "At least one pair"),
        ({"seed": 1, "pairs": ["FOO/USDT"]}, "'FOO/USDT' has no market model"),
        ({"seed": 1, "start": datetime(2024, 1, 1, 5, tzinfo=UTC)}, "starts with a day"),
        ({"seed": 1, "start": datetime(1969, 1, 1, tzinfo=UTC)}, "from 2000-01-01"),
    ],
)
def test_arguments_out_of_range_are_refused_by_name(arguments: dict, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        GeneratedSource(**arguments)
