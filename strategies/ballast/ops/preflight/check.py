"""What a check is given and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

import ccxt
from freqtrade.misc import deep_merge_dicts

from ballast.strategy import startup

TIMEOUT_MS = 10_000


class Level(StrEnum):
    """How a finding is to be taken; FAIL forbids the start."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class CheckResult:
    """
    One line of the report.

    Parameters
    ----------
    what : str
        What was seen.
    todo : str
        What to do about it; empty where nothing is.
    """

    level: Level
    what: str
    todo: str = ""


def passed(what: str) -> CheckResult:
    """A finding that is in order."""
    return CheckResult(Level.PASS, what)


def warned(what: str, todo: str) -> CheckResult:
    """A finding to think about."""
    return CheckResult(Level.WARN, what, todo)


def failed(what: str, todo: str) -> CheckResult:
    """A finding with which the bot must not start."""
    return CheckResult(Level.FAIL, what, todo)


@dataclass
class Bot:
    """
    The bot that is about to start.

    Parameters
    ----------
    config : mapping
        Freqtrade's configuration, its files and environment merged.
    strategy : IStrategy
        As Freqtrade has loaded it.
    now : callable
        Present time (UTC).
    telegram_url : str or None
        Where Telegram's API is, up to the token; None for where it is.
    """

    config: Mapping[str, Any]
    strategy: Any
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    telegram_url: str | None = None

    @property
    def live(self) -> bool:
        """Whether real money is traded; what is not said is live, though Freqtrade would not."""
        return self.config.get("dry_run") is not True

    @cached_property
    def api(self) -> Any:
        """The exchange by ccxt, with the bot's own keys and addresses."""
        exchange = self.config["exchange"]
        options = deep_merge_dicts(
            dict(exchange.get("ccxt_sync_config") or {}), dict(exchange.get("ccxt_config") or {})
        )
        named = {
            "apiKey": exchange.get("key") or exchange.get("api_key") or exchange.get("apiKey"),
            "secret": exchange.get("secret"),
            "password": exchange.get("password"),
            "uid": exchange.get("uid"),
            "walletAddress": exchange.get("wallet_address") or exchange.get("walletAddress"),
            "privateKey": exchange.get("private_key") or exchange.get("privateKey"),
        }
        return getattr(ccxt, exchange["name"])(
            {**named, "timeout": TIMEOUT_MS, "enableRateLimit": True, **options}
        )

    @property
    def has_key(self) -> bool:
        """Whether the configuration holds any part of a key of the exchange."""
        return len(self.missing) < len(self._needed)

    @property
    def missing(self) -> list[str]:
        """Parts of its key that the exchange asks for and the configuration lacks."""
        return [name for name in self._needed if not getattr(self.api, name)]

    @property
    def _needed(self) -> list[str]:
        return [name for name, needed in self.api.requiredCredentials.items() if needed]


def found(bot: Bot, *checks: startup.Check) -> list[CheckResult]:
    """What `freqtrade trade` would refuse of a bot's settings, as failures."""
    return [failed(fault.what, fault.todo) for check in checks for fault in check(bot.strategy)]


def is_pattern(pair: str) -> bool:
    """Whether an entry of a whitelist stands for several pairs."""
    return bool(set(pair) & set(".*+?[]()|^$"))


def chooses_pairs(config: Mapping[str, Any]) -> bool:
    """Whether a pairlist of Freqtrade's chooses what is traded while the bot runs."""
    chosen = config.get("pairlists") or [{"method": "StaticPairList"}]
    return chosen[0].get("method") != "StaticPairList"


Check = Callable[[Bot], list[CheckResult]]
