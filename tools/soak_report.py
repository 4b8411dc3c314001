"""The figures of soak runs, and their table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from sandbox.order_bodies import order_body
from sandbox.orders import Order, Side
from tools import soak_journal, soak_truth
from tools.soak_plan import FAULTS, unanswered
from tools.soak_strategy import is_signal
from tools.soak_truth import Position

if TYPE_CHECKING:
    from tools.run_soak import Soak

# What Ballast allows by default: age of a signal [s], and loss of one trade [% of the account]. The
# age is that of the order when it is sent; a request that is slow arrives later.
SIGNAL_AGE_S = 120.0 + max(fault.get("delay_s", 0.0) for fault in FAULTS)
BUDGET_PCT = 0.5
# The account is valued without open positions when a budget is worked out from the ledger.
BUDGET_SLACK = 1.05


@dataclass(frozen=True)
class Figures:
    """What came of one run; the fields of `ZEROS` must be zero."""

    seed: int
    duplicates: int
    unknown_positions: int
    orders_lost: int
    difference: float
    stale_entries: int
    over_budget: int
    audit: int
    crashes: int
    failed_requests: int
    uncovered_p99_s: float
    uncovered_worst_s: float
    uncovered_alive_s: float
    unlike_p99_s: float
    unlike_worst_s: float
    worst_loss: float
    worst_decided: float
    positions: int
    orders: int
    kills: int
    beside: int
    failed_starts: int
    struck: int
    requests: int
    connections: int
    result: float
    real_s: float

    @property
    def is_clean(self) -> bool:
        """Whether all that must be zero is."""
        return not any(round(getattr(self, name), 8) for name in ZEROS)


ZEROS = {
    "duplicates": "duplicates",
    "unknown_positions": "unknown positions",
    "orders_lost": "orders lost",
    "difference": "database against ledger [USDT]",
    "stale_entries": "entries on stale signals",
    "over_budget": "losses beyond the risk budget",
    "audit": "errors in the exchange's own books",
    "crashes": "crashes of the bot",
    "failed_requests": "charts and the like that failed",
}
OTHERS = {
    "uncovered_p99_s": "seconds uncovered, p99",
    "uncovered_worst_s": "seconds uncovered, worst",
    "uncovered_alive_s": "seconds uncovered, worst, bot alive",
    "unlike_p99_s": "seconds unlike the plan, answered, p99",
    "unlike_worst_s": "seconds unlike the plan, answered, worst",
    "worst_loss": "worst loss, multiple of its budget",
    "worst_decided": "worst loss, multiple of what was decided",
    "positions": "positions",
    "orders": "orders accepted",
    "kills": "kills and interrupts",
    "beside": "flows, or another bot's trades",
    "failed_starts": "starts while the exchange was away",
    "struck": "faults that struck",
    "requests": "charts and the like asked for",
    "connections": "connections to the database at once, most",
    "result": "result [USDT]",
    "real_s": "real seconds",
}


def figures(seed: int, soak: Soak, deposit: float, real_s: float) -> Figures:
    """Work out the figures of a run that has ended."""
    exchange, end_ms = soak.exchange, soak.clock.time_ms
    exchange.advance()
    books = soak_truth.read_books(soak.database)
    by_symbol = {
        market.symbol: [o for o in exchange.orders if o.symbol == market.symbol]
        for market in soak_truth.traded(exchange)
    }
    ours = [order for orders in by_symbol.values() for order in orders]
    held = [
        position
        for symbol, orders in by_symbol.items()
        for position in soak_truth.positions(symbol, orders, end_ms)
    ]
    at_once = [o for orders in by_symbol.values() for o in soak_truth.bought_at_once(orders)]
    twice = [position for position in held if position.is_bought_twice]
    losses = soak_truth.over_budget(held, deposit, BUDGET_PCT, soak.others.flows)
    uncovered = [position.uncovered_s for position in held] or [0.0]
    alive = [position.uncovered_while(soak.away) for position in held] or [0.0]
    unlike, decided = _against_plans(soak, held, by_symbol)
    findings = {
        "bought at once": [o.id for o in at_once],
        "bought twice": [*map(asdict, twice)],
        "requests": soak.visitor.failed,
        "unlike the plan": {key: seconds for key, seconds in unlike.items() if seconds},
    }
    _keep(soak, findings)
    return Figures(
        seed=seed,
        duplicates=len(at_once) + len(twice),
        unknown_positions=len(soak_truth.unknown_coins(exchange, books)),
        orders_lost=len(soak_truth.lost_orders(ours, books)),
        difference=soak_truth.difference(ours, books),
        stale_entries=sum(is_stale(order, ours, soak.candle_s) for order in ours),
        over_budget=sum(loss > BUDGET_SLACK for loss in losses),
        audit=len(exchange.audit()),
        crashes=len(soak.crashes),
        failed_requests=len(soak.visitor.failed),
        uncovered_p99_s=float(np.percentile(uncovered, 99)),
        uncovered_worst_s=max(uncovered),
        uncovered_alive_s=max(alive),
        unlike_p99_s=float(np.percentile(list(unlike.values()) or [0.0], 99)),
        unlike_worst_s=max(unlike.values(), default=0.0),
        worst_loss=max(losses, default=0.0),
        worst_decided=max(decided, default=0.0),
        positions=len(held),
        orders=len(ours),
        kills=soak.killer.kills,
        beside=len(soak.others.flows) + soak.others.trades,
        failed_starts=soak.failed_starts,
        struck=sum(soak.plan.counts.values()),
        requests=soak.visitor.asked,
        connections=soak.visitor.connections,
        result=-sum(position.loss for position in held),
        real_s=real_s,
    )


def _against_plans(
    soak: Soak, held: Sequence[Position], by_symbol: Mapping[str, Sequence[Order]]
) -> tuple[dict[str, float], list[float]]:
    """Of every position the seconds unlike its plan, and losses over what was decided."""
    try:
        plans = soak_journal.read_plans(soak.folder / "user_data")
    except FileNotFoundError:
        # Freqtrade alone plans nothing.
        return {}, []
    unlike, silent = {}, unanswered(soak.plan.strikes)
    for position in held:
        tick = soak.exchange.market.market(position.symbol).tick_size
        unlike[f"{position.symbol} {position.opened_ms}"] = soak_journal.differing_s(
            position,
            by_symbol[position.symbol],
            plans,
            tick,
            [*soak.away, *silent],
            soak.clock.time_ms,
        )
    return unlike, soak_journal.over_decided(held, plans)


def _keep(soak: Soak, findings: dict[str, Any]) -> None:
    """Keep what happened beside the bot's log, for whoever looks for a cause."""
    orders = [order_body(order) for order in soak.exchange.orders]
    strikes = [asdict(strike) for strike in soak.plan.strikes]
    told = {"findings": findings, "orders": orders, "strikes": strikes, "away": soak.away}
    (soak.folder / "truth.json").write_text(json.dumps(told, indent=1), encoding="utf-8")


def is_stale(order: Order, orders: Sequence[Order], candle_s: int) -> bool:
    """Whether an entry was sent on a signal that was no longer the newest candle's, or too old.

    An order that replaces one which was cancelled at the same moment chases the same signal.
    """
    if order.side is not Side.BUY:
        return False
    time_s = order.time_ms / 1000
    newest = int(time_s // candle_s - 1) * candle_s
    if is_signal(newest) and time_s - newest - candle_s <= SIGNAL_AGE_S:
        return False
    return not any(
        other.side is Side.BUY
        and other.symbol == order.symbol
        and other.id < order.id
        and 0 <= order.time_ms - other.update_ms <= 10_000
        and not other.is_open
        for other in orders
    )


def print_table(found: Sequence[Figures]) -> None:
    """One column a seed; what must be zero first."""
    table = Table(title="Soak", caption="figures above the line must be zero")
    table.add_column("")
    for figure in found:
        table.add_column(f"seed {figure.seed}", justify="right")
    for names in (ZEROS, OTHERS):
        for name, label in names.items():
            table.add_row(label, *(f"{getattr(figure, name):,.6g}" for figure in found))
        table.add_section()
    Console(width=100).print(table)
