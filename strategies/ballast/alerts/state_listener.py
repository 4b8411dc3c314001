"""Hears that the bot was stopped, which Freqtrade tells its message modules and no strategy.

`/stop` in Telegram, API and FreqUI, and the stop after an error, all end in one message, sent by
the bot's own thread just before it does nothing any more.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import RPCMessageType
from freqtrade.rpc import RPCHandler

_STOPPED = "stopped"


class StateListener(RPCHandler):
    """
    A message module that sends nothing and listens for one message.

    Parameters
    ----------
    stopped : callable
        Told when the bot stops, with the moment (UTC).
    """

    def __init__(self, stopped: Callable[[datetime], None]) -> None:
        # No settings of its own: Freqtrade asks every module for them.
        self._config: dict[str, Any] = {}
        self._stopped = stopped

    def join(self, dp: DataProvider) -> None:
        """Take a place among the message modules (private names, held by a contract test)."""
        rpc = getattr(dp, "_DataProvider__rpc", None)
        if rpc is not None:
            rpc.registered_modules.append(self)

    def send_msg(self, msg: Any) -> None:
        """Hear a message of the bot."""
        if msg.get("type") == RPCMessageType.STATUS and msg.get("status") == _STOPPED:
            self._stopped(datetime.now(UTC))

    def cleanup(self) -> None:
        """Nothing is held."""
