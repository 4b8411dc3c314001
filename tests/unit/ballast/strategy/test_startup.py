"""A strategy does not start under settings that would take the risk layer away."""

from typing import Any

import pytest
from freqtrade.exceptions import OperationalException

from ballast.core.rules import above
from ballast.core.stops import StopRules
from ballast.strategy.guarded import GuardedStrategy


class Plain(GuardedStrategy):
    timeframe = "1h"
    stops = StopRules(initial_atr=2)

    def entry_rules(self, pair: Any, market: Any) -> Any:
        return {"up": above(pair.close, pair.mean("30d"))}


def made(timeframe: str = "1h", **config: Any) -> Plain:
    strategy = Plain({"stake_currency": "USDT", "dry_run": True, "timeframe": timeframe, **config})
    strategy.timeframe = timeframe
    return strategy


def refusal(**config: Any) -> str:
    with pytest.raises(OperationalException) as refused:
        made(**config)
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trailing_stop", True),
        ("use_custom_stoploss", False),
        ("use_exit_signal", False),
        ("position_adjustment_enable", True),
    ],
)
def test_a_setting_that_takes_the_stops_away_is_refused(name: str, value: bool) -> None:
    assert f"{name} is {value}: expected {not value}" in refusal(**{name: value})


@pytest.mark.parametrize("stoploss", [-0.99, -0.301, -0.019, 0.1, float("nan")])
def test_a_disaster_stop_that_is_none_is_refused(stoploss: float) -> None:
    assert f"stoploss is {stoploss}" in refusal(stoploss=stoploss)


@pytest.mark.parametrize("stoploss", [-0.3, -0.1, -0.02])
def test_a_real_disaster_stop_is_accepted(stoploss: float) -> None:
    assert made(stoploss=stoploss).stops == Plain.stops


@pytest.mark.parametrize("callback", ["custom_stoploss", "confirm_trade_entry", "bot_loop_start"])
def test_a_strategy_cannot_redefine_what_the_risk_layer_lives_in(callback: str) -> None:
    with pytest.raises(TypeError, match=callback):
        type("Own", (GuardedStrategy,), {callback: lambda self, **kwargs: None})


@pytest.mark.parametrize(("timeframe", "candles"), [("5m", 721), ("1h", 721), ("4h", 181)])
def test_the_warm_up_is_that_of_the_longest_window(timeframe: str, candles: int) -> None:
    assert made(timeframe).startup_candle_count == candles


def test_a_timeframe_too_long_for_the_windows_is_refused() -> None:
    with pytest.raises(OperationalException, match="Plain cannot run on timeframe 1d: window"):
        _ = made("1d").startup_candle_count


def test_the_webserver_reads_parameters_and_chart_of_a_strategy_that_is_not_started() -> None:
    """FreqUI's 'From strategy' asks for the chart in this way; it showed nothing."""
    strategy = made()
    strategy.ft_load_hyper_params(False)
    assert list(strategy.plot_config["subplots"]["rules"]) == ["met_up"]
