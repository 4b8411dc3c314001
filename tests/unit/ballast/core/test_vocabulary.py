"""Every word that rules are written with shows in its docstring how it is said, and that runs.

The pages of rules, indicators, views and exits are made of these docstrings.
"""

import inspect
import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import ballast
from ballast.core.candles import Candles
from ballast.core.exits import Sell
from ballast.core.indicators import Indicators
from ballast.core.market import Market
from ballast.core.rules import Axis, Rule
from ballast.strategy.warm_up import probe

NOT_SAID_IN_RULES = {"GuardedStrategy", "Rule", "Setup", "StopRules", "__version__", "guarded"}


def methods(kind: type) -> dict[str, Any]:
    """Public ones that the class itself has."""
    return {
        f"{kind.__name__}.{name}": found
        for name, found in vars(kind).items()
        if not name.startswith("_") and (inspect.isfunction(found) or isinstance(found, property))
    }


# How a view is made and kept is no word of a rule.
INNER = {"Candles.onto", "Candles.warmup", "Candles.views", "Market.onto", "Market.warmup"}
INNER |= {"Market.correlations"}
WORDS: dict[str, Callable[..., Any]] = {
    **{name: getattr(ballast, name) for name in ballast.__all__ if name not in NOT_SAID_IN_RULES},
    **methods(Indicators),
    **{name: found for name, found in methods(Candles).items() if name not in INNER},
    **{name: found for name, found in methods(Market).items() if name not in INNER},
}


def examples(word: str) -> list[str]:
    """What its docstring shows of it."""
    name = word.split(".")[-1]
    shown = re.findall(r"`([^`]+)`", " ".join((inspect.getdoc(WORDS[word]) or "").split()))
    return [code for code in shown if re.search(rf"\b{name}\b", code) and re.search(r"[(.]", code)]


def test_words_are_found() -> None:
    assert {"above", "sell", "Indicators.rsi", "Candles.on", "Market.rank"} <= set(WORDS)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_shows_how_it_is_said_and_that_runs(word: str) -> None:
    pair, market = probe("5m")
    known = {"pair": pair, "market": market} | {n: getattr(ballast, n) for n in ballast.__all__}
    assert examples(word)
    for code in examples(word):
        said = eval(code, known)  # noqa: S307
        for one in said.values() if isinstance(said, dict) else [said]:
            if isinstance(one, Rule):
                assert len(one.on(Axis(pair.frame["date"], "5m")).met) == len(pair)
            else:
                assert isinstance(one, pd.Series | Candles | Sell)
