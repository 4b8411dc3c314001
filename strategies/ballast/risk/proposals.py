"""Order proposals: entries as they were decided, from the sizer to whoever acts on them."""

from dataclasses import dataclass

from ballast.core.sizing import Sized
from ballast.core.verdict import Verdict


@dataclass(frozen=True)
class OrderProposal:
    """
    An entry as it was decided.

    Parameters
    ----------
    candle : int
        Opening time of the signal candle, nanoseconds since the epoch (UTC).
    setup : str
        Name of the setup that signalled.
    stop : float
        First stop, quote currency.
    sized : Sized
        Stake and the constraint that bound it.
    verdict : Verdict
        The guards' answer, whose multiplier is in the stake.
    """

    pair: str
    candle: int
    setup: str
    stop: float
    sized: Sized
    verdict: Verdict


class OrderProposals:
    """The last proposal of every pair."""

    def __init__(self) -> None:
        self._last: dict[str, OrderProposal] = {}

    def keep(self, proposal: OrderProposal) -> None:
        """Keep the entry just decided, in place of the one before."""
        self._last[proposal.pair] = proposal

    def drop(self, pair: str) -> None:
        """Forget the entry of a pair: it is being decided anew."""
        self._last.pop(pair, None)

    def last(self, pair: str) -> OrderProposal | None:
        """The entry decided last for a pair, or None."""
        return self._last.get(pair)
