"""Does the installed Freqtrade keep what the risk layer leans on?

Each check looks at one behaviour, in a moment and without a market: names, parameters, and what
small functions answer. How the engines behave (order of events, stops, fills) takes whole runs and
is held by the contract tests of the repository, which the command runs where they are.
"""

import inspect
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import freqtrade
from freqtrade.configuration.config_secrets import sanitize_config
from freqtrade.configuration.environment_vars import environment_vars_to_dict
from freqtrade.data.dataprovider import DataProvider
from freqtrade.exceptions import TemporaryError
from freqtrade.exchange.common import retrier
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.persistence import LocalTrade, Order, PairLocks, Trade
from freqtrade.resolvers.protection_resolver import ProtectionResolver
from freqtrade.rpc.api_server import api_schemas
from freqtrade.strategy import IStrategy, stoploss_from_absolute
from freqtrade.strategy.strategy_wrapper import strategy_safe_wrapper
from freqtrade.worker import Worker
from freqtrade_client import FtRestClient

from ballast.execution.api_errors import LOGGER, ApiErrors
from ballast.risk import protection_list
from ballast.strategy.guarded import GuardedStrategy
from ballast.strategy.layer import Layer

TESTED = "2026.9"
# What is asked of the API by health, metrics and drill.
_QUESTIONS = {"show_config", "health", "whitelist", "pair_candles", "balance", "status", "locks"}
_QUESTIONS |= {"profit", "trades", "logs", "forceenter", "forceexit", "stopbuy", "start", "stop"}
_ANSWERS = {
    "Health": "last_process_ts",
    "PairHistory": "data_stop_ts",
    "ShowConfig": "state timeframe timeframe_ms dry_run",
    "Balances": "currencies stake",
    "OpenTradeSchema": "amount current_rate stop_loss_abs orders open_rate_requested",
    "OrderSchema": "ft_order_side is_open",
    "LockModel": "pair reason",
    "Profit": "profit_closed_coin profit_factor winning_trades losing_trades",
}


def version() -> str:
    """It is the version that all else was tested with."""
    found = str(freqtrade.__version__)
    return "" if found == TESTED else f"Freqtrade is {found}, tested with {TESTED}"


def callbacks() -> str:
    """Callbacks are called with the parameters that the risk layer names."""
    members = {**vars(Layer), **vars(GuardedStrategy)}
    ours = [name for name, m in members.items() if inspect.isfunction(m) and name[0] != "_"]
    for name in [n for n in ours if hasattr(IStrategy, n)]:
        theirs = set(inspect.signature(getattr(IStrategy, name)).parameters)
        asked = set(inspect.signature(getattr(GuardedStrategy, name)).parameters)
        if missing := asked - theirs - {"kwargs"}:
            return f"{name} is no longer given {', '.join(sorted(missing))}"
    return ""


def failing_callback() -> str:
    """A callback that raises is answered with the default: why ours refuse by themselves."""

    def fails() -> None:
        raise KeyError("on purpose")

    answer = strategy_safe_wrapper(fails, default_retval="default")()
    return "" if answer == "default" else f"it was answered with {answer!r}"


def stop_through_the_market() -> str:
    """A stop above the price is answered with 0, which means no change."""
    answer = stoploss_from_absolute(110.0, 100.0, is_short=False)
    return "" if answer == 0 else f"it is {answer!r}"


def guards_as_protections() -> str:
    """Guards can be loaded as protections from the pack's own folder."""
    protection_list.register()
    found = {
        item["name"]
        for item in ProtectionResolver.search_all_objects({"user_data_dir": "."}, enum_failed=False)
    }
    missing = {"DailyLossLimit", "CooldownPeriod"} - found
    return f"{', '.join(sorted(missing))} cannot be found" if missing else ""


def failed_requests() -> str:
    """Every failed request is logged as it is counted for the guard DataOutageHalt."""
    counter, source = ApiErrors(), logging.getLogger(LOGGER)
    # As a run does: whatever the log's settings are, it hears.
    counter.listen()

    @retrier(retries=0)
    def fails() -> None:
        raise TemporaryError("on purpose")

    try:
        fails()
    except TemporaryError:
        counted = counter.count(datetime.now(UTC))
    finally:
        source.removeHandler(counter)
    return "" if counted == 1 else f"{counted} of 1 were counted"


def locks() -> str:
    """Locks take a side and a moment, and trades can be asked for by when they closed."""
    wanted = {
        PairLocks.lock_pair: {"pair", "until", "reason", "now", "side"},
        PairLocks.get_pair_locks: {"pair", "now", "side"},
        Trade.get_trades_proxy: {"is_open", "close_date"},
    }
    for function, names in wanted.items():
        missing = names - set(inspect.signature(function).parameters)
        if missing:
            return f"{function.__qualname__} lacks {', '.join(sorted(missing))}"
    return ""


def trades() -> str:
    """Trades and orders have the fields that are read."""
    fields: Mapping[Any, str] = {
        LocalTrade: "stop_loss open_rate close_profit close_profit_abs enter_tag open_date_utc"
        " close_date_utc get_custom_data set_custom_data",
        Trade: "strategy is_open",
        Order: "order_id ft_order_side ft_trade_id",
    }
    for kind, names in fields.items():
        missing = [name for name in names.split() if not hasattr(kind, name)]
        if missing:
            return f"{kind.__name__} lacks {', '.join(missing)}"
    return ""


def data_provider() -> str:
    """Candles, whitelist and messages are reached through the data provider."""
    names = ["get_pair_dataframe", "historic_ohlcv", "current_whitelist", "market", "send_msg"]
    missing = [name for name in names if not hasattr(DataProvider, name)]
    if not missing and "__rpc" not in inspect.getsource(DataProvider.__init__):
        missing = ["__rpc"]
    return f"it lacks {', '.join(missing)}" if missing else ""


def bot() -> str:
    """Stops are placed, positions left and entries withdrawn through the bot's own methods."""
    wanted = {
        FreqtradeBot.create_stoploss_order: {"trade", "stop_price"},
        FreqtradeBot.execute_trade_exit: {"trade", "limit", "exit_check"},
        FreqtradeBot.handle_cancel_enter: {"trade", "order", "order_obj", "reason"},
        FreqtradeBot.update_trade_state: {"trade", "order_id", "action_order"},
        FreqtradeBot.handle_protections: {"pair", "side"},
    }
    for function, names in wanted.items():
        missing = names - set(inspect.signature(function).parameters)
        if missing:
            return f"{function.__qualname__} lacks {', '.join(sorted(missing))}"
    source = inspect.getsource(FreqtradeBot._update_trade_after_fill)
    asked = ("order_filled", "cancel_stoploss_on_exchange", "ft_stoploss_adjust")
    places = [source.find(name) for name in asked]
    return "" if -1 < places[0] < places[1] < places[2] else "a fill is booked in another order"


def api() -> str:
    """The API is asked, and answers, by the names that health, metrics and drill use."""
    missing = [name for name in sorted(_QUESTIONS) if not hasattr(FtRestClient, name)]
    for schema, names in _ANSWERS.items():
        fields = getattr(api_schemas, schema).model_fields
        missing += [f"{schema}.{name}" for name in names.split() if name not in fields]
    return f"it lacks {', '.join(missing)}" if missing else ""


def configuration() -> str:
    """The environment becomes settings, and secrets are known for what they are."""
    shown = sanitize_config({"exchange": {"secret": "hidden"}, "api_server": {"password": "hid"}})
    if "hid" in str(shown.values()):
        return "secrets are shown"
    return "" if isinstance(environment_vars_to_dict(), dict) else "the environment is not read"


def service() -> str:
    """systemd is told of every loop."""
    told = "WATCHDOG=1" in inspect.getsource(Worker)
    return "" if told else "the watchdog is not told"


# By what is said of each; a check answers what is wrong, or nothing.
CHECKS: tuple[Callable[[], str], ...] = (
    version,
    callbacks,
    failing_callback,
    stop_through_the_market,
    guards_as_protections,
    failed_requests,
    locks,
    trades,
    data_provider,
    bot,
    api,
    configuration,
    service,
)


def examine() -> list[tuple[str, str]]:
    """What each check is about, and what is wrong; a check that breaks has found something."""
    return [(inspect.getdoc(check) or "", _answer(check)) for check in CHECKS]


def _answer(check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
