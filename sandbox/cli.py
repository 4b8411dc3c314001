"""``python -m sandbox``: generate or replay, then serve or export.

Exit code 0 after a clean stop, 2 with one sentence on standard error for anything that cannot be
used, 130 if interrupted before it serves.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NoReturn

from sandbox.candles import DAY_MS, TIMEFRAMES_MS
from sandbox.clock import Clock, FixedClock, RealClock, ReplayClock, wall_ms
from sandbox.errors import SandboxError
from sandbox.faults_plan import FaultPlan, read_plan
from sandbox.market_data import MarketData
from sandbox.overlay import DEFAULT_PORT, overlay, write_overlay, write_text
from sandbox.regimes import MAX_DAYS, MIN_DAYS
from sandbox.rehearsal import build_rehearsal_app
from sandbox.server import serve
from sandbox.sources import (
    DEFAULT_DAYS,
    DEFAULT_START,
    CandleSource,
    GeneratedSource,
    ShiftedSource,
    span_ms,
)
from sandbox.trading_options import add_trading_options, api_key, exchange_of, overlay_key

EXPORT_TIMEFRAMES = ("5m", "15m", "1h", "4h", "1d")
# Unless told otherwise, 'now' is this long before the history's end, so that there is a future.
FUTURE_MS = 7 * DAY_MS
MAX_SPEED = 100_000.0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SandboxError(message[0].upper() + message[1:].rstrip(".") + ".")


def _arguments() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m sandbox", description="Binance's spot API on loopback.")
    add = parser.add_argument
    add("--generate", metavar="SEED", help="serve a generated history")
    add("--data", metavar="DIR", type=Path, help="serve Freqtrade's candle files of a folder")
    add("--start", default=f"{DEFAULT_START:%Y-%m-%d}", help="first day generated (%(default)s)")
    add("--days", default=str(DEFAULT_DAYS), help="days generated (%(default)s)")
    add("--pairs", nargs="+", metavar="PAIR", help="only these pairs, such as BTC/USDT")
    add("--timeframe", help="finest candles: 5m or 1m generated; of files the finest there is")
    add("--host", default="127.0.0.1", help="loopback address to listen on (%(default)s)")
    add("--port", default=str(DEFAULT_PORT), help="port, 0 for a free one (%(default)s)")
    add(
        "--clock",
        choices=("fixed", "replay", "real"),
        default="fixed",
        help="time stands still at --now, runs from there, or is the machine's (%(default)s)",
    )
    add("--now", metavar="WHEN", help="a date, or the name of a label: its start")
    add("--speed", default="1", help="simulated per real second, with --clock replay")
    add(
        "--shift-to-now",
        action="store_true",
        help="move the history so that --now is the machine's time, a day without a time its day; "
        "the clock is real",
    )
    add("--faults", metavar="FILE", type=Path, help="misbehave as a plan in JSON says")
    add("--write-overlay", metavar="PATH", type=Path, help="write the Freqtrade config overlay")
    add("--ready-file", metavar="PATH", type=Path, help="write the URL there once listening")
    add("--export", metavar="DIR", type=Path, help="write feather files there and exit")
    add("--timeframes", nargs="+", default=EXPORT_TIMEFRAMES, help="timeframes to export")
    add_trading_options(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    try:
        _run(_arguments().parse_args(arguments))
    except SandboxError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 2
    except KeyboardInterrupt:
        # Interrupted while it was still generating or reading.
        return 130
    return 0


def _run(options: argparse.Namespace) -> None:
    port = _whole_number("--port", options.port, 0, 65535)
    _require_loopback(options.host)
    source = _source(options)
    if source is None:
        if options.write_overlay is None:
            raise SandboxError("Give --generate SEED or --data DIR (or --write-overlay PATH).")
        url = f"http://{options.host}:{port}"
        _write_overlay(url, options)
        return
    if options.export is not None:
        _export(source, options)
        return
    source, clock = _in_time(source, options)
    plan = FaultPlan(clock) if options.faults is None else read_plan(options.faults, clock)
    exchange = exchange_of(options, MarketData(source, clock))
    app = build_rehearsal_app(exchange, plan, [api_key(options)])
    asyncio.run(serve(app, options.host, port, lambda url: _ready(url, exchange.market, options)))


def _source(options: argparse.Namespace) -> CandleSource | None:
    if options.generate is not None and options.data is not None:
        raise SandboxError("Give --generate or --data, not both.")
    if options.generate is not None:
        return GeneratedSource(
            _whole_number("--generate", options.generate, 0, 2**32 - 1),
            start=_date("--start", options.start),
            days=_whole_number("--days", options.days, MIN_DAYS, MAX_DAYS),
            pairs=options.pairs,
            timeframe=options.timeframe or "5m",
        )
    if options.data is not None:
        # Freqtrade's data handlers take seconds to import; a generated history needs none.
        from sandbox.files import FileSource

        return FileSource(options.data, options.pairs, options.timeframe)
    return None


def _export(source: CandleSource, options: argparse.Namespace) -> None:
    from sandbox.files import export

    for timeframe in options.timeframes:
        if timeframe not in TIMEFRAMES_MS:
            known = ", ".join(TIMEFRAMES_MS)
            raise SandboxError(f"--timeframes {timeframe!r} is not one of {known}.")
    written = export(source, options.export, options.timeframes)
    sys.stdout.write(f"{len(written)} files written to {options.export}\n")


def _in_time(source: CandleSource, options: argparse.Namespace) -> tuple[CandleSource, Clock]:
    """The source, moved if asked to, and the clock to look at it by."""
    start_ms, end_ms = span_ms(source)
    if options.shift_to_now:
        if options.clock == "replay":
            raise SandboxError("Give --shift-to-now or --clock replay, not both.")
        now_ms = _now(source, options.now, max(start_ms, end_ms - FUTURE_MS))
        # Whole candles, so that coarser ones open on the hours and days of the real calendar. Whole
        # days where no hour was asked for: those of the history stay the days of the exchange.
        unit = max(source.candles(market.pair).timeframe_ms for market in source.markets())
        if _is_day(options.now) and now_ms + DAY_MS <= end_ms:
            unit = DAY_MS
        shift_ms = (wall_ms() - now_ms) // unit * unit
        return ShiftedSource(source, shift_ms), RealClock()
    if options.clock == "real":
        return source, RealClock()
    if options.clock == "replay":
        now_ms = _now(source, options.now, max(start_ms, end_ms - FUTURE_MS))
        return source, ReplayClock(now_ms, _speed(options.speed))
    return source, FixedClock(_now(source, options.now, end_ms))


def _now(source: CandleSource, text: str | None, default_ms: int) -> int:
    """The moment ``--now`` names [Unix ms]."""
    if text is None:
        return default_ms
    for label in source.labels():
        if label.name == text:
            return label.start_ms
    time_ms = int(_date("--now", text, "a date or the name of a label").timestamp() * 1000)
    start_ms, end_ms = span_ms(source)
    if not start_ms <= time_ms <= end_ms:
        history = f"{_utc(start_ms):%Y-%m-%d %H:%M} to {_utc(end_ms):%Y-%m-%d %H:%M}"
        raise SandboxError(f"--now must be within the history, {history}, not {text!r}.")
    return time_ms


def _is_day(text: str | None) -> bool:
    """Whether ``--now`` leaves the time of day open."""
    try:
        return text is None or bool(date.fromisoformat(text))
    except ValueError:
        return False


def _write_overlay(
    url: str, options: argparse.Namespace, pairs: Sequence[str] | None = None
) -> None:
    key = overlay_key(options)
    section = overlay(url, key, websocket=options.websocket, pairs=pairs)
    write_overlay(options.write_overlay, section)


def _ready(url: str, market: MarketData, options: argparse.Namespace) -> None:
    if options.write_overlay is not None:
        now_ms = market.clock.now_ms()
        trading = [listed.pair for listed in market.markets() if listed.is_trading(now_ms)]
        _write_overlay(url, options, trading if options.trade_listed else None)
    if options.ready_file is not None:
        write_text(options.ready_file, url + "\n")
    start, end = (f"{_utc(time_ms):%Y-%m-%d %H:%M}" for time_ms in span_ms(market.source))
    now = _utc(market.clock.now_ms())
    sys.stdout.write(
        f"ready {url} pairs={len(market.source.markets())} from={start} to={end}"
        f" now={now:%Y-%m-%d %H:%M:%S} UTC\n"
    )
    sys.stdout.flush()


def _utc(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, tz=UTC)


def _whole_number(name: str, text: str, low: int, high: int) -> int:
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise SandboxError(f"{name} must be a whole number from {low} to {high}, not {text!r}.")
    return int(text)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.0 < speed <= MAX_SPEED:
        raise SandboxError(f"--speed must be above 0 and at most {MAX_SPEED:g}, not {text!r}.")
    return speed


def _date(name: str, text: str, accepted: str = "a date") -> datetime:
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        raise SandboxError(f"{name} must be {accepted} such as 2024-01-01, not {text!r}.") from None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _require_loopback(host: str) -> None:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise SandboxError(f"--host must be a loopback address such as 127.0.0.1, not {host!r}.")
