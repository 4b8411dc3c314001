"""How much to buy: the smallest of several caps, and the name of the cap that bound.

Every cap is an amount in quote currency. A cap that cannot be computed is a cap of zero: no trade.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ballast.core.heat import StopCosts, loss_at_stop
from ballast.core.reasons import Reason

NO_TRADE = 0.0
# Caps on what one trade is worth.
_OF_ONE_TRADE = (Reason.POSITION_CAP, Reason.VOLATILITY_TARGET, Reason.LIQUIDITY)


@dataclass(frozen=True)
class Sized:
    """
    Result of sizing.

    Parameters
    ----------
    stake : float
        Quote currency to spend; 0 is no trade.
    binding : Reason
        Code of the constraint that decided.
    caps : mapping of Reason to float
        Every cap considered, in quote currency, before the multiplier.
    loss_ratio : float
        Share of the stake that is lost at the stop, costs and gap allowance included.
    """

    stake: float
    binding: Reason
    caps: Mapping[Reason, float] = field(default_factory=dict)
    loss_ratio: float = math.nan


@dataclass(frozen=True)
class RiskBudget:
    """
    What one trade and the whole portfolio may lose or hold, as ratios of equity (0.005 is half a
    percent) where nothing else is said.

    Parameters
    ----------
    per_trade : float
        Loss of one trade at its stop.
    heat : float
        Sum of the losses of all open trades at their stops.
    cluster_heat : float or None
        The same sum of the trades that move together; None sets no limit.
    position : float
        Largest stake.
    exposure : float
        Value of all positions together.
    daily_volatility : float
        What a position may move in a usual day.
    turnover_share : float
        Largest stake as a ratio of the pair's turnover in a median hour.
    costs : StopCosts
        What leaving at a stop costs beside the distance.
    """

    per_trade: float
    heat: float
    cluster_heat: float | None
    position: float
    exposure: float
    daily_volatility: float
    turnover_share: float
    costs: StopCosts


class SizingInputs(NamedTuple):
    """
    What the size of a long trade follows from, beside the budget. Amounts are in quote currency.

    Parameters
    ----------
    equity : float
        Account value including open positions.
    entry, stop : float
        Prices.
    volatility : float
        Usual move of the pair in a day, ratio.
    turnover : float
        Of the pair, in a median hour.
    exposure : float
        Value of all open positions and entries.
    open_risk : float
        Loss of the open positions and entries at their stops.
    heat_left : float or None
        What a guard lets all of them lose, this trade included; None where none limits it.
    cluster_risk : float
        The same of those that move with the pair.
    free_balance : float
        What can be spent.
    min_stake : float
        The exchange's minimum; a smaller stake is no trade, never rounded up.
    multiplier : float
        The guards' and the setup's, 0 to 1; anything else is no trade.
    user_stake : float or None
        What the user wants to spend at most; None where nothing was said.
    """

    equity: float
    entry: float
    stop: float
    volatility: float
    turnover: float
    exposure: float
    open_risk: float
    cluster_risk: float
    free_balance: float
    min_stake: float = 0.0
    multiplier: float = 1.0
    user_stake: float | None = None
    heat_left: float | None = None


@dataclass(frozen=True)
class Held:
    """
    A position that is to be added to, in quote currency.

    Parameters
    ----------
    value : float
        What it is worth, or has cost where that is more.
    loss : float
        What it loses at its stop of what it has cost, and what it has lost already.
    """

    value: float
    loss: float


def loss_ratio(entry: float, stop: float, costs: StopCosts) -> float:
    """
    Share of a stake lost when a long position bought at `entry` leaves at `stop`.

    What `loss_at_stop` says of it, over its value. Infinite where the stop is not below the entry
    or a price is not a positive number: such a trade has no size.
    """
    if not (math.isfinite(entry) and math.isfinite(stop) and 0 < stop < entry):
        return math.inf
    return loss_at_stop(1.0, entry, stop, costs) / entry


def size(inputs: SizingInputs, budget: RiskBudget) -> Sized:
    """
    Stake of a long trade: the smallest of `_caps`, times the multiplier, rounded down.

    The fixed-fractional rule of methods such as the Turtles', with costs and gap added to the stop
    distance, within limits of volatility, liquidity and exposure.
    """
    loss = loss_ratio(inputs.entry, inputs.stop, budget.costs)
    if not math.isfinite(loss):
        return Sized(NO_TRADE, Reason.STOP_NOT_BELOW_ENTRY, loss_ratio=loss)
    if not 0 <= inputs.multiplier <= 1:
        return Sized(NO_TRADE, Reason.MULTIPLIER_INVALID, loss_ratio=loss)
    if not math.isfinite(inputs.open_risk):
        return Sized(NO_TRADE, Reason.OPEN_RISK_UNKNOWN, loss_ratio=loss)
    known = _caps(inputs, budget, loss).items()
    caps = {code: cap if math.isfinite(cap) else NO_TRADE for code, cap in known}
    return _smallest(caps, inputs.multiplier, inputs, loss)


def size_addition(inputs: SizingInputs, held: Held, budget: RiskBudget) -> Sized:
    """
    Stake of an addition, so that the whole position stays what one trade may be.

    Of each cap of a trade, times the multiplier, what is held is taken away first: a position at
    whose stop a trade's whole budget is lost gets nothing, however far price has fallen. Caps of
    all positions together hold for the addition as for an entry.

    Parameters
    ----------
    inputs : SizingInputs
        Of the addition, with the stop of the position; `open_risk`, `cluster_risk` and `exposure`
        count the position.
    """
    fresh = size(inputs._replace(min_stake=0.0), budget)
    if not fresh.caps or not (math.isfinite(held.loss) and math.isfinite(held.value)):
        code = Reason.OPEN_RISK_UNKNOWN if fresh.caps else fresh.binding
        return Sized(NO_TRADE, code, loss_ratio=fresh.loss_ratio)
    taken = dict.fromkeys(_OF_ONE_TRADE, max(held.value, NO_TRADE))
    taken[Reason.RISK_AT_STOP] = max(held.loss, NO_TRADE) / fresh.loss_ratio
    caps = {
        code: inputs.multiplier * cap - taken.get(code, NO_TRADE)
        for code, cap in fresh.caps.items()
    }
    return _smallest(caps, 1.0, inputs, fresh.loss_ratio)


def _smallest(caps: dict[Reason, float], share: float, inputs: SizingInputs, loss: float) -> Sized:
    """A share of the smallest cap, rounded down; no trade below the exchange's minimum."""
    binding = min(caps, key=caps.__getitem__)
    stake = _round_down(share * max(caps[binding], NO_TRADE))
    if stake <= 0:
        return Sized(NO_TRADE, binding if inputs.multiplier > 0 else Reason.GUARDS, caps, loss)
    if not stake >= inputs.min_stake:
        return Sized(NO_TRADE, Reason.BELOW_EXCHANGE_MINIMUM, caps, loss)
    return Sized(stake, binding, caps, loss)


def _caps(inputs: SizingInputs, budget: RiskBudget, loss: float) -> dict[Reason, float]:
    """Every cap on a stake that loses the share `loss` at its stop; NaN where one is not known."""
    equity, volatility = inputs.equity, inputs.volatility
    heat_left = equity * budget.heat - max(inputs.open_risk, 0.0)
    caps = {
        Reason.RISK_AT_STOP: equity * budget.per_trade / loss,
        Reason.PORTFOLIO_HEAT: heat_left / loss,
        Reason.POSITION_CAP: equity * budget.position,
        Reason.VOLATILITY_TARGET: (
            equity * budget.daily_volatility / volatility if volatility > 0 else math.nan
        ),
        Reason.LIQUIDITY: inputs.turnover * budget.turnover_share,
        Reason.EXPOSURE_CAP: equity * budget.exposure - inputs.exposure,
        Reason.FREE_BALANCE: inputs.free_balance,
    }
    if inputs.user_stake is not None:
        caps[Reason.USER_STAKE] = inputs.user_stake
    if inputs.heat_left is not None:
        caps[Reason.DRAWDOWN_LEFT] = (inputs.heat_left - max(inputs.open_risk, 0.0)) / loss
    if budget.cluster_heat is not None:
        caps[Reason.CLUSTER_HEAT] = (equity * budget.cluster_heat - inputs.cluster_risk) / loss
    return caps


def _round_down(stake: float) -> float:
    """Whole 1e-8 units, the finest quote step in use; the exchange's amount step follows later."""
    return math.floor(stake * 1e8) / 1e8
