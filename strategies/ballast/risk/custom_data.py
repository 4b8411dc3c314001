"""What is kept with a trade as its custom data, and the one way to it.

Freqtrade keeps a database session of its own for custom data, by request of its web server or by
thread, and removes it nowhere but in its own listing of custom data. A callback may be asked inside
a request (a chart, `/forceenter`): a session that is left there holds a connection for ever, and
after fifteen the bot's own loop has none. Here the session is let go at once, whoever asks.
"""

from typing import Any

from freqtrade.persistence import CustomDataWrapper, LocalTrade
from freqtrade.persistence.custom_data import _CustomData


def stored(trade: LocalTrade, key: str) -> Any:
    """What is kept with a trade under a key; None if there is nothing."""
    try:
        return trade.get_custom_data(key)
    finally:
        _let_go()


def store(trade: LocalTrade, key: str, value: Any) -> None:
    """Keep a JSON value with a trade, over what was there."""
    try:
        trade.set_custom_data(key, value)
    finally:
        _let_go()


def _let_go() -> None:
    # Backtests have no database.
    if CustomDataWrapper.use_db:
        _CustomData.session.remove()
