"""`make paper`: a week of paper trading on a generated market, in minutes.

A real `freqtrade trade --dry-run` runs in this process against the sandbox exchange beside it. Its
clock is not the machine's: wherever Freqtrade would sleep until its next loop, its time and the
exchange's are moved on at once (`stepped_time`). It decides as it would have week in, week out, but
what a real bot waits for the network, and what its own computing takes, costs no time here.
REST and FreqUI are served on loopback meanwhile; they show the simulated time.

It ends with `why` and `drift` of its own run. What they read is kept in `<userdir>/paper`:
database, journal, candles, log, and `config.json`, which points at them.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import shlex
import socket
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import freqtrade.main
from freqtrade.misc import deep_merge_dicts
from freqtrade.persistence import LocalTrade, Trade
from rich.console import Console
from rich.table import Table

from ballast.commands.tables import table
from sandbox.beside import SandboxNotReady, leave_when_told, running_sandbox
from sandbox.sources import DEFAULT_DAYS, DEFAULT_START
from tools.run_backtest import ROOT, Steps, ballast_command, run_module, run_quietly, shown
from tools.stepped_time import stepped_time

USER = "paper"
# What REST and FreqUI listen on where it is free: neither a bot's 8080 nor the panel's.
API_PORT = 8085
# Freqtrade's exit code after Ctrl+C.
INTERRUPTED = 130
# Between two loops of the bot at most, while a candle lasts an hour [simulated s].
LOOP_SECONDS = 600
# The market is made from here on, so that there is a past to start up with.
MARKET_START = DEFAULT_START.date()
EARLIEST = MARKET_START + timedelta(days=100)


@dataclass
class Paper:
    """
    A run of the bot: moves the exchange's clock with the bot's, reports, and ends it.

    Parameters
    ----------
    url : str
        Of the sandbox.
    end : datetime
        When the simulated days are over.
    stay : bool
        Go on afterwards, a loop a second, instead of ending.
    explain : callable
        Called once the days are over.
    """

    url: str
    end: datetime
    stay: bool
    explain: Callable[[], None]
    is_over: bool = False
    _reported: date | None = None

    def after_step(self) -> None:
        """Called whenever the bot has slept; KeyboardInterrupt ends it, as Ctrl+C does."""
        now = datetime.now(UTC)
        body = json.dumps({"now_ms": round(now.timestamp() * 1000)}).encode()
        with urllib.request.urlopen(f"{self.url}/sandbox/clock", body, timeout=30):  # noqa: S310
            pass
        if self.is_over:
            time.sleep(1)
            return
        if now.date() != self._reported:
            self._reported = now.date()
            _say(f"{now:%Y-%m-%d}  {_standing()}")
        if now >= self.end:
            self.is_over = True
            Console().print(_summary(Trade.get_trades_proxy()))
            _say(_standing())
            self.explain()
            if not self.stay:
                raise KeyboardInterrupt
            _say("The bot goes on, ten minutes a second; Ctrl+C ends it.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code, Freqtrade's own if it fails."""
    options = _parser().parse_args(arguments)
    begin = datetime.combine(options.start, datetime.min.time(), UTC) + timedelta(seconds=1)
    days_left = (_market_end() - options.start).days
    if options.start < EARLIEST or not 0 < options.days <= days_left:
        sys.stderr.write(
            f"make paper: The days must lie between {EARLIEST} and {_market_end()}, "
            f"not {options.days:g} from {options.start} on.\n"
        )
        return 2
    leave_when_told()
    try:
        api_port = _free_port(options.api_port)
    except OSError as error:
        sys.stderr.write(
            f"make paper: --api-port {options.api_port} cannot be listened on: {error.strerror}.\n"
        )
        return 2
    folder = (options.userdir / "paper").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("trades.sqlite", "journal.sqlite", "freqtrade.log"):
        for leftover in folder.glob(f"{name}*"):
            leftover.unlink()
    _say(f"Starting the sandbox exchange: the market of seed {options.seed}")
    try:
        with (
            tempfile.TemporaryDirectory() as scratch,
            running_sandbox(Path(scratch), *_served(options, begin)) as served,
        ):
            config = _written(options, folder, served.overlay, api_port)
            paper = Paper(
                served.url,
                begin + timedelta(days=options.days),
                options.stay,
                lambda: _explain(options, folder, config, served.overlay),
            )
            return _trade(options, folder, config, paper, begin)
    except SandboxNotReady as error:
        sys.stderr.write(f"make paper: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nmake paper: interrupted; the sandbox is stopped.\n")
        return 130


def _served(options: argparse.Namespace, begin: datetime) -> list[str]:
    """The sandbox's command line: a market whose time stands at the beginning until it is moved."""
    market = ["--generate", options.seed, "--start", MARKET_START.isoformat()]
    market += ["--days", str(DEFAULT_DAYS), "--now", begin.isoformat(), "--trade-listed"]
    return [*market, "--port", options.port]


def _free_port(wanted: int | None) -> int:
    """The port that is wanted, or the usual one, or where that is taken a free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", API_PORT if wanted is None else wanted))
        except OSError:
            if wanted is not None:
                raise
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _written(options: argparse.Namespace, folder: Path, overlay: Path, api_port: int) -> Path:
    """The bot's configuration beside that of the repository, kept for whoever asks about it."""
    exchange = json.loads(overlay.read_text(encoding="utf-8"))
    settings = deep_merge_dicts(_settings(options, folder, api_port), exchange)
    path = folder / "config.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    return path


def _trade(
    options: argparse.Namespace, folder: Path, config: Path, paper: Paper, begin: datetime
) -> int:
    line = ["trade", "--dry-run", "--userdir", str(options.userdir)]
    line += ["--config", str(ROOT / "config.json"), "--config", str(config)]
    api = json.loads(config.read_text(encoding="utf-8"))["api_server"]
    _say(f"{options.days:g} days of {options.strategy} from {options.start} on")
    _say(
        f"REST and FreqUI: http://127.0.0.1:{api['listen_port']}  user {USER}  "
        f"password {api['password']}\n(for FreqUI run `freqtrade install-ui` once)\n"
    )
    started = time.monotonic()
    with stepped_time(begin, paper.after_step):
        try:
            freqtrade.main.main(line)
        except SystemExit as end:
            code = end.code
    if not paper.is_over:
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        _say(f"Freqtrade ended early; its log is {folder / 'freqtrade.log'}.")
        return code if isinstance(code, int) else 1
    _say(f"{time.monotonic() - started:.0f} seconds. Log and database: {folder}")
    return 0


def _explain(options: argparse.Namespace, folder: Path, config: Path, overlay: Path) -> None:
    """What the bot decided about a pair, and what its run is against a backtest of it."""
    candles, configs = folder / "data", ["-c", "config.json", "-c", shown(config)]
    market = ["-c", "config.json", "-c", str(overlay)]
    period = f"{MARKET_START:%Y%m%d}-{options.start + timedelta(days=options.days + 1):%Y%m%d}"
    wanted = ["download-data", *market, "--erase", "--datadir", str(candles)]
    wanted += ["--timerange", period, "--timeframes", "1h", "4h", "1d"]
    steps = Steps(re.compile("Downloaded data for "), 27)
    _say("Keeping the candles of its market, to ask about them")
    if run_quietly("freqtrade", wanted, folder / "download.log", steps):
        return
    newest = max(Trade.get_trades_proxy(), key=lambda trade: trade.open_date, default=None)
    pair = newest.pair if newest is not None else "BTC/USDT"
    for asked in (
        ["why", pair, *configs],
        ["drift", *configs, "-d", shown(candles), "--offline"],
    ):
        _say(shlex.join([*ballast_command(), *asked]))
        run_module("ballast", asked)
    if options.stay:
        _say(
            f"As a page, live: {shlex.join([*ballast_command(), 'panel', *configs])}\n"
            "(its candles are simulated: by this machine's clock the next is long overdue)"
        )


def _settings(options: argparse.Namespace, folder: Path, api_port: int) -> dict[str, Any]:
    """What is particular to this run in Freqtrade's configuration."""
    log = {"class": "logging.FileHandler", "formatter": "plain"}
    return {
        "strategy": options.strategy,
        "strategy_path": str(ROOT / "strategies"),
        "user_data_dir": str(options.userdir.resolve()),
        "db_url": f"sqlite:///{folder / 'trades.sqlite'}",
        # Made anew with the database, and not one more in the user's folder at every run.
        "ballast": {
            "journal": {"path": str(folder / "journal.sqlite")},
            "log": {"file": str(folder / "ballast.jsonl")},
        },
        "timeframe": "1h",
        "internals": {"process_throttle_secs": LOOP_SECONDS},
        "api_server": {
            "enabled": True,
            "listen_ip_address": "127.0.0.1",
            "listen_port": api_port,
            "verbosity": "error",
            "username": USER,
            "password": secrets.token_urlsafe(9),
            "jwt_secret_key": secrets.token_hex(32),
            "ws_token": secrets.token_urlsafe(24),
        },
        "log_config": {
            "version": 1,
            "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
            "handlers": {"file": log | {"filename": str(folder / "freqtrade.log")}},
            "root": {"handlers": ["file"], "level": "INFO"},
        },
    }


def _standing() -> str:
    """How the bot stands, in half a line."""
    closed = Trade.get_trades_proxy(is_open=False)
    realised = sum(trade.close_profit_abs or 0.0 for trade in closed)
    return f"{Trade.get_open_trade_count()} open, {len(closed)} closed, {realised:+.2f} USDT"


def _summary(trades: Iterable[LocalTrade]) -> Table:
    """Every trade, and what came of it."""
    heads = ("pair", "opened", "closed", "stake", "profit", "why it closed")
    shown = table(
        *heads, numbers=("stake", "profit"), title="The trades (stake and profit in USDT)"
    )
    for column in shown.columns[:-1]:
        column.no_wrap = True
    for trade in sorted(trades, key=lambda trade: trade.open_date):
        closed = f"{trade.close_date:%m-%d %H:%M}" if trade.close_date else "open"
        profit = f"{trade.close_profit_abs:+.1f}" if trade.close_profit_abs is not None else ""
        opened, stake = f"{trade.open_date:%m-%d %H:%M}", f"{trade.stake_amount:.0f}"
        shown.add_row(trade.pair, opened, closed, stake, profit, trade.exit_reason or "")
    return shown


def _market_end() -> date:
    return MARKET_START + timedelta(days=DEFAULT_DAYS)


def _say(text: str) -> None:
    print(f"==> {text}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.run_paper", description=__doc__)
    add = parser.add_argument
    add("--port", default="0", help="where the sandbox listens (a free port)")
    add("--api-port", type=int, help=f"where REST and FreqUI are ({API_PORT}, or a free port)")
    add("--seed", default="7", help="which market is generated (%(default)s)")
    add("--start", type=date.fromisoformat, default=date(2024, 10, 20), help="%(default)s")
    add("--days", type=float, default=7, help="simulated days (%(default)s)")
    add("--strategy", default="RisingMarket", help="%(default)s")
    add("--stay", action="store_true", help="go on afterwards until Ctrl+C, to look around")
    add("--userdir", type=Path, default=ROOT / "user_data", help="Freqtrade's folder")
    return parser


if __name__ == "__main__":
    sys.exit(main())
