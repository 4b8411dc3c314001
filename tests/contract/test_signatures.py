"""The names and parameters of Freqtrade that Ballast overrides, calls or reads.

A renamed parameter raises nothing: Freqtrade passes keywords, `**kwargs` swallows the new one and
a guard goes on with a default. So every name is written down.
"""

import inspect

import pytest
from freqtrade.persistence import LocalTrade, Order, PairLocks, Trade
from freqtrade.plugins.protections import IProtection, ProtectionReturn
from freqtrade.strategy import IStrategy

CALLBACKS = {
    "bot_start": "kwargs",
    "bot_loop_start": "current_time kwargs",
    "informative_pairs": "",
    "populate_indicators": "dataframe metadata",
    "populate_entry_trend": "dataframe metadata",
    "populate_exit_trend": "dataframe metadata",
    "confirm_trade_entry": (
        "pair order_type amount rate time_in_force current_time entry_tag side kwargs"
    ),
    "confirm_trade_exit": (
        "pair trade order_type amount rate time_in_force exit_reason current_time kwargs"
    ),
    "order_filled": "pair trade order current_time kwargs",
    "custom_stoploss": "pair trade current_time current_rate current_profit after_fill kwargs",
    "custom_exit": "pair trade current_time current_rate current_profit kwargs",
    "custom_roi": "pair trade current_time trade_duration entry_tag side kwargs",
    "custom_entry_price": "pair trade current_time proposed_rate entry_tag side kwargs",
    "custom_exit_price": "pair trade current_time proposed_rate current_profit exit_tag kwargs",
    "custom_stake_amount": (
        "pair current_time current_rate proposed_stake min_stake max_stake leverage entry_tag side"
        " kwargs"
    ),
    "adjust_trade_position": (
        "trade current_time current_rate current_profit min_stake max_stake current_entry_rate"
        " current_exit_rate current_entry_profit current_exit_profit kwargs"
    ),
    "adjust_order_price": (
        "trade order pair current_time proposed_rate current_order_rate entry_tag side is_entry"
        " kwargs"
    ),
    "check_entry_timeout": "pair trade order current_time kwargs",
    "check_exit_timeout": "pair trade order current_time kwargs",
    "leverage": (
        "pair current_time current_rate proposed_leverage max_leverage entry_tag side kwargs"
    ),
    "plot_annotations": "pair start_date end_date dataframe kwargs",
    "version": "",
}


@pytest.mark.parametrize("name", CALLBACKS)
def test_callback_keeps_its_parameters(name: str) -> None:
    """Ballast's one strategy class overrides these and is called with keywords."""
    parameters = list(inspect.signature(getattr(IStrategy, name)).parameters)
    assert parameters == ["self", *CALLBACKS[name].split()]


def test_protection_has_these_abstract_methods_and_no_others() -> None:
    """Ballast's protections implement them; a fourth would stop every bot at start."""
    found = {
        name: list(inspect.signature(getattr(IProtection, name)).parameters)[1:]
        for name in IProtection.__abstractmethods__
    }
    assert found == {
        "short_desc": [],
        "global_stop": ["date_now", "side", "starting_balance"],
        "stop_per_pair": ["pair", "date_now", "side", "starting_balance"],
    }


def test_protection_is_built_from_config_and_protection_config() -> None:
    """The resolver passes both by keyword, so Ballast's constructors must carry these names."""
    parameters = list(inspect.signature(IProtection.__init__).parameters)
    assert parameters == ["self", "config", "protection_config"]


def test_protection_answer_keeps_its_fields() -> None:
    """Ballast's verdicts become this object: locked, until when, why, which side."""
    assert list(inspect.signature(ProtectionReturn).parameters) == [
        "lock",
        "until",
        "reason",
        "lock_side",
    ]


def test_lock_pair_takes_the_time_as_now() -> None:
    """Ballast passes `now`, else a backtest's locks start at the wall clock."""
    parameters = inspect.signature(PairLocks.lock_pair).parameters
    assert list(parameters) == ["pair", "until", "reason", "now", "side"]
    assert parameters["now"].kind is inspect.Parameter.KEYWORD_ONLY


def test_strategy_lock_pair_takes_no_time() -> None:
    """The reason why Ballast calls `PairLocks` instead of the strategy's own method."""
    assert "now" not in inspect.signature(IStrategy.lock_pair).parameters


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "pair",
        "open_rate",
        "open_date_utc",
        "close_date_utc",
        "amount",
        "stake_amount",
        "max_rate",
        "min_rate",
        "stop_loss",
        "stop_loss_pct",
        "initial_stop_loss",
        "initial_stop_loss_pct",
        "is_stop_loss_trailing",
        "fee_open",
        "fee_close",
        "is_open",
        "is_short",
        "leverage",
        "enter_tag",
        "exit_reason",
        "close_profit",
        "close_profit_abs",
        "orders",
        "nr_of_successful_entries",
        "has_open_orders",
        "bt_trades",
        "bt_trades_open",
        "bt_trades_open_pp",
        "get_trades_proxy",
        "get_open_trades",
        "calc_profit_ratio",
        "set_custom_data",
        "get_custom_data",
    ],
)
@pytest.mark.parametrize("kind", [LocalTrade, Trade])
def test_trade_has_the_field(kind: type, name: str) -> None:
    """Ballast reads positions, stops and history through these, in backtests and live."""
    assert name in vars(kind) | vars(LocalTrade) or name in LocalTrade.__annotations__


@pytest.mark.parametrize(
    "name", ["ft_price", "ft_order_side", "ft_is_open", "safe_price", "safe_filled", "price"]
)
def test_order_has_the_field(name: str) -> None:
    """Costs are modelled on an order's price; the journal reads what filled."""
    assert hasattr(Order, name)
