"""Tells the operator about blocks, in Freqtrade's own protection message."""

import logging
from typing import Any

from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import RPCMessageType
from freqtrade.persistence.models import PairLock

from ballast.alerts.messages import as_code
from ballast.core.guard_set import Change
from ballast.core.verdict import ALL_PAIRS
from ballast.data.feeds import LIVE_MODES

logger = logging.getLogger(__name__)


class LockAlerts:
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
        self._is_live = dp.runmode in LIVE_MODES

    def block(self, change: Change) -> None:
        """Say that entries of a pair, or of all pairs, are blocked; stops and exits stay active."""
        if not self._is_live:
            return
        scope = "all pairs" if change.pair == ALL_PAIRS else change.pair
        logger.warning("entries of %s blocked by %s: %s", scope, change.guard, change.verdict)
        if change.verdict.until is not None:
            self._send(
                {
                    "pair": change.pair,
                    "lock_end_time": f"{change.verdict.until:%Y-%m-%d %H:%M:%S}",
                    "reason": f"{change.guard}: {change.verdict} (entries blocked, stops stay)",
                    "active": True,
                    "side": "*",
                }
            )

    def lock(self, lock: PairLock) -> None:
        """Tell about a lock that a protection asked for."""
        if self._is_live:
            logger.warning("%s locked: %s", lock.pair, lock.reason)
            self._send(lock.to_json())

    def say(self, text: str) -> None:
        """Send a sentence of our own (to Telegram, if custom messages are on there)."""
        self._dp.send_msg(as_code(text), always_send=True)

    def _send(self, lock: dict[str, Any]) -> None:
        """Send Freqtrade's protection message; a failure is logged and stops nothing."""
        pair = lock["pair"]
        kind = (
            RPCMessageType.PROTECTION_TRIGGER_GLOBAL
            if pair == ALL_PAIRS
            else RPCMessageType.PROTECTION_TRIGGER
        )
        try:
            rpc = getattr(self._dp, "_DataProvider__rpc", None)
            if rpc is not None:
                # Freqtrade puts the reason into Markdown as it is, and Telegram refuses a message
                # in which an underscore opens what none closes: most codes have one.
                reason = f"`{str(lock['reason']).replace('`', chr(39))}`"
                message = {**lock, "reason": reason, "base_currency": pair.split("/")[0]}
                rpc.send_msg({"type": kind, **message})
        except Exception:
            logger.exception("the operator could not be told")
