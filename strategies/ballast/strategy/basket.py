"""Rules that cannot be met with the pairs that are traded and those that stand for the market.

A pair that is the whole basket cannot have gained more than the basket: nothing is ever bought, and
no candle says why. What compares a pair with itself is found by asking the rules on made candles.
"""

import logging
from collections.abc import Callable, Collection, Mapping

import numpy as np
import pandas as pd

from ballast.alerts.messages import as_code
from ballast.core import frames
from ballast.core.candles import Candles, slow_candles
from ballast.core.market import Market
from ballast.core.rules import Rule
from ballast.core.signals import StatesRules, setups_on
from ballast.core.windows import minutes
from ballast.data.feeds import Feeds
from ballast.strategy.warm_up import checked_startup

logger = logging.getLogger(__name__)

# Candles beyond the longest window on which rules are asked.
_ASKED = 50
_MOVE = 0.01
TODO = "name more pairs in ballast.market.basket"


def never_met(
    strategy: StatesRules, traded: Collection[str], leader: str, basket: Collection[str]
) -> dict[str, list[str]]:
    """
    Setups that can enter none of the pairs.

    Parameters
    ----------
    traded : collection of str
        Pairs that may be entered.
    leader : str
        Pair that stands for the market.
    basket : collection of str
        Pairs whose breadth is the market's.

    Returns
    -------
    dict of str to list of str
        By setup, the names of the rules that cannot be met.
    """
    found: dict[str, list[str]] | None = None
    # All that matters of a pair is whether it is the leader, and whether it is the whole basket.
    for leads, alone in {(pair == leader, set(basket) == {pair}) for pair in traded}:
        here = _never_met(strategy, leads=leads, alone=alone)
        found = here if found is None else {name: here[name] for name in found if name in here}
    return found or {}


def warn(strategy: StatesRules, feeds: Feeds, tell: Callable[[str], None]) -> None:
    """Name what is never bought in the log, and live to the operator."""
    found = never_met(strategy, feeds.traded(), feeds.leader, feeds.basket_pairs())
    if found:
        text = f"{sentence(found)}: {TODO}"
        logger.warning("%s", text)
        if feeds.live:
            tell(as_code(f"Ballast: {text}"))


def sentence(rules_by_setup: Mapping[str, list[str]]) -> str:
    """What is never entered, and why."""
    named = "; ".join(f"{setup}: {', '.join(names)}" for setup, names in rules_by_setup.items())
    return f"rules compare a pair with itself and can never be met ({named})"


def _never_met(strategy: StatesRules, *, leads: bool, alone: bool) -> dict[str, list[str]]:
    timeframe, count = strategy.timeframe, checked_startup(strategy) + _ASKED
    own, other = _walk(timeframe, count, 1), _walk(timeframe, count, 2)
    own_older, other_older = (_older(timeframe, count, seed) for seed in (3, 4))
    slow = slow_candles(own, timeframe, own_older)
    basket = {"own": slow}
    if not alone:
        basket["other"] = slow_candles(other, timeframe, other_older)
    leader = (own, slow) if leads else (other, slow_candles(other, timeframe, other_older))
    market = Market(leader[0], timeframe, basket, leader[1]).onto(own["date"])
    setups = setups_on(strategy, Candles(own, timeframe, slow), market)
    impossible = {
        setup.name: [name for name, rule in setup.entry.items() if _is_impossible(rule)]
        for setup in setups
    }
    return {name: rules for name, rules in impossible.items() if rules}


def _is_impossible(rule: Rule) -> bool:
    """
    Whether two things must differ that are the same wherever both are known; of a rule made of
    others, whether too few of them are possible.
    """
    if rule.parts:
        possible = sum(not _is_impossible(part) for part in rule.parts.values())
        return rule.relation == ">=" and possible < min(len(rule.parts), rule.limit.max())
    value, limit = np.asarray(rule.value, dtype=float), np.asarray(rule.limit, dtype=float)
    known = np.isfinite(value) & np.isfinite(limit)
    return rule.relation in ("<", ">") and bool(known.any()) and bool((value == limit)[known].all())


def _older(timeframe: str, count: int, seed: int) -> pd.DataFrame | None:
    """Hourly candles for windows of days, where the strategy's own are finer."""
    if minutes(timeframe) >= minutes(frames.SLOW_TIMEFRAME):
        return None
    return _walk(frames.SLOW_TIMEFRAME, count, seed)


def _walk(timeframe: str, count: int, seed: int) -> pd.DataFrame:
    """Candles of a random walk that all end at the same time."""
    moves = np.random.default_rng(seed).normal(0, _MOVE, count)
    close = 100 * np.exp(np.cumsum(moves))
    opened = np.concatenate(([100.0], close[:-1]))
    end, step = pd.Timestamp("2024-01-01", tz="UTC"), pd.Timedelta(minutes=minutes(timeframe))
    return pd.DataFrame(
        {
            "date": pd.date_range(end=end - step, periods=count, freq=step),
            "open": opened,
            "high": np.maximum(opened, close) * (1 + _MOVE),
            "low": np.minimum(opened, close) * (1 - _MOVE),
            "close": close,
            "volume": 1_000.0,
        }
    )
