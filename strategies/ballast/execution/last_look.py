"""The last look: before the bot stops looking, entries are taken back and positions protected.

When the process ends, and when it is stopped: Freqtrade then asks no strategy any more. It has
withdrawn open orders itself, or is about to, but keeps an entry of which too little has filled.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from freqtrade.exceptions import DependencyException
from freqtrade.persistence import Order, Trade

from ballast.execution.bot import BotHandle
from ballast.execution.intents import Intents
from ballast.execution.resting_stops import RestingStops, is_bare, resting_stop

logger = logging.getLogger(__name__)

WITHDRAWN = "nobody looks after it any more"
STOPPED = (
    "Ballast: stopped. Nothing is bought or sold, no stop is moved or placed anew, and the kill "
    "file is NOT heard. Heard are /start and /pause: from then on exits and kill file count again."
)
_IN_PAPER = "In paper trading stops live in the bot: none holds while it is stopped."


class LastLook:
    """
    Leaves everything as it may be left alone.

    Parameters
    ----------
    bot : BotHandle
    intents : Intents
        Entries that were sent, and whose trade may not be there: the end may be that of a failure.
    stops : RestingStops
    is_real : bool
        Whether stops rest on an exchange.
    report : callable
        Told of a failure, and where.
    """

    def __init__(
        self,
        bot: BotHandle,
        intents: Intents,
        stops: RestingStops,
        is_real: bool,
        report: Callable[[str, Exception], None],
    ) -> None:
        self._bot = bot
        self._intents = intents
        self._stops = stops
        self._is_real = is_real
        self._report = report

    def at_end(self, now: datetime) -> None:
        """The process ends; to be called while the exchange can still be asked."""
        trouble = self._look(now)
        self._bot.send_queued()
        if trouble:
            self._bot.say(" ".join(["Ballast: the process ends.", *trouble]))

    def at_stop(self, now: datetime) -> None:
        """The bot was stopped by a person or by an error, and stays up."""
        trouble = self._look(now)
        self._bot.send_queued()
        trades = [trade for trade in Trade.get_open_trades() if trade.has_open_position]
        said = [STOPPED]
        if trades and not self._is_real:
            said.append(_IN_PAPER)
        elif trades:
            stops = [(trade.pair, trade.amount, resting_stop(trade)) for trade in trades]
            held = [f"{amount:.8g} {pair} at {stop:.8g}" for pair, amount, stop in stops if stop]
            said.append(f"Stops on the exchange stay: {', '.join(held) or 'there are none'}.")
        self._bot.say(" ".join([*said, *trouble]))

    def _look(self, now: datetime) -> list[str]:
        """Take back and protect what can be; sentences about what could not."""
        session = Trade.session()
        if not session.is_active or session.connection().invalidated:
            # A write that failed, or a look that a signal has cut off: nothing can be read before
            # it is given up.
            Trade.rollback()
        try:
            self._intents.resolve(now)
        except Exception as error:
            self._report("entries whose answer is missing", error)
        for trade in Trade.get_open_trades():
            try:
                self._withdraw(trade)
            except DependencyException as error:
                logger.warning("%s: its entry is not withdrawn: %s", trade.pair, error)
            except Exception as error:
                self._report(f"the entry of {trade.pair}", error)
        self._stops.restore(Trade.get_open_trades(), now)
        trades = Trade.get_open_trades()
        bare = [f"{trade.amount:.8g} {trade.pair}" for trade in trades if is_bare(trade)]
        entries = [trade.pair for trade in trades if _entries(trade)]
        trouble = []
        if unknown := self._intents.unresolved():
            trouble.append(
                f"MAYBE BOUGHT, WITHOUT A STOP: {', '.join(unknown)}. Look on the exchange, or "
                "start the bot again: it asks first of all."
            )
        if bare:
            trouble.append(f"WITHOUT A STOP: {', '.join(bare)}. Place one or sell, by hand.")
        if entries:
            trouble.append(f"ENTRIES STILL OPEN: {', '.join(entries)}. Cancel them by hand.")
        return trouble

    def _withdraw(self, trade: Trade) -> None:
        for order in _entries(trade):
            with self._bot.exclusive():
                self._bot.withdraw(trade, order, WITHDRAWN)


def _entries(trade: Trade) -> list[Order]:
    return [order for order in trade.open_orders if order.ft_order_side == trade.entry_side]
