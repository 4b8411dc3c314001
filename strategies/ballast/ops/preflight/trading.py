"""Settings under which the stops, the guards and the sizer hold.

What fails here `freqtrade trade` refuses as well: the checks are those of `strategy.startup`.
"""

from ballast.ops.preflight.check import (
    Bot,
    CheckResult,
    chooses_pairs,
    failed,
    found,
    is_pattern,
    passed,
    warned,
)
from ballast.strategy import basket, startup
from ballast.strategy.foreign import ForeignLayer
from ballast.strategy.guarded import GuardedStrategy
from ballast.strategy.layer import Layer
from ballast.strategy.overrides import OverrideRefused, refuse_before_layer, refuse_overrides


def mode(bot: Bot) -> list[CheckResult]:
    """Paper or live, said so that nobody can miss it."""
    said = "LIVE: REAL MONEY IS TRADED" if bot.live else "PAPER TRADING: NO REAL MONEY"
    if bot.live and "dry_run" not in bot.config:
        return [failed("dry_run is not set", "say dry_run: true, or false for real money")]
    return [passed(said)]


def layer(bot: Bot) -> list[CheckResult]:
    """The strategy has the risk layer under it, and nothing before it."""
    name = type(bot.strategy).__name__
    if not isinstance(bot.strategy, Layer):
        todo = f"derive it from GuardedStrategy, or make one of guarded({name})"
        return [failed(f"{name} has no risk layer under it", todo)]
    refuse = refuse_before_layer if _is_foreign(bot) else refuse_overrides
    try:
        refuse(type(bot.strategy), tuple(vars(bot.strategy)))
    except OverrideRefused as refusal:
        return [failed(str(refusal), "take it out of the strategy")]
    guards = bot.strategy._ballast.settings.guards
    if guards.off:
        off = ", ".join(guards.off)
        return [warned(f"guards switched off: {off}", "know why, or switch them on")]
    waiting = "".join(f"; {each}" for each in guards.waiting())
    return [passed(f"{name} with every guard on{waiting}")]


def _is_foreign(bot: Bot) -> bool:
    """Whether the strategy is another's, held by the layer, and does not state rules."""
    return isinstance(bot.strategy, ForeignLayer)


def rules(bot: Bot) -> list[CheckResult]:
    """The rules can be met with the pairs that are traded and those that stand for the market."""
    if not isinstance(bot.strategy, GuardedStrategy):
        return []
    market = bot.strategy.settings.market
    traded = bot.config["exchange"].get("pair_whitelist") or []
    if chooses_pairs(bot.config) or any(map(is_pattern, traded)):
        return [passed("pairs are chosen while it runs: rules are looked at when it starts")]
    leader = market.leading(bot.config["stake_currency"])
    if never := basket.never_met(bot.strategy, traded, leader, market.basket or traded):
        return [warned(basket.sentence(never), basket.TODO)]
    if differs := market.unlike(traded):
        return [warned(differs, "name the pairs you mean in both, or set basket to null")]
    return [passed("every setup can be met")]


def stops(bot: Bot) -> list[CheckResult]:
    """A stop that rests on the exchange, moved by Ballast, and a disaster stop behind it."""
    placed = startup.held if _is_foreign(bot) else startup.stops
    return found(bot, startup.exchange, startup.stops_rest, placed, startup.open_orders) or [
        passed(f"stops rest on the exchange, disaster stop {bot.strategy.stoploss:.0%}")
    ]


def exits(bot: Bot) -> list[CheckResult]:
    """Positions are left by the strategy's rules and stops; exits of another's are taken."""
    if _is_foreign(bot):
        return []
    return found(bot, startup.exits, startup.adjustment) or [passed("no exit of Freqtrade's own")]


def positions(bot: Bot) -> list[CheckResult]:
    """A finite number of positions, long and spot, bought by the strategy alone."""
    findings = found(bot, startup.positions, startup.market)
    if bot.config.get("force_entry_enable"):
        findings.append(
            warned(
                "force_entry_enable is on: a person may buy past rules and guards",
                "set it to false",
            )
        )
    return findings or [passed(f"at most {bot.config['max_open_trades']:g} positions, spot")]


def protections(bot: Bot) -> list[CheckResult]:
    """Guards are asked in backtests as in trading."""
    if faults := found(bot, startup.protections):
        return faults
    if not bot.config.get("enable_protections"):
        return [
            warned(
                "enable_protections is off: backtests are not of what is traded",
                "set it to true",
            )
        ]
    return [passed(f"{len(bot.strategy.protections)} protections are on")]


def old_signals(bot: Bot) -> list[CheckResult]:
    """A signal that is too old is not traded on."""
    limit_s = bot.strategy.ignore_buying_expired_candle_after
    return found(bot, startup.old_signals) or [passed(f"signals are bought for {limit_s} s")]
