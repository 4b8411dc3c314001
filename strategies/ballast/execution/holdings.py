"""What the account's owner holds of the coins that the bot trades: remembered, never touched."""

from datetime import datetime

from pydantic import Field

from ballast.core.guards.base import Memory
from ballast.core.times import from_epoch, to_epoch
from ballast.risk.state_store import StateStore

ROW = "OwnHoldings"


class Holdings(Memory):
    """
    What is written down.

    Parameters
    ----------
    since : float
        When the account was first looked at, seconds since the epoch (UTC).
    units : dict of str to float
        By currency.
    """

    since: float
    units: dict[str, float] = Field(default_factory=dict)


class OwnerHoldings:
    """
    The owner's coins.

    Parameters
    ----------
    store : StateStore
        They are kept in a row of its table.
    """

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self.read()

    def read(self) -> None:
        """Read them again: a person may have said meanwhile that something is theirs."""
        self._holdings = self._store.read(ROW, Holdings)
        self._saved = True

    @property
    def since(self) -> datetime | None:
        """When the account was first looked at (UTC); None where it never was."""
        return from_epoch(self._holdings.since) if self._holdings is not None else None

    def units(self, currency: str) -> float | None:
        """Units of a currency; None where it has not been looked at."""
        return self._holdings.units.get(currency) if self._holdings is not None else None

    def remember(self, currency: str, units: float, now: datetime) -> None:
        """Take what is there of a currency for the owner's; it counts once it is saved."""
        if self._holdings is None:
            self._holdings = Holdings(since=to_epoch(now))
        self._holdings.units[currency] = units
        self._saved = False

    def save(self) -> None:
        """Write down what has been taken for the owner's since, of all pairs at once."""
        if self._holdings is not None and not self._saved:
            self._store.write(ROW, self._holdings.model_dump_json(), "")
            self._saved = True
