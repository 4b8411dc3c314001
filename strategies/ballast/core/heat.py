"""Portfolio heat: what all stops together put at risk."""

import math


def at_risk(amount: float, price: float, stop: float) -> float:
    """What a long position of `amount` loses from `price` to its stop, quote currency."""
    return amount * max(0.0, price - stop)


def drawn_closer(price: float, stop: float, heat: float, allowed: float) -> float:
    """
    Stop of one position after the heat of all has been brought down to what is allowed.

    Every position keeps the same share of its distance: price - (price - stop) * allowed / heat.

    Parameters
    ----------
    price, stop : float
        Last completed close and present stop, quote currency.
    heat, allowed : float
        Present and allowed sum of the risks at stop, quote currency.

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
