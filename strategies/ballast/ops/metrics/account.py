"""Samples from the bot's API: is it alive, what does it hold, what has it earned."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from statistics import fmean
from typing import Any

from ballast.core.heat import StopCosts, loss_at_stop
from ballast.ops.liveness import candle_end
from ballast.ops.metrics.families import Sample
from ballast.tooling.bot_api import BotApi

# The newest trades stand for present conditions.
_LAST_TRADES = 50
_SINCE_CODE = re.compile(r"^[A-Z][A-Z0-9_]*$")


def samples(
    api: BotApi,
    now: datetime,
    capital: float,
    heat_limit: float | None,
    costs_of: Callable[[float | None], StopCosts],
) -> Iterator[Sample]:
    """
    What the API tells.

    Parameters
    ----------
    capital : float
        Given to the bot, quote currency; NaN where it is not known.
    heat_limit : float or None
        Share of the equity; None where the guard is off.
    costs_of : callable
        What leaving at a stop costs beside the distance, by the fee of a fill (ratio).

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
    profit = api.ask("profit")
    equity = _equity(capital, profit, positions)
    yield "equity", {}, equity
    if heat_limit is not None:
        yield "heat_limit_ratio", {}, heat_limit
    yield from _positions(positions, equity, costs_of, live=not shown["dry_run"])
    yield from _locks(api.ask("locks")["locks"])
    yield from _results(api, profit)


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


def _equity(
    capital: float, profit: Mapping[str, Any], trades: Sequence[Mapping[str, Any]]
) -> float:
    """As the guards reckon it: capital, results, and positions at their present price."""
    earned = sum(t.get("realized_profit") or 0.0 for t in trades)
    opened = sum(t["amount"] * t["current_rate"] - t["stake_amount"] for t in trades)
    return float(capital + profit["profit_closed_coin"] + earned + opened)


def uncovered(trade: Mapping[str, Any], *, live: bool) -> bool:
    """Whether a position has no stop; when live, none that rests on the exchange."""
    if not trade.get("stop_loss_abs"):
        return True
    resting = [o for o in trade["orders"] if o["ft_order_side"] == "stoploss" and o["is_open"]]
    return live and not resting


def _positions(
    trades: Sequence[Mapping[str, Any]],
    equity: float,
    costs_of: Callable[[float | None], StopCosts],
    *,
    live: bool,
) -> Iterator[Sample]:
    yield "open_positions", {}, len(trades)
    yield "uncovered_positions", {}, sum(uncovered(trade, live=live) for trade in trades)
    if equity > 0:
        value = sum(t["amount"] * t["current_rate"] for t in trades)
        at_stop = sum(
            loss_at_stop(
                t["amount"],
                t["current_rate"],
                t.get("stop_loss_abs") or 0.0,
                costs_of(t.get("fee_open")),
            )
            for t in trades
        )
        yield "exposure_ratio", {}, value / equity
        yield "heat_ratio", {}, at_stop / equity


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
