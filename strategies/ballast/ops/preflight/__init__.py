"""Asked before every start: is this bot fit to be left alone with money?

One small check for each question; none changes anything, and none shows a secret.
"""

from collections.abc import Mapping
from dataclasses import replace

from ballast.core.redaction import Redactor
from ballast.core.wording import one_line
from ballast.ops.preflight import access, exchange, host, keys, open_positions, trading
from ballast.ops.preflight.check import Bot, Check, CheckResult, failed

CHECKS: Mapping[str, Check] = {
    "mode": trading.mode,
    "risk layer": trading.layer,
    "rules": trading.rules,
    "stops": trading.stops,
    "exits": trading.exits,
    "positions": trading.positions,
    "protections": trading.protections,
    "old signals": trading.old_signals,
    "key rights": keys.key_rights,
    "clock": exchange.clock,
    "candles": exchange.candles,
    "request room": exchange.request_room,
    "database": host.database,
    "open positions": open_positions.open_positions,
    "disk": host.disk,
    "Telegram": access.telegram,
    "API": access.api_server,
}


def inspect(bot: Bot) -> list[tuple[str, CheckResult]]:
    """
    Ask every check, in order.

    Returns
    -------
    list of (str, CheckResult)
        Name of the check and what it found; one that cannot be carried out has failed.
    """
    redactor = Redactor(bot.config)
    return [
        (name, replace(finding, what=redactor.text(finding.what)))
        for name, check in CHECKS.items()
        for finding in _asked(check, bot)
    ]


def _asked(check: Check, bot: Bot) -> list[CheckResult]:
    try:
        return check(bot)
    except Exception as error:
        reason = one_line(error)[:200]
        return [failed(f"cannot be checked: {type(error).__name__}: {reason}", "see the reason")]
