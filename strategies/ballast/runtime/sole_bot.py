"""One process trades on a database: of two each would sell, and stop, what the other has bought.

A strategy that begins where another has positions open takes them over, which is said.
"""

import logging
import os
from collections import Counter
from pathlib import Path

from freqtrade.enums import TRADE_MODES
from freqtrade.exceptions import OperationalException
from freqtrade.persistence import Trade

from ballast.config.database_url import sqlite_file
from ballast.runtime.host import Host

try:
    import fcntl
except ImportError:  # Windows, where nothing is held
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

# Descriptors of this process by file: Freqtrade's /reload_config begins anew in the same one.
_held: dict[Path, int] = {}


def hold_database(host: Host) -> None:
    """
    Hold the database of a bot that starts, until its process ends, however it does.

    A lock on a file beside an SQLite database. Nothing holds a database in memory, which nobody
    shares, or one of a server, which the bots of several machines may reach.

    Raises
    ------
    OperationalException
        Where another process trades on it.
    """
    if host.dp.runmode not in TRADE_MODES:
        return
    file = sqlite_file(Trade.session.get_bind().url)
    if fcntl is None or file is None:
        return
    database = file.resolve()
    path = database.with_name(f"{database.name}.lock")
    if path in _held:
        return
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        logger.warning("%s cannot be made (%s): a second bot would not be seen", path, error)
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        whose = os.read(descriptor, 20).decode(errors="replace").strip()
        os.close(descriptor)
        # As it ends Freqtrade would take back the orders of the bot that trades.
        host.config["cancel_open_orders_on_exit"] = False
        raise OperationalException(
            f"a bot trades on the database {database} already (process {whose}): stop that one, or "
            "give this one a database of its own (--db-url)"
        ) from None
    except OSError as error:
        os.close(descriptor)
        logger.warning("%s cannot be held (%s): a second bot would not be seen", path, error)
        return
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    _held[path] = descriptor


def tell_taken_over(host: Host) -> None:
    """A bot that starts: Freqtrade gives it every open position, whichever strategy bought it."""
    if host.dp.runmode not in TRADE_MODES:
        return
    own = host.get_strategy_name()
    counts = Counter(trade.strategy for trade in Trade.get_open_trades())
    others = ", ".join(f"{count} of {name}" for name, count in counts.items() if name != own)
    if others:
        logger.warning(
            "%s takes over open positions of another strategy (%s): they keep their stops and are "
            "left by its rules; with a database of its own (--db-url) it would leave them alone",
            own,
            others,
        )
