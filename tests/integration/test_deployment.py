"""What `docker-compose.yml` runs, run natively: the same commands, paths and environment.

There is no Docker where tests run, so the container's folder is a folder of the test, and the
network is loopback. Preflight, bot, health check, a kill with an open position, and the stop are
the real ones, on a sandbox.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from ballast.config.guards import GuardSettings
from ballast.tooling.bot_api import BotApi
from sandbox.beside import running_sandbox
from tests.processes import ROOT

PAIRS = ["BTC/USDT", "ETH/USDT"]
MARKET = ["--generate", "7", "--days", "60", "--pairs", *PAIRS, "--shift-to-now"]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
USER, PASSWORD = "keeper", "tR8-kq2-Xw5-bn"
SECRETS = {"password": PASSWORD, "jwt": "k3J9-xQ2_vT7m-Zp4-Lw8-Rb6-Hd1-Yc5"}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@dataclass
class Container:
    """A service of the compose file without its container."""

    folder: Path
    service: Mapping[str, Any]
    port: int = field(default_factory=free_port)

    @property
    def environment(self) -> dict[str, str]:
        settings = {k: self._here(v) for k, v in self.service["environment"].items()}
        settings |= {
            "FREQTRADE__API_SERVER__LISTEN_IP_ADDRESS": "127.0.0.1",
            "FREQTRADE__API_SERVER__LISTEN_PORT": str(self.port),
            "FREQTRADE__API_SERVER__USERNAME": USER,
            "FREQTRADE__API_SERVER__PASSWORD": PASSWORD,
            "FREQTRADE__API_SERVER__JWT_SECRET_KEY": SECRETS["jwt"],
            "FREQTRADE__FORCE_ENTRY_ENABLE": "true",
        }
        outside = dict(os.environ)
        # Freqtrade writes no log file where it sees a test.
        outside.pop("PYTEST_VERSION", None)
        settings["PYTHONPATH"] += os.pathsep + outside["PYTHONPATH"]
        # `python` and `freqtrade` are those of this environment.
        settings["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{outside['PATH']}"
        return {**outside, **settings}

    @property
    def api(self) -> BotApi:
        return BotApi(f"http://127.0.0.1:{self.port}", USER, PASSWORD)

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """The service until the block is left; then it is killed if it still runs."""
        command = [*self.service["entrypoint"], *self.service["command"]]
        with (self.folder / "container.log").open("ab") as log:
            process = subprocess.Popen(
                [self._here(word) for word in command],
                cwd=self._here(self.service["working_dir"]),
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def health(self) -> subprocess.CompletedProcess[str]:
        """The health check."""
        kind, *command = self.service["healthcheck"]["test"]
        assert kind == "CMD"
        return subprocess.run(
            [self._here(word) for word in command],
            cwd=self._here(self.service["working_dir"]),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def wait_until_healthy(self, process: subprocess.Popen[bytes]) -> str:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and process.poll() is None:
            # A connection is cheap, the check starts a Python.
            with socket.socket() as probe:
                listening = probe.connect_ex(("127.0.0.1", self.port)) == 0
            if listening and (checked := self.health()).returncode == 0:
                return checked.stdout
            time.sleep(0.5)
        raise AssertionError((self.folder / "container.log").read_text(encoding="utf-8"))

    def _here(self, word: str) -> str:
        return word.replace("/freqtrade/", f"{self.folder}/")


@pytest.fixture
def container(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Container]:
    """The service `paper` on a sandbox; its mounts are where the compose file says."""
    service = COMPOSE["services"]["paper"]
    for mount in service["volumes"]:
        source, target = mount.removeprefix("./").split(":")[:2]
        here = Path(target.replace("/freqtrade", str(tmp_path)))
        if source == "user_data":
            here.mkdir()
        elif (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, here, ignore=shutil.ignore_patterns("__pycache__"))
    config = json.loads((ROOT / "config.json").read_text(encoding="utf-8"))
    config["exchange"]["pair_whitelist"] = config["ballast"]["market"]["basket"] = PAIRS
    # A position is bought by hand at any moment, whatever the market does just then.
    config["timeframe"] = "5m"
    config["ballast"]["gate"] = {"signal_age_s": 540, "move_atr": 10}
    off = [name for name in GuardSettings.names() if name != "DailyLossLimit"]
    config["ballast"]["guards"] = {"off": off}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with running_sandbox(tmp_path, *MARKET, *getattr(request, "param", ())) as sandbox:
        shutil.copy(sandbox.overlay, tmp_path / "overlay.json")
        yield Container(tmp_path, service)


@pytest.mark.slow
@pytest.mark.usefixtures("any_hour")
def test_bot_starts_checked_survives_a_kill_and_stops_in_time(container: Container) -> None:
    """An open position and its stop outlive SIGKILL; a stop is clean and within the period."""
    silent = container.health()
    assert (silent.returncode, silent.stderr) == (1, "")
    assert silent.stdout.startswith("DEAD: API_SILENT http://127.0.0.1:")
    with container.running() as process:
        assert container.wait_until_healthy(process).startswith("alive: running")
        said = (container.folder / "container.log").read_text(encoding="utf-8")
        assert said.index("P A P E R   T R A D I N G") < said.index("may start")
        assert "BEYOND LOOPBACK" not in said
        (opened,) = enter(container.api)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert container.health().returncode == 1

    with container.running() as process:
        container.wait_until_healthy(process)
        (kept,) = container.api.ask("status")
        assert kept["trade_id"] == opened["trade_id"]
        assert kept["stop_loss_abs"] >= opened["stop_loss_abs"] > 0
        begun = time.monotonic()
        process.send_signal(signal.Signals[container.service["stop_signal"]])
        # Freqtrade's way to say that it was asked to end.
        assert process.wait(30) == 128 + signal.SIGINT
        grace_s = int(container.service["stop_grace_period"].removesuffix("s"))
        assert time.monotonic() - begun < grace_s / 2
    assert_no_secrets(container.folder)


def enter(api: BotApi) -> list[dict[str, Any]]:
    """Buy by hand, and wait until it is filled; what the layer refuses is tried again."""
    deadline = time.monotonic() + 40
    answer = {}
    while time.monotonic() < deadline:
        trades = api.ask("status")
        if not trades:
            answer = api.ask("forceenter", "BTC/USDT", "long", order_type="market")
        elif trades[0]["amount"] and not trades[0]["has_open_orders"]:
            return list(trades)
        time.sleep(0.5)
    raise AssertionError(f"nothing was bought: {answer}")


def assert_no_secrets(folder: Path) -> None:
    """In nothing that was written: logs, databases, configuration."""
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert {"container.log", "freqtrade.log", "sandbox.sqlite"} <= {path.name for path in written}
    for path in written:
        content = path.read_bytes()
        assert not [name for name, secret in SECRETS.items() if secret.encode() in content], path


@pytest.mark.parametrize(
    "container",
    [["--live", "--key", "THEKEY99", "--rights", "reading", "trading", "withdrawals"]],
    indirect=True,
)
def test_bot_that_preflight_refuses_is_not_started(container: Container) -> None:
    """A live bot whose key can withdraw: the script ends before Freqtrade begins."""
    live = {**container.service["environment"], "FREQTRADE__DRY_RUN": "false"}
    container.service = {**container.service, "environment": live}
    with container.running() as process:
        assert process.wait(60) == 1
    said = (container.folder / "container.log").read_text(encoding="utf-8")
    assert "L I V E :  R E A L   M O N E Y" in said
    assert "FAIL  key rights: the key may withdraw" in said
    assert "THEKEY99" not in said
    assert "freqtrade" not in said.split("must NOT start")[1]
