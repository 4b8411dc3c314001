"""How far an order that waits may follow a market that has moved away."""

import math


def followed(proposed: float, current: float, close: float, atr: float, most: float) -> float:
    """
    Limit of a buy that has waited: the proposed price, as long as that is not too far.

    Parameters
    ----------
    proposed, current : float
        Price at which it would fill now, and its present limit, quote currency.
    close, atr : float
        Of the signal candle; price, hourly ATR.
    most : float
        How far above the close it may go, in ATR.

    Returns
    -------
    float
        The present limit where the market has come back to it; NaN where the order is to be given
        up, because the market is too far or a number is not known.
    """
    if proposed <= current:
        return current
    ceiling = close + most * atr
    return proposed if proposed <= ceiling else math.nan
