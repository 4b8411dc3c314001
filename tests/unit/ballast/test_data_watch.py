"""Market data that cannot be acted on is said, pair by pair."""

from datetime import timedelta

import numpy as np
import pandas as pd

from ballast.core.tape import Tape
from ballast.core.trust import Trust
from ballast.data_watch import DataWatch
from ballast.events import Event, Kind
from tests.engine import START


def tape(last_trust: Trust, candles: int = 3) -> Tape:
    dates = pd.Series(pd.date_range(START, periods=candles, freq="1h"))
    return Tape(dates, "1h", {"trust": np.array([0] * (candles - 1) + [int(last_trust)])})


def seen(tapes: dict[str, Tape]) -> list[Event]:
    events: list[Event] = []
    pairs = ["GOOD/USDT", "BAD/USDT", "LATE/USDT", "GONE/USDT"]
    DataWatch(lambda: pairs, tapes.get, events.append).look(START + timedelta(hours=3))
    return events


def test_untrusted_late_and_missing_candles_are_said_and_good_ones_are_not() -> None:
    tapes = {
        "GOOD/USDT": tape(Trust.OK),
        "BAD/USDT": tape(Trust.AFTER_HOLE),
        "LATE/USDT": tape(Trust.OK, candles=2),
    }
    events = seen(tapes)
    assert {event.pair: event.code for event in events} == {
        "BAD/USDT": "AFTER_HOLE",
        "LATE/USDT": "CANDLE_MISSING",
        "GONE/USDT": "CANDLE_MISSING",
    }
    assert {event.kind for event in events} == {Kind.DATA}
