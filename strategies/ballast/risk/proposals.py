"""Order proposals: entries as they were decided, from the sizer to whoever acts on them.

Of an entry that was sent, what its position is managed by outlives the run: it is written down with
the intent (`execution.intents`) and recalled from there.
"""

from typing import NamedTuple

from ballast.core.sizing import Sized
from ballast.core.verdict import Verdict


class OrderProposal(NamedTuple):
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


class SentEntry(NamedTuple):
    """
    What a position is managed by, of an entry that went to the exchange.

    Parameters
    ----------
    setup : str
        Name of the setup that signalled.
    stop : float
        First stop, quote currency.
    """

    pair: str
    setup: str
    stop: float


class OrderProposals:
    """The last proposal of every pair, and the last that was sent."""

    def __init__(self) -> None:
        self._last: dict[str, OrderProposal] = {}
        self._sent: dict[str, SentEntry] = {}

    def keep(self, proposal: OrderProposal) -> None:
        """Keep the entry just decided, in place of the one before."""
        self._last[proposal.pair] = proposal

    def drop(self, pair: str) -> None:
        """Forget the entry of a pair: it is being decided anew."""
        self._last.pop(pair, None)

    def last(self, pair: str) -> OrderProposal | None:
        """The entry decided last for a pair, or None."""
        return self._last.get(pair)

    def send(self, proposal: OrderProposal) -> None:
        """Note that an entry goes to the exchange."""
        self.recall(SentEntry(proposal.pair, proposal.setup, proposal.stop))

    def recall(self, entry: SentEntry) -> None:
        """Know again an entry that was sent, maybe by an earlier run."""
        self._sent[entry.pair] = entry

    def sent(self, pair: str) -> SentEntry | None:
        """The entry of a pair that was sent last, or None."""
        return self._sent.get(pair)
