"""How much to buy: the smallest of several caps, and the name of the cap that bound.

Every cap is an amount in quote currency. A cap that cannot be computed is a cap of zero: no trade.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

NO_TRADE = 0.0


@dataclass(frozen=True)
class Sized:
    """
    Result of sizing.

    Parameters
    ----------
    stake : float
        Quote currency to spend; 0 is no trade.
    binding : str
        Code of the constraint that decided.
    caps : mapping of str to float
        Every cap considered, in quote currency, before the multiplier.
    loss_ratio : float
        Share of the stake that is lost at the stop, costs and gap allowance included.
    """

    stake: float
    binding: str
    caps: Mapping[str, float] = field(default_factory=dict)
    loss_ratio: float = math.nan


@dataclass(frozen=True)
class RiskBudget:
    """
    What one trade and the whole book may lose, as ratios of equity (0.005 is half a percent).

    Parameters
    ----------
    per_trade : float
        Loss of one trade at its stop.
    heat : float
        Sum of the losses of all open trades at their stops.
    position : float
        Largest stake.
    round_trip_cost : float
        Fees, spread and impact of entry and exit together, ratio of the stake.
    gap_allowance : float
        How far beyond the stop the exit is expected to fill at worst, ratio of the price.
    """

    per_trade: float
    heat: float
    position: float
    round_trip_cost: float
    gap_allowance: float


def loss_ratio(entry: float, stop: float, budget: RiskBudget) -> float:
    """
    Share of a stake lost when a long position bought at `entry` leaves at `stop`.

    stop distance + round-trip cost + gap allowance. Infinite where the stop is not below the entry
    or a price is not a positive number: such a trade has no size.
    """
    if not (math.isfinite(entry) and math.isfinite(stop) and 0 < stop < entry):
        return math.inf
    return (entry - stop) / entry + budget.round_trip_cost + budget.gap_allowance


def size(
    equity: float,
    entry: float,
    stop: float,
    open_risk: float,
    budget: RiskBudget,
    *,
    multiplier: float = 1.0,
    min_stake: float = 0.0,
    other_caps: Mapping[str, float] | None = None,
) -> Sized:
    """
    Stake of a long trade: the smallest cap, times the guards' multiplier, rounded down.

    stake = multiplier * min(equity * per_trade / loss, (equity * heat - open_risk) / loss,
    equity * position, other caps), the fixed-fractional rule of methods such as the Turtles' with
    costs and gap added to the stop distance.

    Parameters
    ----------
    equity : float
        Account value including open positions, quote currency.
    entry, stop : float
        Prices in quote currency.
    open_risk : float
        Loss of the open trades at their stops, quote currency.
    multiplier : float
        Guards' multiplier, 0 to 1; anything else is no trade.
    min_stake : float
        The exchange's minimum in quote currency; a smaller stake is no trade, never rounded up.
    other_caps : mapping of str to float, optional
        Further caps in quote currency by code, such as liquidity or the free balance.
    """
    loss = loss_ratio(entry, stop, budget)
    if not math.isfinite(loss):
        return Sized(NO_TRADE, "STOP_NOT_BELOW_ENTRY", loss_ratio=loss)
    if not 0 <= multiplier <= 1:
        return Sized(NO_TRADE, "MULTIPLIER_INVALID", loss_ratio=loss)
    if not math.isfinite(open_risk):
        return Sized(NO_TRADE, "OPEN_RISK_UNKNOWN", loss_ratio=loss)
    caps = {
        "RISK_AT_STOP": equity * budget.per_trade / loss,
        "PORTFOLIO_HEAT": (equity * budget.heat - max(open_risk, 0.0)) / loss,
        "POSITION_CAP": equity * budget.position,
        **(other_caps or {}),
    }
    caps = {code: cap if math.isfinite(cap) else NO_TRADE for code, cap in caps.items()}
    binding = min(caps, key=caps.__getitem__)
    stake = _round_down(multiplier * max(caps[binding], NO_TRADE))
    if stake <= 0:
        return Sized(NO_TRADE, binding if multiplier > 0 else "GUARDS", caps, loss)
    if not stake >= min_stake:
        return Sized(NO_TRADE, "BELOW_EXCHANGE_MINIMUM", caps, loss)
    return Sized(stake, binding, caps, loss)


def _round_down(stake: float) -> float:
    """Whole 1e-8 units, the finest quote step in use; the exchange's amount step follows later."""
    return math.floor(stake * 1e8) / 1e8
