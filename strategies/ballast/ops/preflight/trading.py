"""Settings under which the stops, the guards and the sizer hold."""

import math

from ballast.ops.preflight.check import Bot, Finding, failed, passed, warned
from ballast.strategy.guarded import GuardedStrategy
from ballast.strategy.startup import DISASTER_STOP


def mode(bot: Bot) -> list[Finding]:
    """Paper or live, said so that nobody can miss it."""
    said = "LIVE: REAL MONEY IS TRADED" if bot.live else "PAPER TRADING: NO REAL MONEY"
    if bot.live and "dry_run" not in bot.config:
        return [failed("dry_run is not set", "say dry_run: true, or false for real money")]
    return [passed(said)]


def layer(bot: Bot) -> list[Finding]:
    """The strategy has the risk layer under it."""
    name = type(bot.strategy).__name__
    if not isinstance(bot.strategy, GuardedStrategy):
        return [failed(f"{name} is no GuardedStrategy", "choose a strategy of this pack")]
    off = bot.strategy.settings.guards.off
    if off:
        return [warned(f"guards switched off: {', '.join(off)}", "know why, or switch them on")]
    return [passed(f"{name} with every guard on")]


def stops(bot: Bot) -> list[Finding]:
    """A stop that rests on the exchange, and a disaster stop behind it."""
    findings = []
    orders = bot.strategy.order_types
    if not orders.get("stoploss_on_exchange"):
        findings.append(
            failed(
                "stoploss_on_exchange is off: a bot that is down has no stop",
                "take order_types out of the configuration",
            )
        )
    deepest, tightest = DISASTER_STOP
    if not deepest <= bot.strategy.stoploss <= tightest:
        findings.append(
            failed(
                f"stoploss is {bot.strategy.stoploss}",
                f"set it from {deepest} to {tightest}: it is what holds if all else fails",
            )
        )
    return findings or [
        passed(f"stops rest on the exchange, disaster stop {bot.strategy.stoploss:.0%}")
    ]


def positions(bot: Bot) -> list[Finding]:
    """A finite number of positions, long and spot, bought by the strategy alone."""
    findings = []
    most = float(bot.config.get("max_open_trades", math.inf))
    if not 0 < most < math.inf:
        findings.append(
            failed(f"max_open_trades is {most:g}", "set a number, such as that of the pairs")
        )
    if bot.config.get("trading_mode", "spot") != "spot":
        findings.append(
            failed(f"trading_mode is {bot.config['trading_mode']}", "these strategies are for spot")
        )
    if bot.config.get("force_entry_enable"):
        findings.append(
            warned(
                "force_entry_enable is on: a person may buy past rules and guards",
                "set it to false",
            )
        )
    return findings or [passed(f"at most {most:g} positions, spot")]


def protections(bot: Bot) -> list[Finding]:
    """Guards are asked in backtests as in trading."""
    names = [entry["method"] for entry in bot.strategy.protections]
    if not names:
        return [failed("there are no protections", "switch guards on (ballast.guards.off)")]
    if not bot.config.get("enable_protections"):
        return [
            warned(
                "enable_protections is off: backtests are not of what is traded",
                "set it to true",
            )
        ]
    return [passed(f"{len(names)} protections are on")]


def old_signals(bot: Bot) -> list[Finding]:
    """A signal that is too old is not traded on."""
    limit_s = bot.strategy.ignore_buying_expired_candle_after
    if not 0 < limit_s <= 600:
        return [
            failed(
                f"ignore_buying_expired_candle_after is {limit_s} s",
                "set it from 1 to 600: after an outage old signals would be bought",
            )
        ]
    return [passed(f"signals are bought for {limit_s} s")]
