"""`python -m ballast preflight` as it is run before a start: a real process and a sandbox."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ballast.ops.preflight import inspect
from ballast.ops.preflight.check import Bot, Level
from ballast.ops.preflight.keys import key_rights
from sandbox.beside import running_sandbox
from sandbox.clock import RealClock
from sandbox.market_data import MarketData
from sandbox.overlay import overlay
from sandbox.server import build_exchange_app
from sandbox.sources import GeneratedSource
from sandbox.trading_options import add_trading_options, api_key, exchange_of, overlay_key
from tests.exchange_thread import serving
from tests.processes import ROOT, python_path, run

PAIRS = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
MARKET = ["--generate", "7", "--days", "60", "--pairs", *PAIRS, "--shift-to-now"]
SECRETS = {
    "FREQTRADE__API_SERVER__USERNAME": "keeper",
    "FREQTRADE__API_SERVER__PASSWORD": "tR8-kq2-Xw5-bn",
    "FREQTRADE__API_SERVER__JWT_SECRET_KEY": "k3J9-xQ2_vT7m-Zp4-Lw8-Rb6-Hd1-Yc5",
}
API = {
    "FREQTRADE__API_SERVER__ENABLED": "true",
    "FREQTRADE__API_SERVER__LISTEN_IP_ADDRESS": "127.0.0.1",
    "FREQTRADE__API_SERVER__LISTEN_PORT": "8080",
}


@dataclass(frozen=True)
class Server:
    """A folder as somebody would have it on a server."""

    folder: Path
    overlay: Path

    def preflight(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        configs = ("-c", "config.json", "-c", str(self.overlay))
        path = python_path(ROOT / "strategies")
        own = {**os.environ, "PYTHONPATH": path, **API, **SECRETS, **environment}
        return run(self.folder, "ballast", "preflight", *configs, *arguments, environment=own)


@pytest.fixture(scope="module")
def server(any_hour: datetime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(ROOT / "config.json", folder)
    (folder / "strategies").symlink_to(ROOT / "strategies")
    (folder / "user_data").mkdir()
    with running_sandbox(folder, *MARKET) as sandbox:
        pairs = {"exchange": {"pair_whitelist": PAIRS}, "ballast": {"market": {"basket": PAIRS}}}
        overlay = json.loads(sandbox.overlay.read_text(encoding="utf-8"))
        overlay["exchange"] |= pairs["exchange"]
        overlay["ballast"] = pairs["ballast"]
        sandbox.overlay.write_text(json.dumps(overlay), encoding="utf-8")
        yield Server(folder, sandbox.overlay)


def by_check(output: str) -> dict[str, Any]:
    return {one["check"]: one for one in json.loads(output)["checks"]}


def test_paper_bot_on_the_sandbox_may_start(server: Server) -> None:
    ended = server.preflight()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "P A P E R   T R A D I N G" in ended.stdout
    assert "PASS  clock" in ended.stdout
    assert "PASS  candles: 3 pairs have a fresh 1h candle" in ended.stdout
    assert "FAIL" not in ended.stdout
    assert not any(secret in ended.stdout + ended.stderr for secret in SECRETS.values())


def test_environment_decides_over_the_files_and_a_failure_is_an_exit_code(server: Server) -> None:
    """As it does for `trade`: a live bot without a key, with a password that is known."""
    live = {"FREQTRADE__DRY_RUN": "false", "FREQTRADE__API_SERVER__PASSWORD": "freqtrader"}
    ended = server.preflight("--json", **live)
    assert ended.returncode == 1, ended.stderr
    assert json.loads(ended.stdout)["live"] is True
    checks = by_check(ended.stdout)
    assert checks["mode"]["what"] == "LIVE: REAL MONEY IS TRADED"
    assert checks["key rights"]["level"] == "fail"
    assert checks["API"]["level"] == "fail"
    assert checks["stops"]["level"] == "pass"


@pytest.mark.parametrize(
    ("rights", "level", "words"),
    [
        (["reading", "trading"], Level.PASS, "may read and trade spot"),
        (["reading", "trading", "any-ip"], Level.WARN, "good from any address"),
        (["reading", "trading", "withdrawals"], Level.FAIL, "may withdraw"),
        (["reading"], Level.FAIL, "may not trade spot"),
        (["trading"], Level.FAIL, "cannot be checked: AuthenticationError"),
    ],
)
def test_rights_of_a_real_key_decide(
    rights: list[str], level: Level, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox's key with each combination of rights, asked over signed HTTP."""
    monkeypatch.setattr("ballast.ops.preflight.CHECKS", {"key rights": key_rights})
    parser = argparse.ArgumentParser()
    add_trading_options(parser)
    line = ["--live", "--key", "THEKEY99", "--secret", "THESECRET9", "--rights", *rights]
    options = parser.parse_args(line)
    market = MarketData(GeneratedSource(7, days=30, pairs=["BTC/USDT"]), RealClock())
    exchange, key = exchange_of(options, market), api_key(options)
    with serving(build_exchange_app(exchange, [key])) as url:
        config = overlay(url, overlay_key(options))
        ((_, finding),) = inspect(Bot(config, None))
    assert finding.level is level
    assert words in finding.what
    assert "THEKEY99" not in finding.what
    assert "THESECRET9" not in finding.what


def test_settings_that_trade_refuses_are_findings_among_others(server: Server) -> None:
    """Not one sentence at a time."""
    bad = {
        "FREQTRADE__STOPLOSS": "-0.9",
        "FREQTRADE__BALLAST__LOG__FILE": "config.json/lines.jsonl",
    }
    (server.folder / "user_data" / "config.json").touch()
    ended = server.preflight("--json", **bad)
    assert ended.returncode == 1, ended.stderr
    checks = json.loads(ended.stdout)["checks"]
    failed = {one["check"] for one in checks if one["level"] == "fail"}
    assert {"stops", "disk"} <= failed


def test_half_of_the_order_types_is_one_sentence(server: Server) -> None:
    """Freqtrade says it as an ImportError."""
    ended = server.preflight(FREQTRADE__ORDER_TYPES__STOPLOSS_ON_EXCHANGE="false")
    assert ended.returncode == 2
    assert "Order-types mapping is incomplete" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_wrong_settings_are_one_sentence(server: Server) -> None:
    ended = server.preflight("--strategy", "Nobody")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert "Nobody" in ended.stderr
