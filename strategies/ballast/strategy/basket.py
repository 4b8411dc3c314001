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
from ballast.core.aligned import slow_candles
from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.measured import MeasuredCandles
from ballast.core.rules import Rule
from ballast.core.setups import StatesRules, setups_on
from ballast.core.windows import minutes
from ballast.data.feeds import Feeds
from ballast.strategy.warm_up import checked_startup

logger = logging.getLogger(__name__)

# Candles beyond the longest window on which rules are asked.
_ASKED = 50
_MOVE = 0.01
_OWN, _OTHER = "own", "other"
TODO = "name more pairs in ballast.market.basket"


def never_met(
    strategy: StatesRules,
    traded: Collection[str],
    leader: str,
    basket: Collection[str],
    startup: int | None = None,
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
    startup : int, optional
        Candles that the strategy needs before its first signal, where that is known already.

    Returns
    -------
    dict of str to list of str
        By setup, the names of the rules that cannot be met.
    """
    found: dict[str, list[str]] | None = None
    count = (checked_startup(strategy) if startup is None else startup) + _ASKED
    # All that matters of a pair is whether it is the leader, and whether it is the whole basket.
    # What is neither, for which most can be met, is asked first: it may be all that need be asked.
    for leads, alone in sorted({(pair == leader, set(basket) == {pair}) for pair in traded}):
        here = _never_met(strategy, count, leads=leads, alone=alone)
        found = here if found is None else {name: here[name] for name in found if name in here}
        if not found:
            break
    return found or {}


def warn(strategy: StatesRules, feeds: Feeds, startup: int, tell: Callable[[str], None]) -> None:
    """Name what is never bought in the log, and live to the operator."""
    found = never_met(strategy, feeds.traded(), feeds.leader, feeds.basket_pairs(), startup)
    if found:
        text = f"{sentence(found)}: {TODO}"
        logger.warning("%s", text)
        if feeds.live:
            tell(as_code(f"Ballast: {text}"))


def sentence(rules_by_setup: Mapping[str, list[str]]) -> str:
    """What is never entered, and why."""
    named = "; ".join(f"{setup}: {', '.join(names)}" for setup, names in rules_by_setup.items())
    return f"rules compare a pair with itself and can never be met ({named})"


def _never_met(
    strategy: StatesRules, count: int, *, leads: bool, alone: bool
) -> dict[str, list[str]]:
    made = _Made(strategy.timeframe, count, alone=alone)
    pair, other = made.of(_OWN), made.of(_OTHER)
    leader = pair if leads else other
    slow = {coin.name: coin.slow for coin in (pair, other) if coin.name in made.basket}
    name = leader.name
    market = Market(leader.frame, leader.timeframe, slow, leader.slow, source=made, name=name)
    setups = setups_on(strategy, pair, market.onto(pair.frame["date"]))
    impossible = {
        setup.name: [name for name, rule in setup.entry.items() if _is_impossible(rule)]
        for setup in setups
    }
    return {name: rules for name, rules in impossible.items() if rules}


class _Made:
    """Random walks by name, as candles of any timeframe (see `candles.OtherCandles`)."""

    def __init__(self, timeframe: str, count: int, *, alone: bool) -> None:
        self._timeframe, self._count = timeframe, count
        self.basket = (_OWN,) if alone else (_OWN, _OTHER)

    def of(self, pair: str) -> Candles:
        seed = 1 if pair == _OWN else 2
        frame = _walk(self._timeframe, self._count, seed)
        slow = slow_candles(frame, self._timeframe, self._older(pair, frames.SLOW_TIMEFRAME))
        return Candles(frame, self._timeframe, slow, self, pair)

    def grouped(self, pair: str, candles: MeasuredCandles, to: str) -> MeasuredCandles:
        older = self._older(pair, frames.read_in(self._timeframe, to))
        return MeasuredCandles(frames.grouped(candles.frame, self._timeframe, to, older), to)

    def _older(self, pair: str, timeframe: str) -> pd.DataFrame | None:
        """Candles for windows of days, where the strategy's own are finer."""
        if minutes(timeframe) <= minutes(self._timeframe):
            return None
        return _walk(timeframe, self._count, 3 if pair == _OWN else 4)


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
