"""Protections under Freqtrade's own commands, in real processes beside the sandbox exchange."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.beside import running_sandbox
from tests.engine import ROOT
from tests.processes import freqtrade, python_path, run

PERIOD = "20240101-20240301"
PAIRS = ["BTC/USDT", "ETH/USDT"]
MARKET = ("--generate", "7", "--days", "60", "--pairs", *PAIRS)
STRATEGY = """
from ballast import GuardedStrategy, StopRules, above
from freqtrade.strategy import DecimalParameter


class Own(GuardedStrategy):
    timeframe = "1h"
    stops = StopRules(initial_atr=2, chandelier_atr=3)
    floor = DecimalParameter(0, 10, default=1, decimals=1, space="buy")

    def entry_rules(self, pair, market):
        return {"priced": above(pair.close, self.floor.value)}
"""
# The documentation's example; it leaves a file for each process that asks it.
_DOCUMENTED = (ROOT / "docs" / "protections.md").read_text(encoding="utf-8")
OWN_PROTECTION = _DOCUMENTED.partition("```python\n")[2].partition("```")[0]
_ASKED = """
        import os
        (self._config["user_data_dir"] / f"asked-{os.getpid()}").touch()
        if date_now.hour"""
OWN_PROTECTION = OWN_PROTECTION.replace("\n        if date_now.hour", _ASKED)
LISTED = [
    {"method": "CooldownPeriod", "stop_duration_candles": 2},
    {"method": "QuietHours", "every_candle": True},
]


@dataclass(frozen=True)
class Bot:
    """A folder as a user has it: strategies with `ballast` beside them, data, own protections."""

    folder: Path
    configs: tuple[Path, ...]

    def run(
        self, command: str, *arguments: str, stop_after: str | None = None, **config: Any
    ) -> str:
        """What `freqtrade command` wrote; see `processes.freqtrade`."""
        named = self.common(**config)
        return freqtrade(self.folder, command, *named, *arguments, stop_after=stop_after)

    def common(self, **config: Any) -> list[str]:
        """The arguments that every command has."""
        extra = self.folder / "extra.json"
        extra.write_text(json.dumps(config), encoding="utf-8")
        named = [part for path in (*self.configs, extra) for part in ("--config", str(path))]
        return [*named, "--userdir", str(self.folder / "user_data")]

    def asked(self) -> set[str]:
        """Processes that have asked the user's protection; they are forgotten then."""
        marks = list((self.folder / "user_data").glob("asked-*"))
        for mark in marks:
            mark.unlink()
        return {mark.name for mark in marks}


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    folder = tmp_path_factory.mktemp("bot")
    strategies, protections = folder / "strategies", folder / "user_data" / "protections"
    data = folder / "user_data" / "data" / "binance"
    for path in (strategies, protections, data):
        path.mkdir(parents=True)
    (strategies / "Own.py").write_text(STRATEGY, encoding="utf-8")
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "strategies" / "ballast", strategies / "ballast", ignore=unwanted)
    (protections / "quiet_hours.py").write_text(OWN_PROTECTION, encoding="utf-8")
    mine = folder / "mine.json"
    settings = {
        "strategy": "Own",
        "strategy_path": str(strategies),
        "exchange": {"pair_whitelist": PAIRS},
        "ballast": {"protections": LISTED, "market": {"basket": PAIRS}},
    }
    mine.write_text(json.dumps(settings), encoding="utf-8")
    export = [sys.executable, "-m", "sandbox", *MARKET, "--export", str(data)]
    subprocess.run([*export, "--timeframes", "1h"], cwd=ROOT, check=True)
    with pytest.MonkeyPatch.context() as environment, running_sandbox(folder, *MARKET) as sandbox:
        # Only what a strategy brings along makes `ballast` importable there.
        environment.setenv("PYTHONPATH", python_path())
        yield Bot(folder, (ROOT / "config.json", sandbox.overlay, mine))


def codes(locks: list[dict[str, Any]]) -> set[str]:
    return {str(lock["reason"]).split(" ")[0] for lock in locks}


def test_backtesting_locks_with_guards_built_in_and_own_protections(bot: Bot) -> None:
    bot.run("backtesting", "--cache", "none")
    (archive,) = (bot.folder / "user_data" / "backtest_results").glob("*.zip")
    with zipfile.ZipFile(archive) as files:
        result = json.loads(files.read(f"{archive.stem}.json"))
    archive.unlink()
    assert {"QUIET_HOURS", "Cooldown", "LOSS_STREAK"} <= codes(result["strategy"]["Own"]["locks"])
    assert bot.asked()


@pytest.mark.slow
def test_hyperopt_finds_and_asks_them_in_its_worker_processes(bot: Bot) -> None:
    pytest.importorskip("optuna", reason="hyperopt needs optuna; `make test` installs it")
    options = ["--spaces", "buy", "--hyperopt-loss", "SharpeHyperOptLoss", "--disable-param-export"]
    output = bot.run("hyperopt", *options, "-j", "2", "-e", "3", "--random-state", "1")
    assert "3 epochs saved" in output
    assert "failed and refused" not in output
    # Several processes, none of which is the one that was started here.
    assert len(bot.asked()) == 2


@pytest.mark.slow
def test_lookahead_analysis_runs_without_them(bot: Bot) -> None:
    """Freqtrade switches protections off there: it would take locks for a bias."""
    wanted = ["--minimum-trade-amount", "2", "--targeted-trade-amount", "2"]
    output = bot.run("lookahead-analysis", "--timerange", PERIOD, *wanted)
    row = next(line for line in output.splitlines() if "│" in line and "Own.py" in line)
    assert "No" in row.split("│")[3]
    assert not bot.asked()


def test_list_strategies_shows_the_strategy(bot: Bot) -> None:
    output = bot.run("list-strategies", "--strategy-path", str(bot.folder / "strategies"))
    (row,) = [line for line in output.splitlines() if "Own.py" in line]
    assert "OK" in row


@pytest.mark.parametrize("command", ["backtesting", "trade"])
def test_wrong_method_ends_the_command_with_one_sentence(bot: Bot, command: str) -> None:
    wrong: dict[str, Any] = {
        "ballast": {"protections": [{"method": "QuietHour"}]},
        "db_url": "sqlite://",
    }
    with pytest.raises(AssertionError) as failed:
        bot.run(command, **wrong)
    output = str(failed.value)
    assert "ballast.protections[0].method is 'QuietHour': expected one of CooldownPeriod" in output
    assert "(did you mean QuietHours?)" in output
    assert "Traceback" not in output


def test_overridden_protections_end_the_command_with_one_sentence(bot: Bot) -> None:
    folder = bot.folder / "forgetful"
    folder.mkdir()
    (folder / "ballast").symlink_to(bot.folder / "strategies" / "ballast")
    source = STRATEGY.replace("class Own(", "class Forgetful(") + "\n    protections = []\n"
    (folder / "Forgetful.py").write_text(source, encoding="utf-8")
    with pytest.raises(AssertionError) as failed:
        bot.run("backtesting", "--strategy-path", str(folder), "--strategy", "Forgetful")
    assert "name its own in extra_protections instead" in str(failed.value)
    assert "Traceback" not in str(failed.value)


@pytest.mark.slow
def test_backtest_over_the_web_server_has_them(bot: Bot) -> None:
    with web_server(bot) as call:
        call("POST", "/backtest", strategy="Own", timerange=PERIOD, enable_protections=True)
        deadline = time.monotonic() + 60
        while (status := call("GET", "/backtest"))["running"] and time.monotonic() < deadline:
            time.sleep(0.2)
    assert status["status"] == "ended", status
    locks = status["backtest_result"]["strategy"]["Own"]["locks"]
    assert {"QUIET_HOURS", "Cooldown", "LOSS_STREAK"} <= codes(locks)


@pytest.mark.slow
@pytest.mark.usefixtures("any_hour")
def test_paper_trading_announces_them_and_keeps_what_the_guards_remember(bot: Bot) -> None:
    """And `python -m ballast guards` finds it by the same configuration."""
    with running_sandbox(bot.folder, *MARKET, "--shift-to-now") as today:
        live = Bot(bot.folder, (bot.configs[0], today.overlay, bot.configs[2]))
        database = {"db_url": f"sqlite:///{bot.folder}/paper.sqlite"}
        output = live.run("trade", stop_after="Bot heartbeat", **database)
    assert "Using resolved protection DailyLossLimit" in output
    assert "failed and refused" not in output
    configs = (*live.configs, bot.folder / "extra.json")
    named = [part for path in configs for part in ("-c", str(path))]
    own = {**os.environ, "PYTHONPATH": python_path(bot.folder / "strategies")}
    table = run(bot.folder, "ballast", "guards", *named, environment=own)
    assert table.returncode == 0, table.stderr
    assert "DailyLossLimit" in table.stdout
    assert "nothing stored" not in table.stdout


@contextmanager
def web_server(bot: Bot) -> Iterator[Any]:
    """`freqtrade webserver` on a free port; yields what calls its API."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = {
        "enabled": True,
        "listen_ip_address": "127.0.0.1",
        "listen_port": port,
        "username": "user",
        "password": "password",
        "jwt_secret_key": "for-this-test-alone-for-this-test-alone",
        "verbosity": "error",
    }
    command = [sys.executable, "-m", "freqtrade", "webserver", *bot.common(api_server=server)]
    log = (bot.folder / "webserver.log").open("w")
    process = subprocess.Popen(command, cwd=bot.folder, stdout=log, stderr=log)
    token = base64.b64encode(b"user:password").decode()

    def call(method: str, path: str, **body: Any) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/v1{path}",
            data=json.dumps(body).encode() if body else None,
            headers={"Authorization": f"Basic {token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                call("GET", "/ping")
                break
            except OSError:
                alive = process.poll() is None and time.monotonic() < deadline
                assert alive, (bot.folder / "webserver.log").read_text(encoding="utf-8")
                time.sleep(0.2)
        yield call
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()
    assert "BEYOND LOOPBACK" not in (bot.folder / "webserver.log").read_text(encoding="utf-8")
