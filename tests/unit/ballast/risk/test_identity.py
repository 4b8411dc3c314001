"""A database is given its identity once, and keeps it whatever else is written beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from ballast.config.guards import GuardSettings
from ballast.risk import identity
from ballast.risk.state_store import StateStore


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path / 'trades.sqlite'}", poolclass=NullPool)
    yield made
    made.dispose()


def test_it_is_made_once_and_is_there_after_a_restart(engine: Engine) -> None:
    assert identity.known(StateStore(engine)) is None
    made = identity.given(StateStore(engine))
    assert re.fullmatch("[0-9a-f]{8}", made)
    assert identity.given(StateStore(engine)) == identity.known(StateStore(engine)) == made


def test_another_database_has_another(engine: Engine) -> None:
    other = create_engine("sqlite://")
    assert identity.given(StateStore(engine)) != identity.given(StateStore(other))
    other.dispose()


def test_what_guards_remember_and_it_leave_each_other_alone(engine: Engine) -> None:
    store, guards = StateStore(engine), GuardSettings().build(60)
    store.save(guards, datetime(2024, 1, 1, tzinfo=UTC))
    made = identity.given(store)
    store.save(guards, datetime(2024, 1, 2, tzinfo=UTC))
    assert store.restore(guards) == set()
    assert store.take_over_edits(guards) == []
    assert identity.known(StateStore(engine)) == made


def test_a_database_has_run_once_anything_else_is_kept_in_it(engine: Engine) -> None:
    store = StateStore(engine)
    identity.given(store)
    assert not identity.has_run(store)
    store.save(GuardSettings().build(60), datetime(2024, 1, 1, tzinfo=UTC))
    assert identity.has_run(store)


def test_one_that_cannot_be_read_is_replaced(engine: Engine) -> None:
    store = StateStore(engine)
    store.write(identity.ROW, "{torn", "")
    assert identity.known(store) is None
    assert identity.known(StateStore(engine)) != identity.given(store)
    assert identity.known(store) is not None
