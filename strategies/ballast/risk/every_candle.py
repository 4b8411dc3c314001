"""Protections that are not guards, asked at every candle too if they are told to be."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from freqtrade.persistence.models import PairLock
from freqtrade.plugins.protectionmanager import ProtectionManager

from ballast.config.protections import EVERY_CANDLE
from ballast.data.feeds import LIVE_MODES
from ballast.risk.protection_list import Entry


class EveryCandle:
    """
    Asks, through a manager of Freqtrade's own, the protections whose entry says `every_candle`.

    Parameters
    ----------
    config : mapping
        Freqtrade's.
    listed : sequence of dict
        Protection entries.
    pairs : callable
        Pairs that are traded now.
    balance : callable
        Account value before the first trade, quote currency.
    announce : callable
        Told about every lock that is made.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        listed: Sequence[Entry],
        pairs: Callable[[], list[str]],
        balance: Callable[[], float],
        announce: Callable[[PairLock], None],
    ) -> None:
        # As Freqtrade has it: they are always on live, and in backtests where that is switched on.
        on = config["runmode"] in LIVE_MODES or config.get("enable_protections", False)
        asked = [entry for entry in listed if on and entry.get(EVERY_CANDLE)]
        self._manager = ProtectionManager(dict(config), asked) if asked else None
        self._pairs = pairs
        self._balance = balance
        self._announce = announce

    @property
    def any(self) -> bool:
        """Whether there is any to ask."""
        return self._manager is not None

    def ask(self, now: datetime) -> None:
        """Let them lock pairs; what one of them raises is raised."""
        if self._manager is None:
            return
        balance = self._balance()
        locks = [self._manager.stop_per_pair(p, now, "long", balance) for p in self._pairs()]
        locks.append(self._manager.global_stop(now, "long", balance))
        for lock in filter(None, locks):
            self._announce(lock)
