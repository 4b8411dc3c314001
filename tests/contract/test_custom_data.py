"""Sessions of custom data: Freqtrade keeps one for each request, and each holds a connection.

Why charts read the journal, and why custom data is reached in one way alone
(`ballast.risk.custom_data`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from freqtrade.persistence import Trade
from freqtrade.persistence.custom_data import _CustomData
from freqtrade.persistence.models import _request_id_ctx_var

from ballast.risk import custom_data
from tests.contract.live_bot import enter, live_bot
from tests.engine import ScriptedStrategy


@contextmanager
def request() -> Iterator[None]:
    """What Freqtrade does around every request for a bot (`rpc.api_server.deps.get_rpc`)."""
    token = _request_id_ctx_var.set(str(uuid4()))
    Trade.rollback()
    try:
        yield
    finally:
        Trade.session.remove()
        _request_id_ctx_var.reset(token)


def left_after(requests: int, ask: Callable[[Trade], Any], folder: Path) -> tuple[int, int]:
    """Connections that are held, and sessions that are kept, after requests about a trade."""
    url = f"sqlite:///{folder}/trades.sqlite"
    with live_bot(ScriptedStrategy, folder, db_url=url) as bot:
        (trade,) = enter(bot)
        trade.set_custom_data("why", "breakout")
        number = trade.id
        for registry in (Trade.session, _CustomData.session):
            registry.remove()
        for _ in range(requests):
            with request():
                ask(Trade.session.get(Trade, number))
        pool = Trade.session.get_bind().pool
        left = pool.checkedout(), len(_CustomData.session.registry.registry)
        for session in list(_CustomData.session.registry.registry.values()):
            session.close()
        return left


def test_custom_data_read_in_a_request_keeps_its_connection_for_ever(tmp_path: Path) -> None:
    """Fifteen are all that a pool gives; the sixteenth waits half a minute and kills the bot."""
    assert left_after(5, lambda trade: trade.get_custom_data("why"), tmp_path) == (5, 5)


@pytest.mark.parametrize(
    "ask",
    [
        lambda trade: custom_data.stored(trade, "why"),
        lambda trade: custom_data.store(trade, "why", "nothing"),
    ],
    ids=["read", "written"],
)
def test_what_the_risk_layer_reads_and_writes_is_let_go(
    ask: Callable[[Trade], Any], tmp_path: Path
) -> None:
    assert left_after(20, ask, tmp_path) == (0, 0)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/trades.sqlite"
    with live_bot(ScriptedStrategy, tmp_path, db_url=url) as bot:
        (trade,) = enter(bot)
        custom_data.store(trade, "initial_stop", 95.5)
        custom_data.store(trade, "initial_stop", 96.5)
        assert custom_data.stored(trade, "initial_stop") == 96.5
        assert custom_data.stored(trade, "nothing") is None
        # Freqtrade's own way to it sees the same.
        assert trade.get_custom_data("initial_stop") == 96.5
