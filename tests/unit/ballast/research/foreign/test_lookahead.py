"""What peeks is named; what only remembers, or begins with the candles, is told apart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import talib

from ballast.research.foreign.lookahead import Examined, NotComparable, cut_ends, examine

LENGTH, WARMUP, CUTS = 900, 100, 24
HISTORIES = (30, WARMUP, 4 * WARMUP)
Column = Callable[[pd.DataFrame], pd.Series | float]
Step = Callable[[pd.DataFrame], pd.DataFrame]


def market(seed: int = 1) -> pd.DataFrame:
    drawn = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(drawn.normal(0, 0.01, LENGTH)))
    spread = close * drawn.uniform(0.001, 0.02, (2, LENGTH))
    dates = pd.date_range("2024-01-01", periods=LENGTH, freq="1h", tz="UTC")
    return pd.DataFrame(
        {
            "date": dates,
            "open": np.roll(close, 1),
            "high": close + spread[0],
            "low": close - spread[1],
            "close": close,
            "volume": drawn.uniform(1, 9, LENGTH),
        }
    )


CANDLES = market()


def examined(*makers: Step, candles: pd.DataFrame = CANDLES, cuts: int = CUTS) -> Examined:
    def populate(first: int, end: int, warmup: int) -> pd.DataFrame:
        frame = candles.iloc[first:end].reset_index(drop=True)
        for make in makers:
            frame = make(frame)
        return frame

    return examine("X/Y", populate, pd.DatetimeIndex(candles["date"]), WARMUP, cuts, HISTORIES)


def column(make: Column) -> Step:
    return lambda frame: frame.assign(found=make(frame))


def scaled(close: pd.Series) -> pd.Series:
    return (close - close.min()) / (close.max() - close.min())


PEEKING: dict[str, Column] = {
    "shift(-1)": lambda f: f["close"].shift(-1),
    "next candle rises": lambda f: f["close"].shift(-1) > f["close"],
    "centred rolling": lambda f: f["close"].rolling(9, center=True).mean(),
    "mean of the whole frame": lambda f: f["close"] / f["close"].mean(),
    "scaled by the whole frame": lambda f: scaled(f["close"]),
    "iloc[-1]": lambda f: f["close"].iloc[-1],
    "filled backwards": lambda f: f["close"].where(f["volume"] > 6).bfill(),
    "spline through all": lambda f: f["close"].where(f["volume"] > 6).interpolate(),
    "word from the next": lambda f: (f["close"].shift(-1) > f["close"]).map({True: "up"}),
}
SOUND: dict[str, Column] = {
    "shift(1)": lambda f: f["close"].shift(1),
    "rolling": lambda f: f["close"].rolling(50).std(),
    "EMA": lambda f: talib.EMA(f["close"], 50),
    "RSI": lambda f: talib.RSI(f["close"], 14),
    "ATR": lambda f: talib.ATR(f["high"], f["low"], f["close"], 14),
    "ADX": lambda f: talib.ADX(f["high"], f["low"], f["close"], 14),
    "ewm": lambda f: f["close"].ewm(span=60).mean(),
    "sum since the beginning": lambda f: f["volume"].cumsum(),
    "first of all": lambda f: f["close"].iloc[0],
    "words": lambda f: pd.Series(np.where(f["close"] > f["open"], "up", "down"), f.index),
    "filled forward": lambda f: f["close"].where(f["volume"] > 6).ffill(),
}


@pytest.mark.parametrize("make", PEEKING.values(), ids=PEEKING)
def test_what_changes_when_later_candles_come_peeks(make: Column) -> None:
    found = examined(column(make), column_named("sound", SOUND["EMA"]))
    assert set(found.peeks) == {"found"}
    peek = found.peeks["found"]
    assert 1 <= peek.cuts <= found.cuts == CUTS
    assert CANDLES["date"].iloc[WARMUP] <= peek.candle <= CANDLES["date"].iloc[-1]
    assert peek.pair == "X/Y"


@pytest.mark.parametrize("make", SOUND.values(), ids=SOUND)
def test_what_only_looks_back_does_not(make: Column) -> None:
    found = examined(column(make))
    assert not found.peeks
    assert not found.unstable


def column_named(name: str, make: Column) -> Step:
    return lambda frame: frame.assign(**{name: make(frame)})


def test_first_difference_says_what_was_known_and_what_became_of_it() -> None:
    peek = examined(column(PEEKING["shift(-1)"])).peeks["found"]
    row = CANDLES.index[CANDLES["date"] == peek.candle][0]
    assert math.isnan(peek.known)
    assert peek.later == CANDLES["close"].iloc[row + 1]


def test_signal_that_peeks_alone_is_found_where_it_is_given() -> None:
    """Rare, and nothing else in the frame tells: a cut right after the candle shows it."""
    leap = CANDLES["close"].shift(-1) / CANDLES["close"] > 1.028
    assert 0 < leap.sum() < 5

    def signals(frame: pd.DataFrame) -> pd.DataFrame:
        close = frame["close"]
        frame.loc[close.shift(-1) / close > 1.028, "enter_long"] = 1
        return frame

    found = examined(signals, cuts=12)
    assert set(found.peeks) == {"enter_long"}
    assert found.peeks["enter_long"].candle in set(CANDLES["date"][leap])


@pytest.mark.parametrize(("name", "short"), [("EMA", 0.001), ("RSI", 0.02), ("ATR", 0.01)])
def test_warm_up_is_told_by_how_much_it_forgets(name: str, short: float) -> None:
    found = examined(column(SOUND[name]))
    differences = found.history["found"]
    assert len(differences) == len(HISTORIES)
    assert differences[0] > short
    assert differences[-1] < 1e-4 * differences[0]
    assert found.settles("found")


@pytest.mark.parametrize("name", ["sum since the beginning", "first of all"])
def test_what_more_history_does_not_settle_is_tied_to_the_first_candle(name: str) -> None:
    found = examined(column(SOUND[name]))
    assert not found.settles("found")


def test_column_that_needs_less_than_the_history_agrees_and_is_not_listed() -> None:
    assert not examined(column(lambda f: f["close"].rolling(20).mean())).history


def test_warm_up_of_what_peeks_is_not_told() -> None:
    assert "found" not in examined(column(PEEKING["scaled by the whole frame"])).history


def test_what_the_warm_up_shows_does_not_count() -> None:
    """Libraries fill the first rows with the mean of all: nothing is traded on there."""

    def filled(frame: pd.DataFrame) -> pd.Series:
        return frame["close"].shift(20).fillna(frame["close"].mean())

    assert not examined(column(filled)).peeks


def test_column_that_differs_on_the_same_candles_says_nothing() -> None:
    numbers = itertools.count()
    found = examined(column(lambda f: float(next(numbers))), column_named("ema", SOUND["EMA"]))
    assert found.unstable == {"found"}
    assert not found.peeks


def test_last_candle_that_is_dropped_is_a_peek_of_the_dates() -> None:
    """`dropna` after a shift takes the newest candle away, and with it every live signal."""
    found = examined(column(PEEKING["shift(-1)"]), lambda frame: frame.dropna())
    assert "date" in found.peeks


def test_rows_that_are_dropped_at_the_beginning_are_none() -> None:
    sound = column(lambda f: f["close"].rolling(20).mean())
    assert not examined(sound, lambda frame: frame.dropna().reset_index(drop=True)).peeks


def test_rounding_is_no_difference() -> None:
    """Sums over the frame in another order: the last bits differ."""

    def rounded(frame: pd.DataFrame) -> pd.Series:
        return frame["close"] * (1 + 1e-13 * len(frame))

    assert not examined(column(rounded)).peeks


def test_two_pairs_add_up() -> None:
    one = examined(column(PEEKING["shift(-1)"]))
    other = examined(column(SOUND["EMA"]), candles=market(2))
    both = one + other
    assert both.cuts == 2 * CUTS
    assert both.peeks == one.peeks
    assert (one + one).peeks["found"].cuts == 2 * one.peeks["found"].cuts
    assert "found" not in both.history
    assert (Examined() + other).history == other.history


def test_cuts_are_anywhere_and_after_signals() -> None:
    whole = CANDLES.set_index("date", drop=False).assign(enter_long=0)
    rows = [WARMUP + 50, WARMUP + 333]
    whole.iloc[rows, whole.columns.get_loc("enter_long")] = 1
    ends = cut_ends(whole, pd.DatetimeIndex(CANDLES["date"]), WARMUP, CUTS)
    assert {row + 1 for row in rows} <= set(ends)
    assert len(ends) == CUTS
    assert min(ends) > WARMUP
    assert max(ends) < LENGTH
    assert len({end % 24 for end in ends}) > 6


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(NotComparable, match="no frame with a column 'date'"):
        examined(lambda frame: frame.drop(columns="date"))
    with pytest.raises(NotComparable, match="candles twice, or in disorder"):
        examined(lambda frame: frame.iloc[::-1])
    with pytest.raises(NotComparable, match=r"X/Y has 105 candles: expected 110 at least"):
        examined(candles=CANDLES.iloc[:105])
