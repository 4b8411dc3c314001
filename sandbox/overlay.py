"""The config file that points any Freqtrade command at the sandbox.

Every address ccxt knows for Binance is replaced, not only those the sandbox serves: a call outside
of them fails on loopback and never leaves the machine. ``only_from_ccxt`` keeps download-data away
from the public archive, which Freqtrade asks first for short timeframes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ccxt
import ccxt.pro

from sandbox.errors import SandboxError
from sandbox.signing import ApiKey

DEFAULT_PORT = 8099
DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"


def overlay(
    url: str,
    key: ApiKey | None = None,
    *,
    websocket: bool = False,
    pairs: Sequence[str] | None = None,
) -> dict[str, Any]:
    """A Freqtrade config section for a sandbox at ``url`` (scheme, host and port).

    With a key it is for live trading there: ``dry_run`` is off, and ccxt asks for everything that
    it asks Binance for. ``websocket`` lets candles come over a websocket. ``pairs`` are traded in
    place of those of the configuration, and are the basket that Ballast judges the market by.
    """
    section = _market_data(url)
    if pairs is not None:
        section["exchange"]["pair_whitelist"] = list(pairs)
        section["ballast"] = {"market": {"basket": list(pairs)}}
    if websocket:
        section["exchange"]["enable_ws"] = True
        urls = section["exchange"]["ccxt_config"]["urls"]["api"]
        urls["ws"] = _redirected(ccxt.pro.binance().urls["api"]["ws"], url)
        # ccxt takes for spot what has /stream in its address.
        urls["ws"]["spot"] = url.replace("http", "ws", 1) + "/stream/ws"
    if key is not None:
        section["dry_run"] = False
        section["exchange"] |= {"key": key.key, "secret": key.secret}
        section["exchange"]["ccxt_config"]["options"]["fetchCurrencies"] = True
    return section


def _market_data(url: str) -> dict[str, Any]:
    return {
        "exchange": {
            "name": "binance",
            "enable_ws": False,
            "only_from_ccxt": True,
            "ccxt_config": {
                # A loopback exchange has nothing to protect by waiting.
                "enableRateLimit": False,
                "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False},
                "urls": {"api": _redirected(ccxt.binance().urls["api"], url)},
            },
        }
    }


def _redirected(address: Any, url: str) -> Any:
    """The same address or tree of addresses on another server; the path stays."""
    if isinstance(address, dict):
        return {name: _redirected(inner, url) for name, inner in address.items()}
    scheme, _, rest = address.partition("://")
    path = "/".join(["", *rest.split("/")[1:]]).rstrip("/")
    base = url.replace("http", "ws", 1) if scheme.startswith("ws") else url
    return base + path


def write_overlay(path: Path, section: dict[str, Any]) -> None:
    """Write an overlay as JSON; SandboxError if the file cannot be written."""
    write_text(path, json.dumps(section, indent=4) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file; SandboxError if it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SandboxError(f"Cannot write {path}: {error.strerror}.") from error
