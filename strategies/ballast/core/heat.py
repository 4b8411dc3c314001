"""What positions lose at their stops: one position, and all together, which is the heat."""

import math
from typing import NamedTuple

from pydantic import Field

from ballast.core.section import SettingsSection


class StopCosts(NamedTuple):
    """
    What leaving at a stop costs beside the distance to it.

    Parameters
    ----------
    round_trip : float
        Fees, spread and impact of entry and exit together, ratio of the position's value.
    gap : float
        How far beyond the stop the exit is expected to fill at worst, ratio of the price.
    """

    round_trip: float
    gap: float


def loss_at_stop(amount: float, price: float, stop: float, costs: StopCosts) -> float:
    """
    What a long position loses from `price` if it leaves at its stop, costs and gap included.

    amount * (price - stop + price * (round-trip cost + gap)). The costs of both sides count as long
    as it is open, as backtest and paper trading book them when it closes; where the entry's fee has
    already left the account, the loss comes out that much too large.

    Parameters
    ----------
    amount : float
        Base currency.
    price, stop : float
        Entry price or last completed close, and stop, quote currency. Above the price a stop takes
        nothing off the costs.

    Returns
    -------
    float
        Quote currency; NaN where a figure is missing.
    """
    # In this order a missing figure is not taken for no distance.
    return amount * (max(price - stop, 0.0) + price * (costs.round_trip + costs.gap))


def drawn_closer(price: float, stop: float, heat: float, allowed: float) -> float:
    """
    Stop of one position after the heat of all has been brought down to what is allowed.

    Every position keeps the same share of its distance: price - (price - stop) * allowed / heat.

    Parameters
    ----------
    price, stop : float
        Last completed close and present stop, quote currency.
    heat, allowed : float
        Present and allowed sum of the losses at the stops, quote currency, both less the costs and
        gaps, which no stop brings down.

    Returns
    -------
    float
        Never below `stop`; `stop` itself where nothing is to be done or a figure is missing.
    """
    if not all(map(math.isfinite, (price, stop, heat, allowed))):
        return stop
    if heat <= allowed or heat <= 0 or stop >= price:
        return stop
    return max(stop, price - (price - stop) * max(allowed, 0.0) / heat)


class PortfolioHeatSettings(SettingsSection):
    """
    Caps on what all stops together put at risk, percent of equity.

    Parameters
    ----------
    limit_pct : float
        No entry may raise the heat beyond this, and where open positions exceed it their stops are
        drawn closer in proportion.
    cluster_pct : float
        Heat of the positions that move with the pair to be entered, itself included.
    cluster_correlation : float
        Correlation of hourly returns over 20 days from which two pairs move together.
    """

    limit_pct: float = Field(2.0, gt=0, le=20)
    cluster_pct: float = Field(1.5, gt=0, le=20)
    cluster_correlation: float = Field(0.85, gt=0, le=1)
