"""Every indicator of TA-Lib and `technical` by name: what is accepted, remembered and refused."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import talib
import technical.indicators
from freqtrade.strategy import IntParameter
from technical import qtpylib

from ballast.core import library, memory
from ballast.core import raw_indicators as raw
from ballast.core.candles import Candles
from ballast.core.library import Indicator, from_talib, from_technical
from tests.unit.ballast.core.made import walk
from tools.memory import TOLERANCE, calls, peeking, remembered
from tools.memory import walk as measured_walk

UNSOUND = memory.TALIB_UNSOUND | memory.TECHNICAL_UNSOUND
SOUND_TALIB = [name for name in raw.talib_names() if name not in {*UNSOUND, "MAVP"}]
SOUND_TECHNICAL = [name for name in raw.technical_functions() if name not in UNSOUND]
PEEKS = [name for name, why in UNSOUND.items() if why == memory.PEEKS]
ENDLESS = [name for name, why in UNSOUND.items() if why == memory.ENDLESS]
FRAME = walk(1, 600, "5m")
PERIOD = IntParameter(5, 20, default=14, space="buy")
CLOSE = FRAME["close"].to_numpy()


def settled(found: Indicator) -> None:
    """No output depends on later candles, nor on where they begin once its history is over."""
    frame, start = measured_walk(21, 2000), 271
    sound = {output for output in found.outputs if not found.unsound.get(output)}
    assert not peeking(found.compute, frame) & sound
    whole, late = found.compute(frame), found.compute(frame[start:].reset_index(drop=True))
    assert found.history < len(frame) - start
    for output in sound:
        full, cut = whole[output][start:], late[output]
        full, cut = full[found.history - 1 :], cut[found.history - 1 :]
        usual = float(np.nanstd(whole[output])) if np.isfinite(whole[output]).any() else 0.0
        np.testing.assert_allclose(cut, full, rtol=0, atol=10 * TOLERANCE * usual + 1e-12)


@pytest.mark.parametrize("name", SOUND_TALIB)
def test_an_indicator_of_talib_has_settled_once_its_history_is_over(name: str) -> None:
    settled(from_talib(name, (), (), "close", "1h"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SOUND_TECHNICAL)
def test_an_indicator_of_technical_has_settled_once_its_history_is_over(name: str) -> None:
    settled(from_technical(name, (), (), "close", "1h"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PEEKS)
def test_what_is_refused_for_looking_ahead_does(name: str) -> None:
    compute, _ = next(calls(name, of_talib=name in raw.talib_names()))
    assert peeking(compute, measured_walk(21, 1500))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ENDLESS)
def test_what_is_refused_for_never_forgetting_does_not(name: str) -> None:
    compute, _ = next(calls(name, of_talib=name in raw.talib_names()))
    frame = measured_walk(21, 2000)
    assert remembered(compute, frame, compute(frame), (300,)) > 1600


@pytest.mark.parametrize(("name", "of_talib"), [("RSI", True), ("EMA", True), ("rma", False)])
def test_the_memory_in_the_table_is_the_one_that_is_measured(name: str, of_talib: bool) -> None:
    """At windows of any length, and no more than three times it."""
    compute, reach = next(calls(name, of_talib))
    frame = measured_walk(21)
    needed = remembered(compute, frame, compute(frame))
    kept = math.ceil((memory.TALIB if of_talib else memory.TECHNICAL)[name] * reach)
    assert needed <= kept <= 3 * needed


def test_nothing_is_listed_that_there_is_not() -> None:
    names = {*raw.talib_names(), *raw.technical_functions()}
    listed = {*memory.TALIB, *memory.TECHNICAL, *UNSOUND} - names
    # One output of an indicator.
    assert listed == {"ichimoku.chikou_span"}


def test_an_indicator_is_what_its_library_gives() -> None:
    own = Candles(FRAME, "5m")
    prices = [FRAME[name].to_numpy() for name in ("open", "high", "low", "close")]
    for found, expected in (
        (own.ta("RSI", 14), talib.RSI(CLOSE, 14)),
        (own.ta("RSI", timeperiod="70m"), talib.RSI(CLOSE, 14)),
        (own.ta("BBANDS", 20, 3.0, output="lowerband"), talib.BBANDS(CLOSE, 20, 3.0)[2]),
        (own.ta("CDLENGULFING"), talib.CDLENGULFING(*prices).astype(float)),
        (own.ta("EMA", 20, price="high"), talib.EMA(prices[1], 20)),
        (own.technical("chopiness", 14), technical.indicators.chopiness(FRAME, 14).to_numpy()),
        (own.technical("ema", 9, price="low"), talib.EMA(prices[2], 9)),
        (own.ta("SMA", 9, price="typical"), talib.SMA(talib.TYPPRICE(*prices[1:]), 9)),
        (own.ta("SMA", 9, price="median"), talib.SMA(talib.MEDPRICE(*prices[1:3]), 9)),
        (own.technical("sma", 9, price="average"), talib.SMA(talib.AVGPRICE(*prices), 9)),
        (
            own.technical("qtpylib.bollinger_bands", 20, 2, price="typical", output="lower"),
            qtpylib.bollinger_bands(qtpylib.typical_price(FRAME), 20)["lower"].to_numpy(),
        ),
    ):
        known = found.notna().to_numpy()
        assert known.sum() > 400
        np.testing.assert_allclose(found[known], expected[known])


def test_texts_for_up_and_down_are_numbers() -> None:
    direction = Candles(FRAME, "5m").technical("supertrend", 10, 3, output="direction")
    assert set(direction.dropna()) == {1.0, -1.0}


def test_changed_candles_are_outputs() -> None:
    found = Candles(FRAME, "5m").technical("qtpylib.heikinashi", output="close")
    mean = FRAME[["open", "high", "low", "close"]].mean(axis=1)
    known = found.notna()
    np.testing.assert_allclose(found[known], mean[known])


def test_it_is_unknown_before_its_history_and_notes_it() -> None:
    candles = Candles(FRAME, "5m")
    found = candles.ta("RSI", 14)
    history = math.ceil(memory.TALIB["RSI"] * 15)
    assert candles.warmup == history
    assert list(found.isna()) == [True] * (history - 1) + [False] * (600 - history + 1)
    assert Candles(FRAME[: history - 1], "5m").ta("RSI", 14).isna().all()


def test_on_longer_candles_it_is_of_those() -> None:
    view = Candles(FRAME, "5m").on("15m")
    expected = talib.SMA(view.frame["close"].to_numpy(), 4)
    np.testing.assert_allclose(view.ta("SMA", "1h").dropna().unique(), expected[3:])


def test_all_outputs_are_worked_out_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ichimoku has eight, and each was worked out anew."""
    lengths = []

    def counted(name: str, arguments: Any, price: str, frame: pd.DataFrame) -> raw.Arrays:
        lengths.append(len(frame))
        return raw.technical_arrays(name, arguments, price, frame)

    monkeypatch.setattr(library, "technical_arrays", counted)
    candles = Candles(FRAME, "5m")
    for output in ("tenkan_sen", "kijun_sen", "senkou_span_a"):
        # Windows of no other test, as calls are remembered.
        candles.technical("ichimoku", 8, 24, output=output)
    assert lengths.count(len(FRAME)) == 1


def test_ones_own_function_is_unknown_before_its_history() -> None:
    candles = Candles(FRAME, "5m")
    found = candles.apply(lambda frame: frame["close"].rolling(5).max(), history="25m")
    np.testing.assert_array_equal(found[4:], talib.MAX(CLOSE, 5)[4:])
    assert found[:4].isna().all()
    assert candles.warmup == 5


def test_two_functions_of_one_name_are_two_indicators() -> None:
    """A parameter of the strategy within it changes while its name does not."""
    candles = Candles(FRAME, "5m")

    def times(n: int) -> pd.Series:
        return candles.apply(lambda frame: frame["close"] * n, history=1)

    assert times(2).iloc[-1] == 2 * times(1).iloc[-1]


def test_ones_own_function_cannot_change_the_candles() -> None:
    def writes(frame: pd.DataFrame) -> pd.Series:
        frame["close"] = 0.0
        return frame["close"]

    candles = Candles(FRAME.copy(), "5m")
    assert candles.apply(writes, history=1).eq(0).all()
    np.testing.assert_array_equal(candles.close, CLOSE)


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (lambda c: c.ta("RSII"), "pair.ta('RSII'): TA-Lib has no such indicator; nearest are RSI,"),
        (lambda c: c.ta("rsi"), "TA-Lib has no such indicator; nearest is RSI"),
        (
            lambda c: c.ta("RSI", 1),
            "pair.ta('RSI'): refused (Bad Parameter (TA_BAD_PARAM)); RSI ac",
        ),
        (lambda c: c.ta("RSI", length=9), "it has no length; RSI accepts timeperiod (14)"),
        # These ended in a TypeError about iterables and hashes.
        (lambda c: c.ta(14), "pair.ta(14): expected the name of an indicator first, such as 'RSI'"),
        (lambda c: c.technical(14), "pair.technical(14): expected the name of an indicator first"),
        (lambda c: c.ta("RSI", [14]), "expected numbers, windows or texts, not list [14]"),
        (lambda c: c.ta("RSI", timeperiod=PERIOD), "of a parameter it is .value"),
        (lambda c: c.ta("RSI", 9, 10), "pair.ta('RSI'): 2 arguments; RSI accepts timeperiod (14)"),
        (lambda c: c.ta("RSI", True), "timeperiod is True; RSI accepts timeperiod (14)"),
        (lambda c: c.ta("RSI", "3m"), "timeperiod: window '3m' is shorter than two candles of 5m"),
        (lambda c: c.ta("CDLDOJI", 3), "pair.ta('CDLDOJI'): 1 arguments; CDLDOJI has no arguments"),
        (
            lambda c: c.ta("BBANDS"),
            "pair.ta('BBANDS') gives several: expected output=\"...\" of up",
        ),
        (lambda c: c.ta("BBANDS", output="low"), "has no output 'low': expected output=\"...\" of"),
        (
            lambda c: c.ta("OBV"),
            "pair.ta('OBV'): it never forgets the first candle there is, and a",
        ),
        (lambda c: c.ta("MAVP"), "it needs periods, which candles have not: use pair.apply"),
        (lambda c: c.ta("RSI", price="hl2"), "price is 'hl2'; expected one of open, high, low, cl"),
        (lambda c: c.ta("ATR", price="open"), "price is 'open', but its prices are given"),
        (lambda c: c.technical("zigzag"), "pair.technical('zigzag'): technical has no such indic"),
        (lambda c: c.technical("chopiness", 0), "period is 0, expected more than 0; chopiness acc"),
        (lambda c: c.technical("trendline.gentrends"), "it looks at later candles: what it gave"),
        (lambda c: c.technical("ichimoku", output="chikou_span"), "chikou_span: it looks at later"),
        (lambda c: c.technical("vwma", "often"), "window: a length of time such as '36h' or '10d'"),
        (
            lambda c: c.apply(len, history=2.5),
            "history=2.5): expected a length of time such as '3d'",
        ),
        (
            lambda c: c.apply(lambda _: 1.0, history=2),
            "gave () for 600 candles: expected one value",
        ),
    ],
)
def test_what_is_not_accepted_is_refused_with_what_is(
    ask: Callable[[Candles], Any], text: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        ask(Candles(FRAME, "5m"))
