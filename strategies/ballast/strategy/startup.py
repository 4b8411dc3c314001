"""What must not start: settings under which the risk layer would not hold.

Asked by `freqtrade trade`, by backtests and by `python -m ballast preflight`, which all refuse the
same. What only the exchange, the machine or Telegram can tell, and may be otherwise a minute later,
is asked by preflight alone: a bot that holds positions comes back after a crash whatever they say.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import freqtrade.exchange as exchanges
from freqtrade.enums import TRADE_MODES, RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.optimize.hyperopt_tools import HyperoptTools
from freqtrade.strategy import IStrategy

from ballast.core.quoting import quoted
from ballast.strategy.overrides import refuse_before_layer, refuse_overrides
from ballast.strategy.state import is_lookahead_analysis

# A stop at -99 % is none, and one at -1 % is hit before the managed stop.
DISASTER_STOP = (-0.3, -0.02)
# Seconds: the oldest that `gate.signal_age_s` may let a signal be, and a minute.
OLDEST_SIGNAL_S = 3660

_MOVED_BY_BALLAST = "the stops are moved by Ballast"
# Settings of Freqtrade's that must be as they are here, and why.
_NEEDED = {
    "use_custom_stoploss": (True, _MOVED_BY_BALLAST),
    "use_exit_signal": (True, _MOVED_BY_BALLAST),
    "trailing_stop": (False, _MOVED_BY_BALLAST),
    "disable_dataframe_checks": (False, "a frame that is not the pair's must not be traded on"),
}
# Order types of all that leaves a position.
_LEAVES = ("exit", "emergency_exit", "force_exit", "stoploss")
# A profit of 1000 % is Freqtrade's own "never".
_NEVER = 10
# Parts of a strategy that hyperopt would decide in Ballast's place.
_DECIDED_HERE = ("stoploss", "trailing", "roi")

_TOKEN = re.compile(r"\d+:[\w-]{30,}")
_SECRETS = {"password": 12, "jwt_secret_key": 32}
_DISTINCT = 8
# From Freqtrade's code, templates and documentation.
_KNOWN = {"super-secret", "somethingrandom", "supersecurepassword", "supersecret1!", "secret"}
_KNOWN |= {"freqtrader", "freqtrade", "password", "changeme"}
_MAKE = 'make one: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'


@dataclass(frozen=True)
class Fault:
    """
    A setting with which nothing must start.

    Parameters
    ----------
    what : str
        The setting and its value.
    todo : str
        What is accepted, or what to do.
    """

    what: str
    todo: str

    def __str__(self) -> str:
        return f"{self.what}: {self.todo}"


Check = Callable[[IStrategy], Iterable[Fault]]


def refuse_configuration(strategy: IStrategy, *more: Check) -> None:
    """
    Refuse what the configuration alone says, before an exchange is asked or an API opened.

    Parameters
    ----------
    more : callables
        Further checks of this kind of strategy.

    Raises
    ------
    OperationalException
        One sentence: the setting, its value and what is accepted.
    """
    _refuse(strategy, (market, *more), (exchange, api, telegram))


def refuse_unsafe(strategy: IStrategy) -> None:
    """
    Refuse to start, or to go on, as the strategy and its settings are now.

    Raises
    ------
    OperationalException
        As above.
    """
    refuse_overrides(type(strategy), tuple(vars(strategy)))
    in_trading = (stops_rest, open_orders, positions, protections, old_signals, forced_additions)
    _refuse(strategy, (stops, exits, adjustment), in_trading)


def refuse_unsafe_layer(strategy: IStrategy) -> None:
    """
    Refuse to start, or to go on, with another's strategy as it and its settings are now.

    Its stop, profit targets and exits are proposals; what the layer has put in their place must be
    there.

    Raises
    ------
    OperationalException
        As above.
    """
    own = tuple(vars(strategy))
    refuse_before_layer(type(strategy), own)
    in_trading = (stops_rest, open_orders, positions, protections, old_signals, forced_additions)
    _refuse(strategy, (held,), in_trading)


def _refuse(
    strategy: IStrategy, everywhere: tuple[Check, ...], in_trading: tuple[Check, ...]
) -> None:
    trades = strategy.config.get("runmode") in TRADE_MODES
    for check in (*everywhere, *(in_trading if trades else ())):
        for fault in check(strategy):
            raise OperationalException(str(fault))


def market(strategy: IStrategy) -> Iterator[Fault]:
    """Spot alone."""
    mode = strategy.config.get("trading_mode", "spot")
    if mode != "spot":
        yield Fault(f"trading_mode is {mode}", "expected spot, Ballast does not trade futures yet")


def named_basket(strategy: IStrategy) -> Iterator[Fault]:
    """Named, where the whitelist that stands in for it is cut to single pairs."""
    settings = strategy._ballast.settings
    if is_lookahead_analysis(strategy.config) and settings.market.basket is None:
        yield Fault(
            "ballast.market.basket is null",
            "expected pairs by name in lookahead-analysis, which cuts the whitelist to one pair "
            "at a time, whose breadth is not the market's",
        )


def exchange(strategy: IStrategy) -> Iterator[Fault]:
    """A stop can rest on the exchange."""
    name = str((strategy.config.get("exchange") or {}).get("name", ""))
    known = exchanges.MAP_EXCHANGE_CHILDCLASS.get(name, name).title()
    options = getattr(exchanges, known, exchanges.Exchange).combine_ft_has(include_futures=False)
    if not options["stoploss_on_exchange"]:
        yield Fault(
            f"Ballast does not trade on {name} yet",
            "Freqtrade can place no stop order on its spot market, and a bot that is down would "
            "have none; choose another exchange (backtests are not concerned)",
        )


def stops(strategy: IStrategy) -> Iterator[Fault]:
    """Ballast moves the stops, and a disaster stop is behind them."""
    for name, (wanted, why) in _NEEDED.items():
        if (value := getattr(strategy, name)) is not wanted:
            yield Fault(f"{name} is {quoted(value)}", f"expected {wanted!r}, {why}")
    yield from _leaves_at_once(strategy)
    deepest, tightest = DISASTER_STOP
    if not deepest <= strategy.stoploss <= tightest:
        yield Fault(
            f"stoploss is {quoted(strategy.stoploss)}",
            f"expected a disaster stop from {deepest} to {tightest}",
        )


def held(strategy: IStrategy) -> Iterator[Fault]:
    """What the layer needs of a strategy's attributes, whoever has set them last."""
    if not strategy.use_custom_stoploss:
        yield Fault("use_custom_stoploss is False", f"expected True, {_MOVED_BY_BALLAST}")
    yield from _leaves_at_once(strategy)
    deepest, _ = DISASTER_STOP
    if not deepest <= strategy.stoploss < 0:
        yield Fault(f"stoploss is {quoted(strategy.stoploss)}", f"expected one from {deepest} to 0")


def exits(strategy: IStrategy) -> Iterator[Fault]:
    """No exit of Freqtrade's own beside the strategy's rules."""
    if any(not profit >= _NEVER for profit in strategy.minimal_roi.values()):
        yield Fault(
            f"minimal_roi is {strategy.minimal_roi}",
            "expected {'0': 10}, which is never: positions are left by exit_rules and stops",
        )


def adjustment(strategy: IStrategy) -> Iterator[Fault]:
    """Freqtrade's position adjustment is on where setups sell in parts, and nowhere else."""
    wanted = strategy._ballast.sells_parts
    if (value := strategy.position_adjustment_enable) is not wanted:
        yield Fault(
            f"position_adjustment_enable is {quoted(value)}",
            f"expected {wanted!r}, positions are sold in parts by exit_rules alone",
        )


def spaces(strategy: IStrategy) -> Iterator[Fault]:
    """Hyperopt tries rules, and not what Ballast decides."""
    config = strategy.config
    if config.get("runmode") != RunMode.HYPEROPT:
        return
    taken = [name for name in _DECIDED_HERE if HyperoptTools.has_space(config, name)]
    if taken:
        yield Fault(
            f"--spaces {' '.join(config['spaces'])} would move {', '.join(taken)}",
            "expected others, such as --spaces buy; stops and exits are decided by Ballast",
        )


def stops_rest(strategy: IStrategy) -> Iterator[Fault]:
    """Stops rest on the exchange while a bot is down."""
    if not strategy.order_types.get("stoploss_on_exchange"):
        yield Fault(
            "order_types.stoploss_on_exchange is off",
            "expected true, a bot that is down has no stop; take order_types out of the "
            "configuration",
        )


def open_orders(strategy: IStrategy) -> Iterator[Fault]:
    """No entry is left in the book when the process ends."""
    if strategy.config.get("cancel_open_orders_on_exit") is not True:
        yield Fault(
            "cancel_open_orders_on_exit is off",
            "expected true, an entry that fills when there is no bot has no stop",
        )


def positions(strategy: IStrategy) -> Iterator[Fault]:
    """A finite number of positions."""
    most = float(strategy.config.get("max_open_trades", math.inf))
    if not 0 <= most < math.inf:
        yield Fault(f"max_open_trades is {most:g}", "set a number, such as that of the pairs")


def protections(strategy: IStrategy) -> Iterator[Fault]:
    """At least one guard."""
    if not strategy.protections:
        yield Fault("there are no protections", "switch guards on (ballast.guards.off)")


def old_signals(strategy: IStrategy) -> Iterator[Fault]:
    """A signal that is too old is not traded on."""
    limit_s = strategy.ignore_buying_expired_candle_after
    if not 0 < limit_s <= OLDEST_SIGNAL_S:
        yield Fault(
            f"ignore_buying_expired_candle_after is {limit_s} s",
            f"set it from 1 to {OLDEST_SIGNAL_S}: after an outage old signals would be bought",
        )


def forced_additions(strategy: IStrategy) -> Iterator[Fault]:
    """No entry that nobody is asked about."""
    if strategy.position_adjustment_enable and strategy.config.get("force_entry_enable"):
        yield Fault(
            "force_entry_enable is True",
            "expected False with a strategy that adjusts its positions: /forceenter on an open "
            "pair would add to it, and Freqtrade asks no check about that",
        )


def api(strategy: IStrategy) -> Iterator[Fault]:
    """Secrets of the API cannot be guessed; whoever has them may sell everything."""
    section = strategy.config.get("api_server") or {}
    if not section.get("enabled"):
        return
    for name, length in _SECRETS.items():
        if weakness := _weakness(str(section.get(name) or ""), length):
            yield Fault(f"api_server.{name} {weakness}", _MAKE)
    if section.get("password") == section.get("username"):
        yield Fault("api_server.password is the user's name", _MAKE)


def telegram(strategy: IStrategy) -> Iterator[Fault]:
    """Messages have somewhere to go."""
    section = strategy.config.get("telegram") or {}
    if not section.get("enabled"):
        return
    if not _TOKEN.fullmatch(str(section.get("token") or "")):
        yield Fault("telegram.token is no token", "copy the one BotFather gave")
    elif not re.fullmatch(r"-?\d+", str(section.get("chat_id") or "")):
        yield Fault("telegram.chat_id is no number", "ask @userinfobot for it")


def _leaves_at_once(strategy: IStrategy) -> Iterator[Fault]:
    for name in _LEAVES:
        if (value := strategy.order_types.get(name, "market")) != "market":
            yield Fault(
                f"order_types.{name} is {quoted(value)}",
                "expected 'market', what leaves a position does not wait for a price",
            )


def _weakness(secret: str, length: int) -> str:
    """What is wrong with a secret, without showing it; empty if nothing is."""
    if secret.lower() in _KNOWN:
        return "is one that everybody knows"
    if len(secret) < length:
        return f"has {len(secret)} characters, expected {length} or more"
    if len(set(secret)) < _DISTINCT:
        return f"has {len(set(secret))} different characters, expected {_DISTINCT} or more"
    return ""
