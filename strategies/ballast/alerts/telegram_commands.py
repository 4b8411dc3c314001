"""What is added to Freqtrade's Telegram bot: `/ballast`, `/why PAIR`, guards under `/show_config`.

Freqtrade offers no way to add a command, so its private names are reached for (held by a contract
test). Nothing here can hurt the bot: it runs in Telegram's thread, under Freqtrade's own check of
who asks, changes nothing, and answers one question at a time; where Freqtrade has changed, the
commands are missing and the log says so once.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from freqtrade.data.dataprovider import DataProvider
from markupsafe import Markup

logger = logging.getLogger(__name__)

# Below Freqtrade's own handlers, which are of group 0: these run after them, never in their stead.
_AFTER_FREQTRADES = 1
_PATIENCE_S = 20.0
_LONGEST = 3500


class TelegramCommands:
    """
    Adds the commands once Telegram is up.

    Parameters
    ----------
    dp : DataProvider
        Of the strategy; Freqtrade's Telegram module is found through it.
    why : callable or None
        Answers the question about a pair; None leaves `/why` out.
    status : callable or None
        Says where the bot stands; None leaves `/ballast` out.
    guards : callable
        Says which guards are on and off.
    """

    def __init__(
        self,
        dp: DataProvider,
        why: Callable[[str], str] | None,
        status: Callable[[], str] | None,
        guards: Callable[[], str],
    ) -> None:
        self._dp = dp
        self._why = why
        self._status = status
        self._guards = guards
        self._done = False
        self._busy = False

    def ensure(self) -> None:
        """Add the commands if Telegram is there and they are not; a failure is logged once."""
        if self._done:
            return
        try:
            self._done = self._added()
        except Exception:
            self._done = True
            logger.exception("/why could not be added to Telegram; everything else is as ever")

    def _added(self) -> bool:
        """Whether nothing is left to do."""
        rpc = getattr(self._dp, "_DataProvider__rpc", None)
        modules = [m for m in rpc.registered_modules if m.name == "telegram"] if rpc else []
        if not modules:
            return True
        telegram = modules[0]
        app = getattr(telegram, "_app", None)
        if app is None or not app.running:
            return False
        telegram._loop.call_soon_threadsafe(self._add, telegram, app)
        return True

    def _add(self, telegram: Any, app: Any) -> None:
        """Add the handlers; runs in Telegram's own loop."""
        from freqtrade.rpc.telegram import authorized_only
        from telegram.ext import CommandHandler

        commands = [(["show_config", "show_conf"], self._show_guards)]
        if self._why is not None:
            commands.append((["why"], self._answer_why))
        if self._status is not None:
            commands.append((["ballast"], self._answer_status))
        for names, answer in commands:
            handler = CommandHandler(names, partial(authorized_only(answer), telegram))
            app.add_handler(handler, _AFTER_FREQTRADES)
        logger.info(
            "Telegram: guards under /show_config, /why and /ballast %s",
            "on" if self._why else "off",
        )

    async def _show_guards(self, telegram: Any, update: Any, context: Any) -> None:
        await self._send(telegram, self._guards())

    async def _answer_why(self, telegram: Any, update: Any, context: Any) -> None:
        if not context.args or self._why is None:
            await self._send(telegram, "Which pair? Such as: /why BTC/USDT")
            return
        await self._answer(telegram, "/why", partial(self._why, str(context.args[0]).upper()))

    async def _answer_status(self, telegram: Any, update: Any, context: Any) -> None:
        if self._status is not None:
            await self._answer(telegram, "/ballast", self._status)

    async def _answer(self, telegram: Any, name: str, question: Callable[[], str]) -> None:
        if self._busy:
            await self._send(telegram, "The question before this one is still being answered.")
            return
        self._busy = True
        try:
            asked = asyncio.to_thread(self._ask, question)
            answer = await asyncio.wait_for(asked, _PATIENCE_S)
        except Exception as error:
            logger.warning("%s could not be answered", name, exc_info=error)
            answer = f"This could not be answered now: {type(error).__name__}."
        await self._send(telegram, answer)

    def _ask(self, question: Callable[[], str]) -> str:
        """The answer; one that comes too late still keeps the next question waiting."""
        try:
            return question()
        finally:
            self._busy = False

    async def _send(self, telegram: Any, text: str) -> None:
        # Telegram's limit of 4096 characters is of what is shown.
        text = text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."
        await telegram._send_msg(Markup("<pre>{}</pre>").format(text), parse_mode="HTML")
