"""A double-entry ledger: every movement is a posting whose entries sum to zero in each asset.

Accounts of the client and the exchange's fees never go below zero. The market (everybody the client
trades with) and the world outside (where deposits come from) stand for others and may: what they
are short of is what the client and the exchange hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice


class Account(StrEnum):
    """Who holds something."""

    FREE = "free"
    LOCKED = "locked"
    FEES = "fees"
    MARKET = "market"
    OUTSIDE = "outside"


_MAY_OWE = frozenset({Account.MARKET, Account.OUTSIDE})


class LedgerError(Exception):
    """A posting that would lose, make or overdraw value; nothing of it was booked."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A change of one account in one asset [units]."""

    account: Account
    asset: str
    change: int


@dataclass(frozen=True, slots=True)
class Posting:
    """What was booked at once: number, time [Unix ms], kind, order or trade it belongs to."""

    number: int
    time_ms: int
    kind: str
    reference: str
    entries: tuple[Entry, ...]


def transfer(asset: str, amount: int, source: Account, target: Account) -> tuple[Entry, Entry]:
    """The two entries that move an amount [units, not below zero]."""
    if amount < 0:
        raise LedgerError(f"A transfer of {amount} {asset} is negative.")
    return Entry(source, asset, -amount), Entry(target, asset, amount)


class Ledger:
    """Balances and the postings they come from."""

    def __init__(self) -> None:
        self._balances: dict[tuple[Account, str], int] = {}
        self._postings: list[Posting] = []

    def post(
        self, time_ms: int, kind: str, reference: str, *transfers: tuple[Entry, Entry]
    ) -> None:
        """Book transfers at once, or none of them.

        Raises
        ------
        LedgerError
            If an account that may not owe would go below zero.
        """
        entries = tuple(entry for pair in transfers for entry in pair if entry.change)
        after: dict[tuple[Account, str], int] = {}
        for entry in entries:
            key = (entry.account, entry.asset)
            after[key] = after.get(key, self._balances.get(key, 0)) + entry.change
        for (account, asset), balance in after.items():
            if balance < 0 and account not in _MAY_OWE:
                raise LedgerError(f"{kind} {reference}: {account} {asset} would be {balance}.")
        if entries:
            self._balances |= after
            number = len(self._postings) + 1
            self._postings.append(Posting(number, time_ms, kind, reference, entries))

    def balance(self, account: Account, asset: str) -> int:
        """What an account holds of an asset [units]."""
        return self._balances.get((account, asset), 0)

    def balances(self) -> dict[str, dict[str, int]]:
        """All balances that are not zero [units], by account, then asset."""
        found: dict[str, dict[str, int]] = {account.value: {} for account in Account}
        for (account, asset), balance in sorted(self._balances.items()):
            if balance:
                found[account.value][asset] = balance
        return found

    def postings(self, after: int = 0, limit: int | None = None) -> Iterator[Posting]:
        """Postings with a number above ``after``, in order."""
        return islice(self._postings, after, None if limit is None else after + limit)

    def audit(self) -> list[str]:
        """What is wrong, in sentences; empty if every posting and every balance is right."""
        wrong = []
        recounted: dict[tuple[Account, str], int] = defaultdict(int)
        for posting in self._postings:
            sums: dict[str, int] = defaultdict(int)
            for entry in posting.entries:
                recounted[entry.account, entry.asset] += entry.change
                sums[entry.asset] += entry.change
            wrong += [
                f"Posting {posting.number} makes {total} {asset} out of nothing."
                for asset, total in sums.items()
                if total
            ]
            wrong += [
                f"Posting {posting.number} leaves {account} {asset} {recounted[account, asset]}."
                for account, asset in {(entry.account, entry.asset) for entry in posting.entries}
                if recounted[account, asset] < 0 and account not in _MAY_OWE
            ]
        return wrong + [
            f"{account} {asset} is {balance}, its postings sum to {recounted[account, asset]}."
            for (account, asset), balance in self._balances.items()
            if balance != recounted[account, asset]
        ]
