"""What a run tells about itself: events made from proposals, trades, orders, guards and stops."""

import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from freqtrade.persistence import LocalTrade, Order

from ballast.core.events import Event, EventKind
from ballast.core.guard_set import Change
from ballast.core.ledger import Flow
from ballast.core.reasons import Reason
from ballast.core.refusals import EntryRefused
from ballast.core.sizing import Sized
from ballast.core.verdict import Verdict
from ballast.risk.proposals import OrderProposal
from ballast.risk.stop_manager import StopMove

# Sums of floats, of an amount.
_ROUNDING = 1e-6


def sized(proposal: OrderProposal, rate: float, now: datetime) -> Event:
    """An entry that got a size. Value: stake; limit: the cap that bound, both quote currency."""
    facts = _of_size(proposal.sized, rate, proposal.stop)
    facts["multiplier"] = proposal.verdict.multiplier
    if proposal.verdict.multiplier < 1:
        facts["guard"] = proposal.verdict.code
    return _sized(proposal.sized, proposal.pair, None, now, facts)


def added(trade: LocalTrade, found: Sized, rate: float, stop: float, now: datetime) -> Event:
    """An addition to a position that got a size. Value and limit as of an entry."""
    facts = _of_size(found, rate, stop) | {"addition": trade.nr_of_successful_entries}
    return _sized(found, trade.pair, trade.id, now, facts)


def _of_size(found: Sized, rate: float, stop: float) -> dict[str, Any]:
    return {
        "stake": found.stake,
        "binding": found.binding,
        "caps": dict(found.caps),
        "loss_ratio": found.loss_ratio,
        "rate": rate,
        "stop": stop,
    }


def _sized(
    found: Sized, pair: str, trade_id: int | None, now: datetime, facts: dict[str, Any]
) -> Event:
    cap = found.caps.get(found.binding, math.nan)
    return Event(now, EventKind.SIZED, found.binding, pair, trade_id, found.stake, cap, facts)


def confirmed(pair: str, amount: float, rate: float, now: datetime) -> Event:
    """An entry order that may be sent. Value: its rate, quote currency."""
    facts = {"amount": amount, "rate": rate}
    return Event(now, EventKind.ORDER, Reason.ENTRY_CONFIRMED, pair, None, rate, facts=facts)


def filled(
    trade: LocalTrade, order: Order, now: datetime, signal: datetime, because: str
) -> Iterator[Event]:
    """
    An order that has filled, and the end of the trade where it ends it.

    Parameters
    ----------
    signal : datetime
        Opening time of the candle that the trade's entry follows from (UTC).
    because : str
        What an exit was decided by, in words; empty where its code says it.
    """
    entered = order.ft_order_side == trade.entry_side
    part = not entered and _is_part(trade, order)
    sold = Reason.PART_SOLD if part else Reason.EXIT_FILLED
    facts = _of_order(order)
    if entered:
        facts["signal"] = signal.isoformat()
    told = {"because": because} if because else {}
    price, asked = order.safe_price, order.safe_placement_price
    code = Reason.ENTRY_FILLED if entered else sold
    facts |= told if part else {}
    yield Event(now, EventKind.ORDER, code, trade.pair, trade.id, price, asked, facts)
    if not entered and not part:
        reason = trade.exit_reason or order.ft_order_tag or str(order.ft_order_side)
        profit = 100 * _result(trade, price)
        left = {"rate": price, "open_rate": trade.open_rate, "stop": trade.stop_loss}
        yield Event(now, EventKind.EXIT, reason, trade.pair, trade.id, profit, 0.0, left | told)


def _is_part(trade: LocalTrade, order: Order) -> bool:
    """Whether something is left after a sale; a backtest tells of it before it is booked."""
    if not trade.is_open:
        return False
    signs = {trade.entry_side: 1}
    left = sum(signs.get(o.ft_order_side, -1) * o.safe_amount_after_fee for o in trade.orders)
    return left > _ROUNDING * order.safe_filled


def _result(trade: LocalTrade, price: float) -> float:
    """Profit of a trade that ends at a price, ratio; with what its parts have earned before."""
    if not trade.realized_profit:
        return float(trade.calc_profit_ratio(price))
    if not trade.is_open:
        return float(trade.close_profit or 0.0)
    return float(trade.calculate_profit(price).total_profit_ratio)


def stop_moved(move: StopMove) -> Event:
    """A stop that moved. Value: where it is now; limit: where it was; quote currency."""
    trade = move.trade
    return Event(move.at, EventKind.STOP, move.code, trade.pair, trade.id, move.stop, move.before)


def guard_changed(change: Change, now: datetime) -> Event:
    """A guard's block that begins or is lifted."""
    verdict = change.verdict
    state = "begins" if verdict.blocks else "lifted"
    facts = {"guard": change.guard, "state": state, **_of_verdict(verdict)}
    numbers = (verdict.value, verdict.limit) if verdict.blocks else (math.nan, math.nan)
    return Event(now, EventKind.GUARD, verdict.code, change.pair, None, *numbers, facts)


def refused(pair: str, refusal: EntryRefused, now: datetime) -> Event:
    """An entry that was refused, with what its verdict saw."""
    why = refusal.verdict
    facts = {"detail": refusal.detail, **_of_verdict(why)}
    return Event(now, EventKind.REFUSED, why.code, pair, None, why.value, why.limit, facts)


def _of_verdict(verdict: Verdict) -> dict[str, Any]:
    """What a verdict says beside its numbers."""
    began = verdict.began if math.isfinite(verdict.began) else None
    found = {"until": str(verdict.until or ""), "began": began}
    return found | ({"unit": verdict.unit} if verdict.unit else {})


def flowed(flow: Flow, equity: float, currency: str, now: datetime) -> Event:
    """Money that came or went. Value: how much; limit: equity after it, both in `currency`."""
    facts = {"cause": flow.cause.value, "currency": currency}
    return Event(now, EventKind.FLOW, Reason.FLOW, value=flow.amount, limit=equity, facts=facts)


def failed(where: str, error: Exception, now: datetime) -> Event:
    """A failure inside a callback."""
    facts = {"where": where, "text": str(error)}
    return Event(now, EventKind.INCIDENT, type(error).__name__, facts=facts)


def _of_order(order: Order) -> dict[str, object]:
    """The order and the exchange's answer to it."""
    placed, done = order.order_date_utc, order.order_filled_utc
    return {
        "order_id": order.order_id,
        "side": order.ft_order_side,
        "type": order.order_type,
        "tag": order.ft_order_tag,
        "status": order.status,
        "asked": order.safe_placement_price,
        "average": order.safe_price,
        "amount": order.safe_amount,
        "filled": order.safe_filled,
        "cost": order.safe_cost,
        "fee_base": order.safe_fee_base,
        "placed": str(placed),
        "filled_at": str(done or ""),
        "seconds": (done - placed).total_seconds() if done is not None else None,
    }
