"""The stretch of trades that is drawn is not chosen for its result."""

import pandas as pd

from tools.pictures import STRETCH, busiest


def test_busiest_stretch_holds_as_many_trades_as_any() -> None:
    days = {"A/USDT": [0, 100, 130, 170, 400], "B/USDT": [5, 20, 64, 66, 66, 200]}
    first = pd.Timestamp("2024-01-01", tz="UTC")
    rows = [(pair, first + pd.Timedelta(days=d)) for pair, found in days.items() for d in found]
    trades = pd.DataFrame(rows, columns=["pair", "open_date"])
    pair, start = busiest(trades)
    counts = {(p, s): sum(q == p and s <= t <= s + STRETCH for q, t in rows) for p, s in rows}
    assert counts[(pair, start)] == max(counts.values()) == 4
