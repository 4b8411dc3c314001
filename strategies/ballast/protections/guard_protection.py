"""The Freqtrade side of a guard: a protection that says what the guard has said.

Freqtrade asks its protections after a trade has closed. The guards are asked at every candle, by
`ballast.risk.engine`, which locks what they block; what is answered here is the same lock again,
word for word, so that Freqtrade finds it made already. Asking costs a look-up, however many trades
have closed.
"""

from datetime import datetime
from typing import Any

from freqtrade.exceptions import OperationalException
from freqtrade.plugins.protections import IProtection, ProtectionReturn

from ballast.core.verdict import ALL_PAIRS

# Key of the config entry under which a GuardedStrategy hands over its answers: a callable that is
# given a guard's name, a pair or '*', and the time, and gives the `locks.Announced` or None.
VERDICT = "verdict"


class GuardProtection(IProtection):
    """
    Base class of the guards' protections.

    Raises
    ------
    OperationalException
        Where the strategy is not a GuardedStrategy.
    """

    has_global_stop = True
    has_local_stop = True

    def __init__(self, config: dict[str, Any], protection_config: dict[str, Any]) -> None:
        super().__init__(config, protection_config)
        if VERDICT not in protection_config:
            raise OperationalException(
                f"protection {self.name} was named by a strategy that is no GuardedStrategy: "
                "derive the strategy from ballast.strategy.GuardedStrategy, which brings it along"
            )

    def short_desc(self) -> str:
        """The guard and its settings, for the message at start."""
        entry = self._protection_config
        settings = ", ".join(
            # An underscore would be Markdown to Telegram, and refused where none closes it.
            f"{name.replace(chr(95), chr(32))} {value}"
            for name, value in entry.items()
            if name not in ("method", VERDICT)
        )
        return f"{self.name} - at every candle" + (f": {settings}" if settings else "")

    def global_stop(
        self, date_now: datetime, side: str, starting_balance: float
    ) -> ProtectionReturn | None:
        """The guard's present block of all pairs, or None."""
        return self._block(ALL_PAIRS, date_now)

    def stop_per_pair(
        self, pair: str, date_now: datetime, side: str, starting_balance: float
    ) -> ProtectionReturn | None:
        """The guard's present block of the pair, or None."""
        return self._block(pair, date_now)

    def _block(self, pair: str, now: datetime) -> ProtectionReturn | None:
        block = self._protection_config[VERDICT](self.name, pair, now)
        if block is None:
            return None
        return ProtectionReturn(lock=True, until=block.until, reason=block.reason)


class MarketGuardProtection(GuardProtection):
    """Of a guard that judges all pairs alike: it is not asked about one."""

    has_local_stop = False
