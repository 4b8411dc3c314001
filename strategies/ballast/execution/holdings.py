"""What the account's owner holds of the coins that the bot trades: remembered, never touched."""

import logging
from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from ballast.core.times import from_epoch, to_epoch
from ballast.risk.state_store import StateStore

logger = logging.getLogger(__name__)

ROW = "OwnHoldings"


class Holdings(BaseModel):
    """
    What is written down.

    Parameters
    ----------
    since : float
        When the account was first looked at, seconds since the epoch (UTC).
    units : dict of str to float
        By currency.
    """

    model_config = ConfigDict(extra="forbid")

    since: float
    units: dict[str, float] = {}


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
        self._holdings: Holdings | None = None
        self.read()

    def read(self) -> None:
        """Read them again: a person may have said meanwhile that something is theirs."""
        row = self._store.rows().get(ROW)
        self._holdings = None
        if row is None:
            return
        try:
            self._holdings = Holdings.model_validate_json(row["memory"])
        except ValidationError as error:
            logger.error("what the owner holds cannot be read and is taken anew: %s", error)

    @property
    def since(self) -> datetime | None:
        """When the account was first looked at (UTC); None where it never was."""
        return from_epoch(self._holdings.since) if self._holdings is not None else None

    def units(self, currency: str) -> float | None:
        """Units of a currency; None where it has not been looked at."""
        return self._holdings.units.get(currency) if self._holdings is not None else None

    def remember(self, currency: str, units: float, now: datetime) -> None:
        """Take what is there of a currency for the owner's."""
        if self._holdings is None:
            self._holdings = Holdings(since=to_epoch(now))
        self._holdings.units[currency] = units
        self._store.write(ROW, self._holdings.model_dump_json(), "")
