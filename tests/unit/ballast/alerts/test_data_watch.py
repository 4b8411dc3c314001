"""Market data that cannot be acted on is said, pair by pair."""

from datetime import timedelta

import numpy as np
import pandas as pd

from ballast.alerts.data_watch import DataWatch
from ballast.core.columns import CandleColumns
from ballast.core.events import Event, EventKind
from ballast.core.trust import DataQuality
from tests.engine import START


def columns(last_trust: DataQuality, candles: int = 3) -> CandleColumns:
    dates = pd.Series(pd.date_range(START, periods=candles, freq="1h"))
    return CandleColumns(dates, "1h", {"trust": np.array([0] * (candles - 1) + [int(last_trust)])})


def seen(columns_by_pair: dict[str, CandleColumns]) -> list[Event]:
    events: list[Event] = []
    pairs = ["GOOD/USDT", "BAD/USDT", "LATE/USDT", "GONE/USDT"]
    DataWatch(lambda: pairs, columns_by_pair.get, events.append).look(START + timedelta(hours=3))
    return events


def test_untrusted_late_and_missing_candles_are_said_and_good_ones_are_not() -> None:
    columns_by_pair = {
        "GOOD/USDT": columns(DataQuality.OK),
        "BAD/USDT": columns(DataQuality.AFTER_HOLE),
        "LATE/USDT": columns(DataQuality.OK, candles=2),
    }
    events = seen(columns_by_pair)
    assert {event.pair: event.code for event in events} == {
        "BAD/USDT": "AFTER_HOLE",
        "LATE/USDT": "CANDLE_MISSING",
        "GONE/USDT": "CANDLE_MISSING",
    }
    assert {event.kind for event in events} == {EventKind.DATA}
