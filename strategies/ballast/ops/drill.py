"""A rehearsal of switching off: a real bot, live on the sandbox exchange, with positions to lose.

How long it takes until nothing is held is measured on the exchange's own books, not on what the bot
believes. Needs `sandbox/` of the repository beside it; nothing here is imported by what trades.
"""

import contextlib
import json
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade.misc import deep_merge_dicts

from ballast.config.guards import GuardSettings
from ballast.tooling.bot_api import BotApi, BotSilent

if TYPE_CHECKING:
    from sandbox.beside import Sandbox

PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
KILL = "DRILL_KILL"
_READY_S, _WAIT_S, _LOOK_S = 120.0, 90.0, 20.0
_MARKET = ["--generate", "7", "--days", "90", "--pairs", *PAIRS, "--shift-to-now", "--live"]
# A bot without any guard does not start; this one no rehearsal can reach.
_GUARD = "WeeklyLossLimit"
# So little of a coin is what rounding leaves of a sale; quote currency.
_DUST = 5.0


class DrillFailed(Exception):
    """The rehearsal cannot be carried out; the text is one sentence."""


@dataclass(frozen=True)
class Result:
    """
    What one way of switching off did.

    Parameters
    ----------
    seconds : float or None
        Until nothing was held; None where it is kept.
    held, stops : int
        Positions and resting stop orders at the end, by the exchange's books.
    sells : bool
        Whether this way is meant to sell.
    """

    way: str
    seconds: float | None
    held: int
    stops: int
    sells: bool

    @property
    def is_as_meant(self) -> bool:
        """Whether all was sold, or what is kept (no stop has sold it) has its stop."""
        return self.seconds is not None if self.sells else self.held == self.stops


@dataclass(frozen=True)
class Rehearsal:
    """A bot that trades live on a sandbox; `look` asks the exchange."""

    look: Callable[[str], Any]
    api: BotApi
    bot: subprocess.Popen[bytes]
    folder: Path

    def enter(self) -> None:
        """
        Buy every pair, and wait until each position has its stop on the exchange.

        Raises
        ------
        DrillFailed
            If that does not come about.
        """
        deadline = time.monotonic() + _WAIT_S
        while (self.held(), self.stops()) != (len(PAIRS), len(PAIRS)):
            if time.monotonic() > deadline:
                raise DrillFailed(f"{self.held()} positions and {self.stops()} stops came about")
            known = {trade["pair"] for trade in self.api.ask("status")}
            for pair in PAIRS:
                # What is refused is tried again.
                if pair not in known:
                    with contextlib.suppress(BotSilent):
                        self.api.ask("forceenter", pair, "long", order_type="market")
            time.sleep(0.5)

    def held(self) -> int:
        """Coins held on the exchange beyond dust."""
        balances = self.look("/sandbox/balances")
        prices = {row["symbol"]: float(row["price"]) for row in self.look("/api/v3/ticker/price")}
        owned: dict[str, float] = {}
        for account in ("free", "locked"):
            for asset, amount in balances.get(account, {}).items():
                owned[asset] = owned.get(asset, 0.0) + float(amount)
        values = [owned.get(p.split("/")[0], 0.0) * prices[p.replace("/", "")] for p in PAIRS]
        return sum(value > _DUST for value in values)

    def stops(self) -> int:
        """Stop orders that rest on the exchange."""
        orders = self.look("/sandbox/orders")
        return sum(o["status"] == "NEW" and "STOP" in o["type"] for o in orders)

    def until_flat(self, way: str, act: Callable[[], Any]) -> Result:
        """Switch off, and measure until nothing is held."""
        self.enter()
        begun = time.monotonic()
        act()
        while self.held():
            if time.monotonic() - begun > _WAIT_S:
                return Result(way, None, self.held(), self.stops(), sells=True)
            time.sleep(0.1)
        return Result(way, time.monotonic() - begun, 0, self.stops(), sells=True)

    def kept(self, way: str, act: Callable[[], Any]) -> Result:
        """Switch off what sells nothing, and look some loops later."""
        self.enter()
        act()
        time.sleep(_LOOK_S)
        return Result(way, None, self.held(), self.stops(), sells=False)


def rehearse(config: Mapping[str, Any], strategies: Path, folder: Path) -> Generator[Result]:
    """
    Switch a bot off in every way, one after the other.

    Parameters
    ----------
    config : mapping
        Freqtrade's configuration; its exchange, account, database and messages are replaced.
    strategies : Path
        Folder of the strategies.
    folder : Path
        Scratch folder.

    Raises
    ------
    DrillFailed
        If sandbox or bot do not start, or no positions come about.
    """
    with (
        _sandbox(folder) as exchange,
        _bot(config, exchange.overlay, strategies, folder) as (api, bot),
    ):
        rehearsal = Rehearsal(exchange.get, api, bot, folder)
        kill = folder / KILL
        yield rehearsal.until_flat("kill file, policy flatten", kill.touch)
        kill.unlink()
        yield rehearsal.until_flat("/forceexit all", lambda: api.ask("forceexit", "all"))
        yield rehearsal.kept("/stopentry", lambda: api.ask("stopbuy"))
        api.ask("start")
        yield rehearsal.kept("/stop", lambda: api.ask("stop"))
        yield rehearsal.kept("the kill file after /stop, which is not heard", kill.touch)
        yield rehearsal.until_flat("/start, the kill file still there", lambda: api.ask("start"))
        kill.unlink()
        yield rehearsal.kept("end of the process (SIGINT)", lambda: bot.send_signal(signal.SIGINT))


@contextmanager
def _sandbox(folder: Path) -> Iterator["Sandbox"]:
    # Not there where only `strategies/` was copied.
    from sandbox.beside import SandboxNotReady, running_sandbox

    try:
        with running_sandbox(folder, *_MARKET) as sandbox:
            yield sandbox
    except SandboxNotReady as error:
        raise DrillFailed(str(error)) from None


@contextmanager
def _bot(
    config: Mapping[str, Any], overlay: Path, strategies: Path, folder: Path
) -> Iterator[tuple[BotApi, subprocess.Popen[bytes]]]:
    """The bot, once its loop goes round; yields its API and its process."""
    port, password = _free_port(), secrets.token_urlsafe(24)
    settings = _settings(config, folder, port, password)
    path = folder / "drill.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "freqtrade", "trade", "-c", str(path), "-c", str(overlay)]
    command += ["--strategy-path", str(strategies), "--userdir", str(folder)]
    api = BotApi(f"http://127.0.0.1:{port}", "drill", password)
    with _process(command, folder, "bot.log") as process:
        deadline = time.monotonic() + _READY_S
        while not _loops(api):
            if process.poll() is not None or time.monotonic() > deadline:
                last = (folder / "bot.log").read_text(encoding="utf-8").strip().splitlines()[-1:]
                raise DrillFailed(f"the bot does not start: {' '.join(last)}")
            time.sleep(0.5)
        yield api, process


def _settings(config: Mapping[str, Any], folder: Path, port: int, password: str) -> dict[str, Any]:
    """The bot's own configuration, on the sandbox, so that it may be told to buy at any moment."""
    own = {name: value for name, value in config.items() if name not in ("api_server", "db_url")}
    exchange = {**own.get("exchange", {}), "key": "", "secret": "", "pair_whitelist": list(PAIRS)}
    replaced = {
        "dry_run": False,
        "timeframe": "5m",
        "max_open_trades": len(PAIRS),
        "force_entry_enable": True,
        "db_url": f"sqlite:///{folder / 'drill.sqlite'}",
        "pairlists": [{"method": "StaticPairList"}],
        "telegram": {"enabled": False, "token": "", "chat_id": ""},
        "exchange": exchange,
        "api_server": {
            "enabled": True,
            "listen_ip_address": "127.0.0.1",
            "listen_port": port,
            "username": "drill",
            "password": password,
            "jwt_secret_key": secrets.token_urlsafe(32),
        },
        "ballast": {
            "market": {"leader": PAIRS[0], "basket": list(PAIRS)},
            "risk": {"entries_per_candle": 20, "position_cap_pct": 5.0},
            "gate": {"signal_age_s": 500, "move_atr": 10},
            # Forced entries follow no signal, and some lose: nothing but the ways out is rehearsed.
            "guards": {"off": [name for name in GuardSettings.names() if name != _GUARD]},
            "kill": {"file": KILL, "policy": "flatten"},
        },
    }
    return dict(deep_merge_dicts(replaced, own))


def _loops(api: BotApi) -> bool:
    with contextlib.suppress(BotSilent):
        return api.ask("health").get("last_process_ts") is not None
    return False


@contextmanager
def _process(command: list[str], folder: Path, log: str) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / log).open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)  # noqa: S603
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
