"""Rules that no candle can meet with the pairs there are: named, and only those."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from freqtrade.resolvers import StrategyResolver

from ballast import all_of, any_of, negated, within
from ballast.core.rules import above, at_least, below
from ballast.core.stops import StopRules
from ballast.ops.preflight import trading
from ballast.ops.preflight.check import Bot, Level
from ballast.strategy.basket import never_met
from ballast.strategy.guarded import GuardedStrategy
from tests.engine import ROOT

BTC, ETH = "BTC/USDT", "ETH/USDT"
LEADS = ["DonchianTrend", "SqueezeBreakout", "PullbackBuyer"]


def shipped(name: str, **config: Any) -> Any:
    base = {"strategy": name, "strategy_path": str(ROOT / "strategies"), "stake_currency": "USDT"}
    return StrategyResolver.load_strategy({**base, "user_data_dir": ROOT / "user_data", **config})


@pytest.mark.parametrize("timeframe", ["5m", "1h", "4h"])
def test_a_pair_that_is_the_whole_basket_cannot_lead_it(timeframe: str) -> None:
    """It was never bought, and nothing said so."""
    strategy = shipped("RisingMarket", timeframe=timeframe)
    assert never_met(strategy, [BTC], BTC, [BTC]) == {key: ["leads"] for key in LEADS}
    # One that is not the basket can, and so can one of several.
    assert not never_met(strategy, [ETH], BTC, [BTC])
    assert not never_met(strategy, [BTC, ETH], BTC, [BTC])
    assert not never_met(strategy, [BTC], BTC, [BTC, ETH])


class Compared(GuardedStrategy):
    timeframe = "1h"
    stops = StopRules(initial_atr=2)

    def entry_rules(self, pair: Any, market: Any) -> Any:
        return {
            "ahead": above(pair.roc("2d"), market.roc("2d")),
            "level": at_least(pair.close, market.close),
            "calm": below(pair.close, pair.mean("2d") * 2),
        }


def test_the_leader_cannot_be_ahead_of_itself() -> None:
    strategy = Compared({"stake_currency": "USDT"})
    assert never_met(strategy, [BTC], BTC, [BTC, ETH]) == {"Compared": ["ahead"]}
    assert not never_met(strategy, [BTC, ETH], BTC, [BTC, ETH])


class Counted(Compared):
    asked: ClassVar[list[str]] = []

    def setups(self, pair: Any, market: Any) -> Any:
        self.asked.append("setups")
        return super().setups(pair, market)


def test_rules_that_one_pair_can_meet_are_not_asked_of_the_leader() -> None:
    """A bot that starts waits for the answer: with fifty pairs, half of it told nothing more."""
    strategy = Counted({"stake_currency": "USDT"})
    startup = strategy.startup_candle_count
    for pairs in ([BTC, ETH], [ETH, BTC]):
        strategy.asked.clear()
        assert not never_met(strategy, pairs, BTC, [BTC, ETH], startup)
        assert len(strategy.asked) == 1


@pytest.mark.parametrize(
    ("pairs", "level"), [([BTC], Level.WARN), ([BTC, ETH], Level.PASS), (["B.*/USDT"], Level.PASS)]
)
def test_preflight_names_them(pairs: list[str], level: Level) -> None:
    strategy = shipped("DonchianTrend", exchange={"name": "binance", "pair_whitelist": pairs})
    (finding,) = trading.rules(Bot(strategy.config, strategy))
    assert finding.level is level
    if level is Level.WARN:
        assert "(DonchianTrend: leads)" in finding.what
        assert finding.todo == "name more pairs in ballast.market.basket"


class ComparedInParts(Compared):
    def entry_rules(self, pair: Any, market: Any) -> Any:
        ahead = above(pair.roc("2d"), market.roc("2d"))
        calm = below(pair.close, pair.mean("2d") * 2)
        return {
            "either": any_of(ahead=ahead, calm=calm),
            "both": all_of(ahead=ahead, calm=calm),
            "lately": within("4h", ahead),
            "behind": negated(all_of(ahead=ahead, calm=calm)),
        }


def test_a_rule_of_which_too_few_parts_can_be_met_cannot_be_met() -> None:
    strategy = ComparedInParts({"stake_currency": "USDT"})
    assert never_met(strategy, [BTC], BTC, [BTC, ETH]) == {"ComparedInParts": ["both", "lately"]}
    assert not never_met(strategy, [ETH], BTC, [BTC, ETH])
