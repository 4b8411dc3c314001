"""Samples from the bot's API: is it alive, is what it holds covered, what has it earned."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from statistics import fmean
from typing import Any

from ballast.ops.liveness import candle_end
from ballast.ops.metrics.families import Sample
from ballast.tooling.bot_api import BotApi

# The newest trades stand for present conditions.
_LAST_TRADES = 50
_SINCE_CODE = re.compile(r"^[A-Z][A-Z0-9_]*$")


def samples(api: BotApi, now: datetime) -> Iterator[Sample]:
    """
    What the API tells.

    Raises
    ------
    BotSilent
        If the bot does not answer.
    """
    shown = api.ask("show_config")
    yield from _identity(shown)
    loop = api.ask("health").get("last_process_ts")
    if loop is not None:
        yield "loop_age_seconds", {}, now.timestamp() - loop
    yield from _candles(api, shown, now)
    positions = [trade for trade in api.ask("status") if trade["amount"]]
    without = sum(uncovered(trade, live=not shown["dry_run"]) for trade in positions)
    yield "open_positions", {}, len(positions)
    yield "uncovered_positions", {}, without
    yield from _locks(api.ask("locks")["locks"])
    yield from _results(api, api.ask("profit"))


def _identity(shown: Mapping[str, Any]) -> Iterator[Sample]:
    names = ("bot_name", "strategy", "timeframe", "version", "strategy_version")
    yield "info", {name: str(shown.get(name) or "") for name in names}, 1
    yield "state", {"state": shown["state"]}, 1
    yield "live", {}, float(not shown["dry_run"])
    yield "candle_seconds", {}, shown["timeframe_ms"] / 1000


def _candles(api: BotApi, shown: Mapping[str, Any], now: datetime) -> Iterator[Sample]:
    timeframe, candle_s = shown["timeframe"], shown["timeframe_ms"] / 1000
    for pair in api.ask("whitelist")["whitelist"]:
        end = candle_end(api, pair, timeframe, candle_s)
        if end is not None:
            age_s = (now - end).total_seconds()
            yield "candle_age_seconds", {"pair": pair, "timeframe": timeframe}, age_s


def uncovered(trade: Mapping[str, Any], *, live: bool) -> bool:
    """Whether a position has no stop; when live, none that rests on the exchange."""
    if not trade.get("stop_loss_abs"):
        return True
    resting = [o for o in trade["orders"] if o["ft_order_side"] == "stoploss" and o["is_open"]]
    return live and not resting


def _locks(locks: Sequence[Mapping[str, Any]]) -> Iterator[Sample]:
    counts: dict[tuple[str, str], int] = {}
    for lock in locks:
        word = (lock.get("reason") or "").partition(" ")[0]
        code = word if _SINCE_CODE.match(word) else "OTHER"
        counts[(code, lock["pair"])] = counts.get((code, lock["pair"]), 0) + 1
    for (code, pair), count in counts.items():
        yield "locks", {"code": code, "pair": pair}, count


def _results(api: BotApi, profit: Mapping[str, Any]) -> Iterator[Sample]:
    yield "profit_closed", {}, float(profit["profit_closed_coin"])
    if profit.get("profit_factor") is not None:
        yield "profit_factor", {}, float(profit["profit_factor"])
    for result in ("winning", "losing"):
        yield "trades_closed", {"result": result}, float(profit[f"{result}_trades"])
    trades = api.ask("trades", _LAST_TRADES, 0, False)["trades"]
    for side, costs in _slippage_bps(trades).items():
        if costs:
            yield "slippage_bps", {"side": side}, fmean(costs)
            yield "slippage_fills", {"side": side}, len(costs)


def _slippage_bps(trades: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Cost of each fill against the price asked; a better price is negative."""
    bought = [
        10_000 * (t["open_rate"] / t["open_rate_requested"] - 1)
        for t in trades
        if t.get("open_rate_requested")
    ]
    sold = [
        10_000 * (1 - t["close_rate"] / t["close_rate_requested"])
        for t in trades
        if t.get("close_rate_requested") and t.get("close_rate")
    ]
    return {"entry": bought, "exit": sold}
