"""What the key of the exchange may do: trade, and nothing else."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from ballast.ops.preflight.check import Bot, CheckResult, failed, passed, warned

# By Binance's own names (account/apiRestrictions).
_FORBIDDEN = {
    "enableWithdrawals": "withdraw",
    "enableInternalTransfer": "transfer to other accounts",
    "permitsUniversalTransfer": "transfer between wallets",
}
_NEEDED = {"enableReading": "read the account", "enableSpotAndMarginTrading": "trade spot"}
_UNUSED = {"enableMargin": "borrow on margin", "enableFutures": "trade futures"}
# By ccxt's names of a key's parts.
_WALLET = "privateKey"
_VARIABLES = {
    "apiKey": "KEY",
    "secret": "SECRET",
    "password": "PASSWORD",
    "uid": "UID",
    _WALLET: "PRIVATE_KEY",
    "walletAddress": "WALLET_ADDRESS",
}
_ENDS_SOON = timedelta(days=14)


def key_rights(bot: Bot) -> list[CheckResult]:
    """Refuse a key that can move money away; warn of one that is good from any address."""
    if not bot.has_key:
        if not bot.live:
            return [passed("paper trading uses no key, and there is none")]
        return [failed("there is no key", _set(bot.missing))]
    if bot.missing:
        return [failed(f"the key lacks its {', '.join(bot.missing)}", _set(bot.missing))]
    name = bot.config["exchange"]["name"]
    if bot.api.requiredCredentials.get(_WALLET):
        return [
            warned(
                f"cannot verify: {name} takes a wallet's private key, whose rights Ballast does "
                "not look at yet",
                "give it that of an API wallet, which cannot withdraw",
            )
        ]
    if name != "binance":
        return [
            warned(
                f"cannot verify: {name} does not tell what a key may do",
                "look it up on its web page: reading and spot trading on, withdrawal and transfer "
                "off, only this server's address",
            )
        ]
    rights = bot.api.sapiGetAccountApiRestrictions()
    if not isinstance(rights, Mapping):
        rights = {}
    return _judged(rights, bot)


def _set(parts: Sequence[str]) -> str:
    """Which variables hold parts of a key."""
    return f"set {' and '.join(f'FREQTRADE__EXCHANGE__{_VARIABLES[part]}' for part in parts)}"


def _judged(rights: Mapping[str, Any], bot: Bot) -> list[CheckResult]:
    findings = []
    for right, words in _FORBIDDEN.items():
        if rights.get(right) is not False:
            said = "may" if rights.get(right) is True else "is not known not to"
            findings.append(failed(f"the key {said} {words}", f"take {right} off the key"))
    for right, words in _NEEDED.items():
        if rights.get(right) is not True:
            findings.append(failed(f"the key may not {words}", f"give {right} to the key"))
    for right, words in _UNUSED.items():
        if rights.get(right) is True:
            findings.append(
                warned(f"the key may {words}, which is never needed", f"take {right} off the key")
            )
    if rights.get("ipRestrict") is not True:
        findings.append(
            warned("the key is good from any address", "restrict it to this server's address")
        )
    findings += _expiry(rights, bot)
    return findings or [passed("the key may read and trade spot, from given addresses only")]


def _expiry(rights: Mapping[str, Any], bot: Bot) -> list[CheckResult]:
    """Binance ends the right to trade of a key without addresses after some weeks."""
    ends_ms = rights.get("tradingAuthorityExpirationTime")
    if not isinstance(ends_ms, int | str) or not str(ends_ms).isdigit():
        return []
    left = timedelta(milliseconds=int(ends_ms)) - timedelta(seconds=bot.now().timestamp())
    if left > _ENDS_SOON:
        return []
    return [warned(f"the key may trade for {left.days} more days", "make a new key in time")]
