"""Who may reach the bot: Telegram, and the API that FreqUI, health and metrics speak to."""

import asyncio
import ipaddress
from typing import Any

from freqtrade.configuration.detect_environment import running_in_docker
from telegram import Bot as TelegramBot
from telegram.error import TelegramError

from ballast.ops.preflight.check import Bot, CheckResult, failed, found, passed, warned
from ballast.strategy import startup


def telegram(bot: Bot) -> list[CheckResult]:
    """Messages reach somebody: Telegram knows the token, and the token the chat."""
    section = bot.config.get("telegram") or {}
    if not section.get("enabled"):
        return [warned("Telegram is off: nobody is told of an alert", "set token and chat_id")]
    if faults := found(bot, startup.telegram):
        return faults
    try:
        name = asyncio.run(
            _greeted(str(section["token"]), str(section["chat_id"]), bot.telegram_url)
        )
    # The library puts the token into the text of its errors.
    except TelegramError as error:
        return [
            failed(
                f"Telegram refuses token or chat ({type(error).__name__})",
                "check both; send the bot a first message",
            )
        ]
    return [passed(f"{name} may write to the chat")]


async def _greeted(token: str, chat: str, url: str | None) -> str:
    """Name of the bot that the token is of; a TelegramError if it cannot see the chat."""
    where: dict[str, Any] = {"base_url": url} if url else {}
    async with TelegramBot(token, **where) as telegram_bot:
        await telegram_bot.get_chat(chat)
        return str(telegram_bot.name)


def api_server(bot: Bot) -> list[CheckResult]:
    """The API is not to be guessed, and not to be seen from elsewhere."""
    section = bot.config.get("api_server") or {}
    if not section.get("enabled"):
        return [warned("the API is off: health and metrics see nothing", "enable api_server")]
    findings = found(bot, startup.api)
    address = str(section.get("listen_ip_address", "127.0.0.1"))
    if not _is_local(address):
        findings.append(
            warned(
                f"the API listens on {address}",
                "set listen_ip_address to 127.0.0.1 and come by SSH, VPN or a TLS proxy",
            )
        )
    return findings or [passed("password and JWT key are strong, the API is local")]


def _is_local(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address == "localhost"
    # In a container all addresses are its own; the compose file publishes the host's loopback.
    return parsed.is_loopback or (parsed.is_unspecified and running_in_docker())
