"""The warm-up is long enough for every value that a parameter can have, in windows as well."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.strategy import BooleanParameter, CategoricalParameter, IntParameter

from ballast import GuardedStrategy, StopRules, above, for_at_least
from ballast.core import data_quality
from ballast.core.measured import MeasuredCandles
from ballast.data.feeds import TRADED
from ballast.strategy.warm_up import needs


class Tuned(GuardedStrategy):
    timeframe = "1h"
    stops = StopRules(initial_atr=4)
    days = IntParameter(2, 60, default=5, space="buy")
    lasts = IntParameter(1, 9, default=1, space="buy")
    longer = CategoricalParameter(["4h", "1d"], default="4h", space="buy")

    def entry_rules(self, pair: Any, market: Any) -> Any:
        breakout = above(pair.close, pair.highest_high(f"{self.days.value}d"))
        return {
            "lasts": for_at_least(self.lasts.value, breakout),
            "longer": above(pair.on(self.longer.value).close, 0.0),
        }


def made(kind: type[GuardedStrategy], **config: Any) -> GuardedStrategy:
    return kind({"stake_currency": "USDT", **config})


def test_it_is_that_of_the_longest_window_that_parameters_can_make() -> None:
    """Hyperopt tried sixty days on the candles that five need: its first weeks were untrusted."""
    assert needs(made(Tuned)).candles == 60 * 24 + 1 + 8


def test_frames_of_every_category_are_wanted() -> None:
    assert needs(made(Tuned)).frames == {(TRADED, "4h"), (TRADED, "1d")}


def test_asking_changes_no_parameter() -> None:
    strategy = made(Tuned)
    needs(strategy)
    assert (strategy.days.value, Tuned.days.value, strategy.longer.value) == (5, 5, "4h")
    assert "days" not in vars(strategy)


class TooLong(Tuned):
    days = IntParameter(2, 300, default=5, space="buy")


class Shortest(Tuned):
    days = IntParameter(0, 9, default=5, space="buy")
    falls = BooleanParameter(default=False, space="buy")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (
            TooLong,
            "with days = 300: TooLong cannot run on timeframe 1h: its longest window needs 7",
        ),
        (
            Shortest,
            r"with days = 0: Shortest cannot run on timeframe 1h: \w+\('0d'\): expected a length",
        ),
    ],
)
def test_what_parameters_might_be_is_refused_where_they_are_tried(
    kind: type[GuardedStrategy], text: str
) -> None:
    assert needs(made(kind)).candles > 0
    with pytest.raises(OperationalException, match=text):
        needs(made(kind, runmode=RunMode.HYPEROPT, spaces=["buy"]))


class Untuned(Tuned):
    days, lasts, longer = (SimpleNamespace(value=value) for value in (5, 1, "4h"))


@pytest.mark.parametrize("timeframe", ["1m", "1h"])
def test_candles_are_looked_at_as_often_with_parameters_as_without(
    timeframe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start asks five times: each value of each parameter had candles and a market of its own."""
    looks: list[str] = []
    assess = data_quality.assess

    def counted(candles: MeasuredCandles, *asked: Any) -> Any:
        looks.append(candles.timeframe)
        return assess(candles, *asked)

    monkeypatch.setattr(data_quality, "assess", counted)
    counts = []
    for kind in (Untuned, Tuned):
        strategy = made(kind)
        strategy.timeframe = timeframe
        # What does not depend on the strategy is kept from the first time on.
        needs(strategy)
        looks.clear()
        needs(strategy)
        counts.append(len(looks))
    assert counts[0] == counts[1]
