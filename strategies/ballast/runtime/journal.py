"""Connects the recorder to a run: what it looks at, and whom it listens to."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.persistence import LocalTrade, PairLocks, Trade
from sqlalchemy.exc import SQLAlchemyError

from ballast.alerts.messages import as_code
from ballast.core.decision import Position, Rulebook
from ballast.core.windows import minutes
from ballast.data.market_view import MARKET
from ballast.journal.file import journal_path
from ballast.journal.recorder import Recorder
from ballast.journal.sources import Sources
from ballast.journal.store import Journal, Version
from ballast.risk.portfolio import Portfolio
from ballast.version import __version__

if TYPE_CHECKING:
    from ballast.runtime.session import TradingSession
    from ballast.strategy.guarded import GuardedStrategy


def recorder_of(strategy: "GuardedStrategy", session: "TradingSession") -> Recorder | None:
    """
    The recorder of a run; None in a backtest that keeps no journal, and in Hyperopt.

    Raises
    ------
    OperationalException
        Where a backtest's journal cannot be made. A bot begins all the same, to look after what it
        holds, and refuses entries.
    """
    settings, live = strategy.settings.journal, session.feeds.live
    wanted = settings.enabled and (live or (_is_backtest(strategy) and settings.backtest))
    if not (live or wanted):
        return None
    path = journal_path(strategy.config, settings)
    books = session.rulebooks = {}

    def opened() -> Journal:
        journal = Journal(path, settings)
        if journal.file.damaged is not None:
            text = f"the journal was damaged: kept as {journal.file.damaged.name}, begun anew"
            strategy.dp.send_msg(as_code(f"Ballast: {text}"), always_send=True)
        return journal

    recorder = Recorder(
        opened if wanted else None,
        _Versions(strategy, books).now,
        session.engine.guard_set,
        _sources(strategy, session, books),
        timedelta(minutes=minutes(strategy.timeframe)),
        live,
        strategy.redactor,
        # Not as an event: it could not be written either.
        lambda error: strategy.incidents.record("journal", error),
    )
    if wanted and not live:
        _begin(recorder, path)
    strategy.events.listen(recorder.hear)
    return recorder


def _is_backtest(strategy: "GuardedStrategy") -> bool:
    return bool(strategy.config.get("runmode") == RunMode.BACKTEST)


def _begin(recorder: Recorder, path: object) -> None:
    try:
        recorder.begin_anew()
    except (OSError, SQLAlchemyError) as error:
        reason = str(error).splitlines()[0]
        raise OperationalException(f"the journal {path} cannot be written: {reason}") from None


class _Versions:
    """What decides, worked out once the rules are known."""

    def __init__(self, strategy: "GuardedStrategy", books: Mapping[str, Rulebook]) -> None:
        self._strategy = strategy
        self._books = books
        self._known: Version | None = None

    def now(self) -> Version:
        """As far as it is known now."""
        if self._known is not None:
            return self._known
        strategy, books = self._strategy, self._books
        guards = strategy.settings.guards
        version = Version(
            strategy.settings.digest(),
            type(strategy).__name__,
            strategy.timeframe,
            __version__,
            [name for name in guards.names() if guards.is_on(name)],
            next(iter(books.values())).setups if books else {},
            strategy.settings.model_dump(mode="json"),
        )
        if books:
            self._known = version
        return version


def _sources(
    strategy: "GuardedStrategy", session: "TradingSession", books: Mapping[str, Rulebook]
) -> Sources:
    def positions(end: datetime) -> Mapping[str, Position]:
        return {trade.pair: _position(trade, session, end) for trade in Portfolio.open_trades()}

    def obstacle(pair: str, end: datetime) -> tuple[str, float, float] | None:
        slots = strategy.config.get("max_open_trades", float("inf"))
        taken = Trade.get_open_trade_count()
        if 0 <= slots <= taken:
            return "SLOTS_FULL", taken, slots
        if PairLocks.is_pair_locked(pair, end, side="long"):
            return "PAIR_LOCKED", 1, 0
        return None

    def is_last(now: datetime) -> bool:
        axis = session.columns_by_pair.get(MARKET)
        return axis is not None and axis.ends_by(now)

    pairs = strategy.dp.current_whitelist
    return Sources(session.columns_by_pair.get, books.get, pairs, positions, obstacle, is_last)


def _position(trade: LocalTrade, session: "TradingSession", end: datetime) -> Position:
    if not trade.nr_of_successful_entries:
        return Position(trade.id, filled=False)
    stop = session.stop_manager.stop(trade, end)
    return Position(trade.id, stop, session.stop_manager.moved_by(trade, end))
