"""The stake that the user has named: in the configuration, or with a forced entry."""

from collections.abc import Callable, Mapping
from typing import Any

from freqtrade.constants import UNLIMITED_STAKE_AMOUNT
from freqtrade.wallets import Wallets

from ballast.data.feeds import LIVE_MODES


class UserStake:
    """
    Tells a stake that a person named from one that Freqtrade has worked out.

    Parameters
    ----------
    config : mapping
        Freqtrade's.
    wallets : callable
        Gives Freqtrade's wallets.
    """

    def __init__(self, config: Mapping[str, Any], wallets: Callable[[], Wallets]) -> None:
        self._config = config
        self._wallets = wallets

    def cap(self, pair: str, proposed: float) -> float | None:
        """
        What the user wants to spend at most, quote currency; None where nothing was said.

        Parameters
        ----------
        proposed : float
            Stake that Freqtrade proposes for the entry.
        """
        if self._config["stake_amount"] != UNLIMITED_STAKE_AMOUNT:
            return proposed
        if self._config["runmode"] not in LIVE_MODES:
            return None
        # Freqtrade does not say that an entry is forced, but then it has not asked its wallets.
        slots = self._config["max_open_trades"]
        usual = self._wallets().get_trade_stake_amount(pair, slots, update=False)
        return None if proposed == usual else proposed
