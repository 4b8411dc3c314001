"""Raising the stop of a Freqtrade trade: to a level, which stays where it is."""

from freqtrade.persistence import LocalTrade

from ballast.core.stops import relative_to

# Below a tick of any market: rounded up to one, the stop is where it was.
_NOISE = 1e-9


def raise_to(trade: LocalTrade, stop: float, price: float, after_fill: bool) -> None:
    """
    Raise the stop to a level below the price (both quote currency); a lower one is left.

    It stays there when a part of the position is sold.
    """
    if stop > (trade.stop_loss or 0.0):
        ratio = relative_to(price, stop)
        if ratio is not None:
            trade.adjust_stop_loss(price, ratio, allow_refresh=after_fill)
            _anchor(trade)


def _anchor(trade: LocalTrade) -> None:
    """
    Remember the stop by its distance from the entry, where Freqtrade would move it.

    When a part of the position is sold it moves the stop to as far below the entry as it was below
    the price at which it was set: higher, where that price was below the entry, and maybe through
    the market.
    """
    ratio, entry = trade.stop_loss_pct, trade.open_rate
    if ratio is not None and entry and entry * (1 - abs(ratio)) > trade.stop_loss:
        trade.stop_loss_pct = trade.stop_loss * (1 - _NOISE) / entry - 1
