"""What a beginner writes by mistake ends in one sentence before anything trades, not in a trace."""

from __future__ import annotations

from typing import Any

import pytest
from freqtrade.exceptions import OperationalException
from freqtrade.strategy import IStrategy

from ballast import GuardedStrategy, StopRules, above, guarded
from ballast.strategy.warm_up import needs
from tests.unit.ballast.strategy.test_heard import Plain as Theirs

CONFIG = {"stake_currency": "USDT"}


class Plain(GuardedStrategy):
    timeframe = "1h"
    stops = StopRules(initial_atr=2)

    def entry_rules(self, pair: Any, market: Any) -> Any:
        return {"up": above(pair.close, pair.mean("5d"))}


def ours(**odd: Any) -> GuardedStrategy:
    kind: type[GuardedStrategy] = type("Odd", (Plain,), odd)
    return kind(dict(CONFIG))


def asked(strategy: GuardedStrategy) -> None:
    """As Freqtrade does at the start: how many candles, then what is stated."""
    needs(strategy)
    strategy._probed_setups()


def failing(self: Any, pair: Any, market: Any) -> Any:
    return dict[str, Any]()["missing"]


async def awaited(self: Any, pair: Any, market: Any) -> Any:
    return {}


ENTRIES = {
    "nothing": (lambda s, p, m: None, r"Odd\.entry is None: expected rules by name"),
    "a list": (lambda s, p, m: [above(p.close, 1)], r"Odd\.entry is a list: expected rules by"),
    "a column": (lambda s, p, m: {"a": p.close > 1}, r"Odd\.entry\.a is a Series: expected a rule"),
    "a flag": (
        lambda s, p, m: {"a": True},
        r"Odd\.entry\.a is True: expected a rule such as above",
    ),
    "a number as name": (lambda s, p, m: {1: above(p.close, 1)}, r"Odd\.entry has the name 1: exp"),
    "no name": (lambda s, p, m: {"": above(p.close, 1)}, r"Odd\.entry has the name '': expected a"),
    "no rule": (lambda s, p, m: {}, r"Odd\.entry is empty, so that nothing is ever bought"),
    "an error": (
        failing,
        r"rules: raised KeyError: 'missing' \(test_odd_strategies\.py, line \d+\)",
    ),
    "other arguments": (
        lambda s, p: {},
        r"Odd was asked for its rules: raised TypeError: .*taken?",
    ),
}


@pytest.mark.parametrize("stated", ENTRIES)
def test_entry_rules_that_are_none_are_told_in_one_sentence(stated: str) -> None:
    """`return {"cheap": pair.close < 100}` ended in 'object has no attribute'."""
    entry_rules, sentence = ENTRIES[stated]
    with pytest.raises(OperationalException, match=sentence) as refused:
        asked(ours(entry_rules=entry_rules))
    assert "\n" not in str(refused.value)


@pytest.mark.filterwarnings("ignore:coroutine")
def test_rules_that_would_have_to_be_awaited_are_refused() -> None:
    with pytest.raises(OperationalException, match=r"Odd\.entry is a coroutine: expected rules"):
        asked(ours(entry_rules=awaited))


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "exit": ({"exit_rules": lambda s, p, m: None}, r"Odd\.exit is None: expected rules by name"),
    "lines": ({"lines": lambda s, p, m: {"x": 5}}, r"Odd\.lines\.x is 5: expected a price of ever"),
    "no lines": ({"lines": lambda s, p, m: None}, r"Odd\.lines is None: expected prices by name"),
    "no setups": ({"setups": lambda s, p, m: []}, r"Odd\.setups is empty, so that nothing is ever"),
    "stops": ({"stops": None}, r"Odd\.stops is None: expected StopRules\(initial_atr=3\)"),
    "stops as a dict": ({"stops": {"initial_atr": 3}}, r"Odd\.stops is a dict: expected StopRules"),
    "no timeframe": ({"timeframe": None}, "timeframe is None: expected one from '1m' to '1d'"),
    "months": ({"timeframe": "1M"}, "timeframe is '1M': expected one from '1m' to '1d'"),
    "weeks": ({"timeframe": "1w"}, "timeframe is '1w': expected one from '1m' to '1d'"),
    "minutes": ({"timeframe": 60}, "timeframe is 60: expected one from '1m' to '1d'"),
}


@pytest.mark.parametrize("stated", OTHERS)
def test_what_else_is_stated_wrongly_is_told_in_one_sentence(stated: str) -> None:
    attributes, sentence = OTHERS[stated]
    with pytest.raises(OperationalException, match=sentence) as refused:
        asked(ours(**attributes))
    assert "\n" not in str(refused.value)


def test_a_strategy_without_stops_or_entry_rules_is_told_what_is_missing() -> None:
    bare: type[GuardedStrategy] = type("Bare", (GuardedStrategy,), {"timeframe": "1h"})
    with pytest.raises(OperationalException, match="Bare has no entry_rules: expected a method"):
        asked(bare(dict(CONFIG)))
    stopless: Any = type("Stopless", (bare,), {"entry_rules": Plain.entry_rules})
    with pytest.raises(OperationalException, match=r"Stopless\.stops is None: expected StopRules"):
        asked(stopless(dict(CONFIG)))


@pytest.mark.parametrize("timeframe", ["1m", "5m", "1h", "4h", "1d"])
def test_every_timeframe_in_between_is_taken(timeframe: str) -> None:
    guarded(Theirs)({**CONFIG, "timeframe": timeframe})


def held(**odd: Any) -> Any:
    return guarded(type("Odd", (Theirs,), odd))(dict(CONFIG))


@pytest.mark.parametrize("name", ["confirm_trade_entry", "custom_stake_amount", "custom_exit"])
def test_a_callback_that_nobody_awaits_is_refused(name: str) -> None:
    """Freqtrade takes the coroutine for a yes: an entry was made that theirs refused."""
    with pytest.raises(OperationalException, match=f"Odd has {name} as async def, which Freqtrade"):
        held(**{name: awaited})


def test_a_strategy_without_indicators_is_told_what_is_missing() -> None:
    with pytest.raises(OperationalException, match="Bare has no populate_indicators: add it"):
        guarded(type("Bare", (IStrategy,), {}))


def broken(self: Any, config: dict[str, Any]) -> None:
    raise RuntimeError("no model file")


def test_a_strategy_that_cannot_be_made_says_why_in_one_sentence() -> None:
    where = r"\(test_odd_strategies\.py, line \d+\)"
    sentence = f"Odd cannot be made: raised RuntimeError: no model file {where}"
    with pytest.raises(OperationalException, match=sentence):
        held(__init__=broken)


@pytest.mark.parametrize("count", ["many", [1], float("inf"), float("nan")])
def test_a_start_up_that_is_no_number_is_told(count: Any) -> None:
    with pytest.raises(
        OperationalException, match=r"startup_candle_count of Odd is .*: expected a"
    ):
        held(startup_candle_count=count)


@pytest.mark.parametrize("timeframe", [None, "1M", "1w", "3d", 60])
def test_a_timeframe_that_the_layer_cannot_measure_on_is_told(timeframe: Any) -> None:
    """It named a class of the layer's own, `_Needs`, or no timeframe at all."""
    with pytest.raises(
        OperationalException, match=f"timeframe is {timeframe!r}: expected one from"
    ):
        held(timeframe=timeframe)
