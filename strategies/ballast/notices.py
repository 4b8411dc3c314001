"""Tells the operator about blocks, in Freqtrade's own protection message."""

import logging
from typing import Any

from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import RPCMessageType

from ballast.core.warden import ALL_PAIRS, Change
from ballast.feeds import LIVE_MODES

logger = logging.getLogger(__name__)


class Notices:
    """
    Messages of a live or paper run; silent in backtests.

    Parameters
    ----------
    dp : DataProvider
        Of the strategy. Freqtrade's message channel is reached through it (a private name, held by
        a contract test): a failure there is logged and stops nothing.
    """

    def __init__(self, dp: DataProvider) -> None:
        self._dp = dp

    def block(self, change: Change) -> None:
        """Say that entries of a pair, or of all pairs, are blocked; stops and exits stay active."""
        if self._dp.runmode not in LIVE_MODES:
            return
        scope = "all pairs" if change.pair == ALL_PAIRS else change.pair
        logger.warning("entries of %s blocked by %s: %s", scope, change.guard, change.verdict)
        try:
            self._send(change)
        except Exception:
            logger.exception("the operator could not be told")

    def _send(self, change: Change) -> None:
        rpc = getattr(self._dp, "_DataProvider__rpc", None)
        if rpc is None or change.verdict.until is None:
            return
        everywhere = change.pair == ALL_PAIRS
        message: dict[str, Any] = {
            "type": RPCMessageType.PROTECTION_TRIGGER_GLOBAL
            if everywhere
            else RPCMessageType.PROTECTION_TRIGGER,
            "pair": change.pair,
            "base_currency": change.pair.split("/")[0],
            "lock_end_time": f"{change.verdict.until:%Y-%m-%d %H:%M:%S}",
            "reason": f"{change.verdict} (entries blocked, stops stay active)",
            "active": True,
            "side": "*",
        }
        rpc.send_msg(message)
