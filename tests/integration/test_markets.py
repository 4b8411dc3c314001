"""Markets of a backtest are asked of the exchange; what it answers instead is said."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from freqtrade.resolvers import ExchangeResolver

from ballast.research.backtests import TaskError, markets_of
from sandbox.overlay import overlay

CONFIG = Path(__file__).parents[2] / "config.json"


def test_exchange_that_does_not_answer_is_named_with_its_reason() -> None:
    """Freqtrade logs the reason and goes on: every failure was the question 'is it reachable?'."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    config = {**json.loads(CONFIG.read_text()), **overlay(f"http://127.0.0.1:{port}")}
    with pytest.raises(TaskError, match=rf"binance does not tell its markets: .*127.0.0.1:{port}"):
        markets_of(config, ["BTC/USDT"])


@pytest.mark.parametrize(("called", "said"), [("", "binance"), ("the sandbox", "the sandbox")])
def test_pairs_that_an_exchange_does_not_know_are_named_with_what_to_do(
    called: str, said: str
) -> None:
    """It blamed Binance where the sandbox had been asked."""
    known = SimpleNamespace(
        markets={"BTC/USDT": {}}, reload_markets=lambda *_, **__: None, close=lambda: None
    )
    config = {"exchange": {"name": "binance"}}
    with (
        patch.object(ExchangeResolver, "load_exchange", lambda *_, **__: known),
        pytest.raises(TaskError, match=f"^{said} has no market of NO/USDT: take them out of"),
    ):
        markets_of(config, ["BTC/USDT", "NO/USDT"], called)
