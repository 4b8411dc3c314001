"""Every posting balances, nothing is overdrawn, and the audit finds what is wrong."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.ledger import Account, Entry, Ledger, LedgerError, transfer

ACCOUNTS = st.sampled_from(list(Account))
TRANSFERS = st.lists(
    st.tuples(st.sampled_from(["USDT", "BTC"]), st.integers(0, 10**20), ACCOUNTS, ACCOUNTS),
    max_size=4,
)


def funded(amount: int = 100) -> Ledger:
    ledger = Ledger()
    ledger.post(1, "deposit", "", transfer("USDT", amount, Account.OUTSIDE, Account.FREE))
    return ledger


def test_a_transfer_moves_an_amount_and_keeps_the_sum() -> None:
    ledger = funded()
    ledger.post(2, "lock", "order 1", transfer("USDT", 30, Account.FREE, Account.LOCKED))
    assert ledger.balance(Account.FREE, "USDT") == 70
    assert ledger.balance(Account.LOCKED, "USDT") == 30
    assert ledger.balance(Account.OUTSIDE, "USDT") == -100
    assert [posting.kind for posting in ledger.postings()] == ["deposit", "lock"]
    assert [posting.number for posting in ledger.postings(after=1)] == [2]


@pytest.mark.parametrize(("amount", "refused"), [(100, False), (101, True)])
def test_an_account_can_be_emptied_but_not_overdrawn(amount: int, refused: bool) -> None:
    ledger = funded()
    movement = transfer("USDT", amount, Account.FREE, Account.OUTSIDE)
    if refused:
        with pytest.raises(LedgerError, match="free USDT would be -1"):
            ledger.post(2, "withdraw", "", movement)
    else:
        ledger.post(2, "withdraw", "", movement)
    assert ledger.balance(Account.FREE, "USDT") == (100 if refused else 0)


def test_a_posting_is_booked_whole_or_not_at_all() -> None:
    ledger = funded()
    with pytest.raises(LedgerError):
        ledger.post(
            2,
            "trade",
            "trade 1",
            transfer("USDT", 50, Account.FREE, Account.MARKET),
            transfer("BTC", 1, Account.FEES, Account.FREE),
        )
    assert ledger.balance(Account.FREE, "USDT") == 100
    assert len(list(ledger.postings())) == 1


def test_a_negative_transfer_is_refused() -> None:
    with pytest.raises(LedgerError, match="negative"):
        transfer("USDT", -1, Account.FREE, Account.LOCKED)


@given(st.lists(TRANSFERS, max_size=20))
def test_whatever_is_posted_the_books_balance(postings: list) -> None:
    ledger = Ledger()
    for movements in postings:
        try:
            ledger.post(0, "any", "", *(transfer(*movement) for movement in movements))
        except LedgerError:
            continue
    assert ledger.audit() == []
    held = ledger.balances()
    for asset in ("USDT", "BTC"):
        assert sum(account.get(asset, 0) for account in held.values()) == 0
    for account in (Account.FREE, Account.LOCKED, Account.FEES):
        assert all(amount > 0 for amount in held[account].values())


def test_the_audit_finds_value_out_of_nothing_and_a_wrong_balance() -> None:
    ledger = funded()
    (posting,) = ledger.postings()
    made = dataclasses.replace(posting, entries=(Entry(Account.FREE, "USDT", 5),))
    ledger._postings.append(made)
    found = ledger.audit()
    assert any("makes 5 USDT out of nothing" in sentence for sentence in found)
    assert any("free USDT is 100, its postings sum to 105" in sentence for sentence in found)


def test_the_audit_finds_an_overdrawn_account() -> None:
    ledger = funded()
    (posting,) = ledger.postings()
    movement = transfer("USDT", 101, Account.FREE, Account.OUTSIDE)
    ledger._postings.append(dataclasses.replace(posting, number=2, entries=movement))
    assert any("Posting 2 leaves free USDT -1" in sentence for sentence in ledger.audit())
