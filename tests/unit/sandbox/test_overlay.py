"""The config overlay leaves Freqtrade no address but the sandbox's."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ccxt
import ccxt.pro

import sandbox
from sandbox.cli import main
from sandbox.overlay import DEFAULT_URL, overlay
from sandbox.signing import ApiKey

COMMITTED = Path(sandbox.__file__).parent / "config-overlay.json"


def addresses(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for inner in tree.values():
            yield from addresses(inner)
    else:
        yield tree


def test_the_committed_overlay_is_the_one_of_the_default_port() -> None:
    assert json.loads(COMMITTED.read_text()) == overlay(DEFAULT_URL)


def test_ccxt_under_the_overlay_knows_only_loopback_addresses() -> None:
    exchange = ccxt.binance(overlay("http://127.0.0.1:4321")["exchange"]["ccxt_config"])
    known = list(addresses(exchange.urls["api"]))
    assert len(known) > 20
    for address in known:
        assert address.startswith(("http://127.0.0.1:4321", "ws://127.0.0.1:4321")), address
    assert exchange.urls["api"]["public"] == "http://127.0.0.1:4321/api/v3"


def test_the_public_archive_and_websockets_are_off() -> None:
    exchange = overlay(DEFAULT_URL)["exchange"]
    assert exchange["only_from_ccxt"] is True
    assert exchange["enable_ws"] is False


def test_a_live_overlay_trades_with_the_key_and_may_use_websockets() -> None:
    config = overlay("http://127.0.0.1:4321", ApiKey("k", "s"), websocket=True)
    assert config["dry_run"] is False
    assert (config["exchange"]["key"], config["exchange"]["secret"]) == ("k", "s")
    assert config["exchange"]["enable_ws"] is True
    exchange = ccxt.pro.binance(config["exchange"]["ccxt_config"])
    known = list(addresses(exchange.urls["api"]))
    for address in known:
        assert address.startswith(("http://127.0.0.1:4321", "ws://127.0.0.1:4321")), address
    assert exchange.urls["api"]["ws"]["spot"] == "ws://127.0.0.1:4321/stream/ws"


def test_pairs_replace_those_of_the_configuration_and_are_the_basket() -> None:
    config = overlay(DEFAULT_URL, pairs=["BTC/USDT"])
    assert config["exchange"]["pair_whitelist"] == ["BTC/USDT"]
    assert config["ballast"]["market"]["basket"] == ["BTC/USDT"]
    assert "pair_whitelist" not in overlay(DEFAULT_URL)["exchange"]


def test_an_overlay_can_be_written_for_another_port(tmp_path: Path) -> None:
    path = tmp_path / "overlay.json"
    assert main(["--write-overlay", str(path), "--port", "4321"]) == 0
    assert json.loads(path.read_text()) == overlay("http://127.0.0.1:4321")
