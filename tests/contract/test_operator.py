"""The names of Freqtrade through which the operator is told, and which are not promised to stay."""

import asyncio
import inspect
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import RPCMessageType, RunMode
from freqtrade.exchange import Exchange
from freqtrade.loggers.json_formatter import JsonFormatter
from freqtrade.rpc import telegram
from freqtrade.rpc.rpc_manager import RPCManager

from ballast.alerts import logs
from ballast.alerts.telegram_commands import TelegramCommands
from ballast.protections.guard_protection import VERDICT, GuardProtection
from ballast.protections.guards import DrawdownLadder
from tests.telegram_api import readable


class Provider(DataProvider):
    """A data provider with a message channel."""

    def __init__(self, rpc: Any) -> None:
        super().__init__({"runmode": RunMode.DRY_RUN}, None, rpc=rpc)


def test_the_message_channel_is_reached_through_the_data_provider() -> None:
    rpc = SimpleNamespace()
    assert vars(Provider(rpc))["_DataProvider__rpc"] is rpc


def test_messages_of_a_strategy_are_public_and_sent_at_once() -> None:
    provider = Provider(None)
    provider.send_msg("one", always_send=True)
    provider.send_msg("one", always_send=True)
    assert list(provider._msg_queue) == ["one", "one"]


def test_modules_are_registered_by_name() -> None:
    source = inspect.getsource(RPCManager)
    assert "self.registered_modules: list[RPCHandler] = []" in source
    assert "Telegram(self._rpc, config)" in source


def test_telegram_has_its_application_its_loop_and_a_way_to_send() -> None:
    source = inspect.getsource(telegram.Telegram)
    assert "self._app = self._init_telegram_app()" in source
    assert "self._loop = asyncio" in source
    parameters = inspect.signature(telegram.Telegram._send_msg).parameters
    assert list(parameters)[:3] == ["self", "msg", "parse_mode"]


def test_only_the_operator_is_answered_by_what_freqtrade_decorates() -> None:
    answered: list[int] = []

    async def answer(bot: Any, update: Any, context: Any) -> None:
        answered.append(update.message.chat_id)

    def typed(chat: int) -> Any:
        message = SimpleNamespace(chat_id=chat, message_thread_id=None)
        person = SimpleNamespace(id=chat)
        return SimpleNamespace(message=message, callback_query=None, effective_user=person)

    bot = SimpleNamespace(_config={"telegram": {"chat_id": "42"}})
    guarded = telegram.authorized_only(answer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(telegram, "Trade", SimpleNamespace(rollback=int, session=_Session()))
        for chat in (42, 43):
            asyncio.run(guarded(bot, typed(chat), None))
    assert answered == [42]


class _Session:
    def remove(self) -> None:
        """Nothing to remove."""


@pytest.mark.parametrize("rpc", [None, SimpleNamespace(), SimpleNamespace(registered_modules=[1])])
def test_a_freqtrade_that_has_changed_costs_the_commands_and_nothing_else(rpc: Any) -> None:
    commands = TelegramCommands(Provider(rpc), lambda pair: pair, str, str)
    commands.ensure()
    commands.ensure()
    assert commands._done


def test_telegram_that_is_not_up_yet_is_asked_again() -> None:
    module = SimpleNamespace(name="telegram")
    commands = TelegramCommands(
        Provider(SimpleNamespace(registered_modules=[module])), None, None, str
    )
    commands.ensure()
    assert not commands._done


def test_the_reason_of_a_protection_is_put_into_markdown_as_it_is() -> None:
    """Why ours is sent as code; if Freqtrade escapes it one day, ours may go."""
    message = {
        "type": RPCMessageType.PROTECTION_TRIGGER,
        "reason": "DAILY_LOSS",
        "pair": "BTC/USDT",
        "lock_end_time": "soon",
    }
    text = telegram.Telegram.compose_message(SimpleNamespace(), message)
    assert "due to DAILY_LOSS." in text


def test_the_description_of_a_guard_reaches_telegram_at_start() -> None:
    """Freqtrade sends it as Markdown."""
    entry = {"method": "DrawdownLadder", VERDICT: lambda *_: None, "one_setting_name_x": 1}
    guard: GuardProtection = DrawdownLadder({"timeframe": "1h"}, entry)
    assert "one setting name x 1" in readable(guard.short_desc(), "Markdown")


def test_answers_of_the_exchange_are_logged_where_ours_looks_for_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    Exchange._log_exchange_response(SimpleNamespace(log_responses=True), "create_order", {"id": 1})
    (record,) = caplog.records
    assert not logs._NotResponses().filter(record)


def test_lines_of_json_are_made_from_a_dictionary_of_fields() -> None:
    """Ours derives from Freqtrade's, and takes its fields over."""
    assert list(JsonFormatter().fmt_dict) == ["timestamp", "level", "logger", "message"]
