"""A strategy does not start under settings that would take the risk layer away."""

from typing import Any

import pytest
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.resolvers import StrategyResolver
from freqtrade.strategy import IStrategy

from ballast import any_of, crossed_below, for_at_least, within
from ballast.core.rules import above, below
from ballast.core.stops import StopRules
from ballast.strategy.guarded import GuardedStrategy
from ballast.strategy.startup import refuse_unsafe
from tests.engine import resolvable


class Plain(GuardedStrategy):
    timeframe = "1h"
    stops = StopRules(initial_atr=2)

    def entry_rules(self, pair: Any, market: Any) -> Any:
        return {"up": above(pair.close, pair.mean("30d"))}


def made(timeframe: str = "1h", **config: Any) -> IStrategy:
    """The strategy as Freqtrade makes it, not started."""
    with resolvable(Plain) as names:
        full = {"stake_currency": "USDT", "dry_run": True, "timeframe": timeframe}
        return StrategyResolver.load_strategy({**full, **config, **names})


def refusal(**config: Any) -> str:
    with pytest.raises(OperationalException) as refused:
        refuse_unsafe(made(**config))
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trailing_stop", True),
        ("use_custom_stoploss", False),
        ("use_exit_signal", False),
        ("position_adjustment_enable", True),
        ("disable_dataframe_checks", True),
    ],
)
def test_a_setting_that_takes_the_stops_away_is_refused(name: str, value: bool) -> None:
    assert f"{name} is {value}: expected {not value}" in refusal(**{name: value})


def test_lookahead_analysis_needs_a_basket_by_name() -> None:
    """It trades single pairs: with the whitelist as basket, breadth read as look-ahead bias."""
    analysis: dict[str, Any] = {"runmode": RunMode.UTIL_NO_EXCHANGE, "dry_run_wallet": 10**9}
    with pytest.raises(OperationalException, match=r"ballast\.market\.basket is null: expected"):
        made(**analysis)
    made(**analysis, ballast={"market": {"basket": ["BTC/USDT"]}})
    made(runmode=RunMode.BACKTEST)


@pytest.mark.parametrize("stoploss", [-0.99, -0.301, -0.019, 0.1, float("nan")])
def test_a_disaster_stop_that_is_none_is_refused(stoploss: float) -> None:
    assert f"stoploss is {stoploss}" in refusal(stoploss=stoploss)


@pytest.mark.parametrize("stoploss", [-0.3, -0.1, -0.02])
def test_a_real_disaster_stop_is_accepted(stoploss: float) -> None:
    strategy = made(stoploss=stoploss)
    refuse_unsafe(strategy)
    assert strategy.stoploss == stoploss


@pytest.mark.parametrize("name", ["exit", "emergency_exit", "force_exit", "stoploss"])
def test_what_leaves_a_position_must_not_wait_for_a_price(name: str) -> None:
    types = {**GuardedStrategy.order_types, name: "limit"}
    assert f"order_types.{name} is 'limit'" in refusal(order_types=types)


@pytest.mark.parametrize("profits", [{"0": 0.05}, {"0": 10, "60": 0}, {"0": 9.99}])
def test_a_profit_target_beside_the_rules_is_refused(profits: dict[str, float]) -> None:
    assert "minimal_roi is {" in refusal(minimal_roi=profits)


@pytest.mark.parametrize("profits", [{"0": 10}, {"0": 100}, {}])
def test_a_profit_target_that_is_never_reached_is_accepted(profits: dict[str, float]) -> None:
    refuse_unsafe(made(minimal_roi=profits))


FUTURES = "trading_mode is futures: expected spot, Ballast does not trade futures yet"


def test_futures_are_refused_in_one_sentence_before_anything_is_loaded() -> None:
    with pytest.raises(OperationalException, match=f"^{FUTURES}$"):
        Plain({"trading_mode": "futures", "stake_currency": "USDT"})


@pytest.mark.parametrize("name", ["bybit", "hyperliquid", "bitvavo"])
@pytest.mark.parametrize("mode", [RunMode.LIVE, RunMode.DRY_RUN])
def test_an_exchange_where_no_stop_can_rest_is_refused_once_and_for_all(
    name: str, mode: RunMode
) -> None:
    """Whatever order_types says: 'take it out' and 'it must be on' went round in a circle."""
    for rests in (True, False):
        types = {**GuardedStrategy.order_types, "stoploss_on_exchange": rests}
        config = {"exchange": {"name": name}, "runmode": mode, "order_types": types}
        with pytest.raises(OperationalException, match=f"Ballast does not trade on {name} yet"):
            Plain({**config, "stake_currency": "USDT"})


@pytest.mark.parametrize("name", ["binance", "kraken", "okx", "gateio", "kucoin"])
def test_an_exchange_where_stops_can_rest_is_accepted(name: str) -> None:
    Plain({"exchange": {"name": name}, "runmode": RunMode.LIVE, "stake_currency": "USDT"})


def test_a_backtest_needs_no_stop_that_rests() -> None:
    Plain({"exchange": {"name": "bybit"}, "runmode": RunMode.BACKTEST, "stake_currency": "USDT"})


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["stoploss"], "stoploss"),
        (["buy", "trailing"], "trailing"),
        (["roi"], "roi"),
        (["default"], "stoploss, roi"),
        (["all"], "stoploss, trailing, roi"),
    ],
)
def test_hyperopt_spaces_that_move_stops_are_named(given: list[str], named: str) -> None:
    with pytest.raises(OperationalException) as refused:
        made(runmode=RunMode.HYPEROPT, spaces=given)
    assert str(refused.value).startswith(f"--spaces {' '.join(given)} would move {named}: ")


@pytest.mark.parametrize("given", [["buy"], ["buy", "sell", "protection"]])
def test_hyperopt_may_try_rules(given: list[str]) -> None:
    refuse_unsafe(made(runmode=RunMode.HYPEROPT, spaces=given))


@pytest.mark.parametrize(("timeframe", "candles"), [("5m", 721), ("1h", 721), ("4h", 181)])
def test_the_warm_up_is_that_of_the_longest_window(timeframe: str, candles: int) -> None:
    assert made(timeframe).startup_candle_count == candles


def test_a_timeframe_too_long_for_the_windows_is_refused() -> None:
    with pytest.raises(
        OperationalException, match=r"Plain cannot run on timeframe 1d: \w+\(.*\): win"
    ):
        _ = made("1d").startup_candle_count


def test_the_webserver_reads_parameters_and_chart_of_a_strategy_that_is_not_started() -> None:
    """FreqUI's 'From strategy' asks for the chart in this way; it showed nothing."""
    strategy = made()
    strategy.ft_load_hyper_params(False)
    assert list(strategy.plot_config["subplots"]["Plain"]) == ["unmet_Plain"]


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        ({"stops": StopRules(initial_atr=-3)}, "Odd.stops.initial_atr is -3: expected a number"),
        ({"stops": StopRules(4, time_stop="10 d")}, "Odd.stops.time_stop is '10 d': expected"),
        ({"size": 3}, "Odd.size is 3: expected a number above 0 to 1"),
    ],
)
def test_stops_and_sizes_that_cannot_be_used_are_refused_in_one_sentence(
    stated: dict[str, Any], sentence: str
) -> None:
    odd = type("Odd", (Plain,), {**stated, "__module__": __name__})
    with pytest.raises(OperationalException) as refused:
        odd({"stake_currency": "USDT", "dry_run": True, "timeframe": "1h"})
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


class LooksBack(Plain):
    def entry_rules(self, pair: Any, market: Any) -> Any:
        dipped = within("12h", crossed_below(pair.close, pair.mean("30d")))
        return {"turned": any_of(calm=for_at_least("6h", dipped), up=above(pair.close, 1.0))}

    def exit_rules(self, pair: Any, market: Any) -> Any:
        return {"stale": for_at_least("24h", below(pair.close, pair.mean("2d")))}


@pytest.mark.parametrize(("timeframe", "more"), [("1h", 23), ("4h", 5), ("5m", 287)])
def test_what_rules_look_back_on_is_added_to_their_longest_window(
    timeframe: str, more: int
) -> None:
    """The crossing of the first candle after the warm-up would not be known otherwise."""
    found = {}
    for kind in (Plain, LooksBack):
        strategy = kind({"stake_currency": "USDT"})
        strategy.timeframe = timeframe
        found[kind] = strategy.startup_candle_count
    assert found[LooksBack] - found[Plain] == more
