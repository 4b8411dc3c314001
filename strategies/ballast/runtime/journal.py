"""Connects the recorder to a run: what it looks at, and whom it listens to."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from freqtrade.enums import TRADE_MODES, RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.persistence import LocalTrade, PairLocks, Trade
from sqlalchemy.exc import SQLAlchemyError

from ballast.alerts.messages import as_code
from ballast.core.account import Account
from ballast.core.columns import ColumnsByPair
from ballast.core.decision import Position
from ballast.core.reasons import Reason
from ballast.core.rulebook import Rulebook
from ballast.core.windows import minutes
from ballast.data.market_view import MARKET
from ballast.journal.identity import ForeignJournal
from ballast.journal.ownership import Place, own_journal
from ballast.journal.place import journal_path
from ballast.journal.recorder import Recorder
from ballast.journal.sources import Sources
from ballast.journal.store import Journal, Version
from ballast.risk import identity
from ballast.risk.engine import RiskEngine
from ballast.risk.portfolio import Portfolio
from ballast.risk.state_store import StateStore
from ballast.risk.stop_manager import StopManager
from ballast.runtime.host import Host
from ballast.version import __version__

logger = logging.getLogger(__name__)


def place_of(host: Host) -> Place | None:
    """
    Where a run keeps its journal; None where it keeps none.

    Raises
    ------
    OperationalException
        Where the path that is set holds another database's journal.
    """
    settings = host.settings.journal
    if settings.enabled and settings.backtest and _is_backtest(host):
        return Place(journal_path(host.config, settings.path, None))
    if not settings.enabled or host.dp.runmode not in TRADE_MODES:
        return None
    store = StateStore(Trade.session.get_bind())
    knows = _knows if identity.has_run(store) else None
    own = identity.given(store)
    try:
        path, news = own_journal(host.config, settings, own, knows)
    except ForeignJournal as error:
        raise OperationalException(str(error)) from None
    if news:
        _say(host, news)
    return Place(path, own)


def _knows(number: int, pair: str) -> bool:
    """Whether the database has a trade of this number and pair."""
    return Trade.get_trades([Trade.id == number, Trade.pair == pair]).first() is not None


def _say(host: Host, text: str) -> None:
    logger.warning(text)
    host.dp.send_msg(as_code(f"Ballast: {text}"), always_send=True)


def recorder_of(
    host: Host,
    place: Place | None,
    live: bool,
    engine: RiskEngine,
    stop_manager: StopManager,
    columns_by_pair: ColumnsByPair,
    books: Mapping[str, Rulebook],
    account: Callable[[datetime], Account],
) -> Recorder | None:
    """
    The recorder of a run; None in a backtest that keeps no journal, and in Hyperopt.

    Parameters
    ----------
    place : Place or None
        Of the journal; a bot decides without one as well.
    live : bool
        Whether a bot trades, paper trading included.
    books : mapping of str to Rulebook
        Entry rules by pair, filled as pairs are analysed.
    account : callable
        The account at the end of the candle that was judged last.

    Raises
    ------
    OperationalException
        Where a backtest's journal cannot be made. A bot begins all the same, to look after what it
        holds, and refuses entries.
    """
    if not live and place is None:
        return None

    recorder = Recorder(
        partial(Journal, place.path, host.settings.journal, place.identity, partial(_say, host))
        if place is not None
        else None,
        _Versions(host, books).now,
        engine.guard_set,
        _sources(host, stop_manager, columns_by_pair, books, account),
        timedelta(minutes=minutes(host.timeframe)),
        live,
        host.redactor,
        # Not as an event: it could not be written either.
        lambda error: host.incidents.record(f"journal {place.path if place else ''}", error),
    )
    if place is not None and not live:
        _begin(recorder, place.path)
    host.events.listen(recorder.hear)
    return recorder


def _is_backtest(host: Host) -> bool:
    return bool(host.config.get("runmode") == RunMode.BACKTEST)


def _begin(recorder: Recorder, path: Path) -> None:
    try:
        recorder.begin_anew()
    except (OSError, SQLAlchemyError) as error:
        reason = str(error).splitlines()[0]
        raise OperationalException(f"the journal {path} cannot be written: {reason}") from None


class _Versions:
    """What decides, worked out once the rules are known."""

    def __init__(self, host: Host, books: Mapping[str, Rulebook]) -> None:
        self._host = host
        self._books = books
        self._known: Version | None = None

    def now(self) -> Version:
        """As far as it is known now."""
        if self._known is not None:
            return self._known
        host, books = self._host, self._books
        guards = host.settings.guards
        version = Version(
            host.settings.digest(),
            host.get_strategy_name(),
            host.timeframe,
            __version__,
            [name for name in guards.names() if guards.is_on(name)],
            next(iter(books.values())).setups if books else {},
            host.settings.model_dump(mode="json"),
        )
        if books:
            self._known = version
        return version


def _sources(
    host: Host,
    stop_manager: StopManager,
    columns_by_pair: ColumnsByPair,
    books: Mapping[str, Rulebook],
    account: Callable[[datetime], Account],
) -> Sources:
    def positions(end: datetime) -> Mapping[str, Position]:
        return {
            trade.pair: _position(trade, stop_manager, end) for trade in Portfolio.open_trades()
        }

    def obstacle(pair: str, end: datetime) -> tuple[str, float, float] | None:
        slots = host.config.get("max_open_trades", float("inf"))
        taken = len(Portfolio.open_trades())
        if 0 <= slots <= taken:
            return Reason.SLOTS_FULL, taken, slots
        # As `PairLocks.is_pair_locked` has it, which asks for those of the pair and of all in turn.
        locks = PairLocks.get_pair_locks(None, end, side="long")
        if any(lock.pair in (pair, "*") for lock in locks):
            return Reason.PAIR_LOCKED, 1, 0
        return None

    def is_last(now: datetime) -> bool:
        axis = columns_by_pair.get(MARKET)
        return axis is not None and axis.ends_by(now)

    pairs = host.dp.current_whitelist
    return Sources(columns_by_pair.get, books.get, pairs, positions, obstacle, account, is_last)


def _position(trade: LocalTrade, stop_manager: StopManager, end: datetime) -> Position:
    if not trade.nr_of_successful_entries:
        return Position(trade.id, filled=False)
    stop = stop_manager.stop(trade, end)
    setup = stop_manager.managed(trade).setup
    return Position(trade.id, stop, stop_manager.moved_by(trade, end), setup=setup)
