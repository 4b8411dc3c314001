"""Rules of the account stand aside under `lookahead-analysis`, and never where anything trades."""

from typing import Any

import pytest
from freqtrade.enums import RunMode

from ballast.config.settings import Settings
from ballast.strategy.state import is_lookahead_analysis

# All that the analysis sets, and the defaults that every configuration has.
OVERRIDES: dict[str, Any] = {
    "dry_run_wallet": 1_000_000_000,
    "stake_amount": 10_000,
    "max_open_trades": -1,
    "enable_protections": False,
    "backtest_cache": "none",
    "targeted_trade_amount": 20,
    "minimum_trade_amount": 10,
}


@pytest.mark.parametrize("mode", [mode for mode in RunMode if mode != RunMode.UTIL_NO_EXCHANGE])
def test_no_other_mode_of_running_is_taken_for_it(mode: RunMode) -> None:
    assert not is_lookahead_analysis({**OVERRIDES, "runmode": mode})


def test_a_configuration_without_a_mode_is_not_taken_for_it() -> None:
    assert not is_lookahead_analysis(OVERRIDES)


def test_nor_a_utility_that_looks_at_strategies() -> None:
    assert not is_lookahead_analysis({"runmode": RunMode.UTIL_NO_EXCHANGE, "dry_run_wallet": 1000})


def test_the_analysis_is_known() -> None:
    assert is_lookahead_analysis({**OVERRIDES, "runmode": RunMode.UTIL_NO_EXCHANGE})


def test_what_stands_aside_is_every_guard_and_the_count_of_entries() -> None:
    given = Settings()
    aside = given.for_single_pairs()
    assert not any(aside.guards.is_on(name) for name in aside.guards.names())
    assert aside.risk.entries_per_candle > 10_000
    assert given.guards.is_on("DailyLossLimit")
    assert aside.risk.per_trade_pct == given.risk.per_trade_pct
