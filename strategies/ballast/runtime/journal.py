"""Connects the recorder to a run: what it looks at, and whom it listens to."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.persistence import LocalTrade, PairLocks, Trade
from sqlalchemy.exc import SQLAlchemyError

from ballast.alerts.messages import as_code
from ballast.core.columns import ColumnsByPair
from ballast.core.decision import Position, Rulebook
from ballast.core.reasons import Reason
from ballast.core.windows import minutes
from ballast.data.market_view import MARKET
from ballast.journal.file import journal_path
from ballast.journal.recorder import Recorder
from ballast.journal.sources import Sources
from ballast.journal.store import Journal, Version
from ballast.risk.engine import RiskEngine
from ballast.risk.portfolio import Portfolio
from ballast.risk.stop_manager import StopManager
from ballast.runtime.host import Host
from ballast.version import __version__


def recorder_of(
    host: Host,
    live: bool,
    engine: RiskEngine,
    stop_manager: StopManager,
    columns_by_pair: ColumnsByPair,
    books: Mapping[str, Rulebook],
) -> Recorder | None:
    """
    The recorder of a run; None in a backtest that keeps no journal, and in Hyperopt.

    Parameters
    ----------
    live : bool
        Whether a bot trades, paper trading included.
    books : mapping of str to Rulebook
        Entry rules by pair, filled as pairs are analysed.

    Raises
    ------
    OperationalException
        Where a backtest's journal cannot be made. A bot begins all the same, to look after what it
        holds, and refuses entries.
    """
    settings = host.settings.journal
    wanted = settings.enabled and (live or (_is_backtest(host) and settings.backtest))
    if not (live or wanted):
        return None
    path = journal_path(host.config, settings)

    def opened() -> Journal:
        journal = Journal(path, settings)
        if journal.file.damaged is not None:
            text = f"the journal was damaged: kept as {journal.file.damaged.name}, begun anew"
            host.dp.send_msg(as_code(f"Ballast: {text}"), always_send=True)
        return journal

    recorder = Recorder(
        opened if wanted else None,
        _Versions(host, books).now,
        engine.guard_set,
        _sources(host, stop_manager, columns_by_pair, books),
        timedelta(minutes=minutes(host.timeframe)),
        live,
        host.redactor,
        # Not as an event: it could not be written either.
        lambda error: host.incidents.record("journal", error),
    )
    if wanted and not live:
        _begin(recorder, path)
    host.events.listen(recorder.hear)
    return recorder


def _is_backtest(host: Host) -> bool:
    return bool(host.config.get("runmode") == RunMode.BACKTEST)


def _begin(recorder: Recorder, path: object) -> None:
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
) -> Sources:
    def positions(end: datetime) -> Mapping[str, Position]:
        return {
            trade.pair: _position(trade, stop_manager, end) for trade in Portfolio.open_trades()
        }

    def obstacle(pair: str, end: datetime) -> tuple[str, float, float] | None:
        slots = host.config.get("max_open_trades", float("inf"))
        taken = Trade.get_open_trade_count()
        if 0 <= slots <= taken:
            return Reason.SLOTS_FULL, taken, slots
        if PairLocks.is_pair_locked(pair, end, side="long"):
            return Reason.PAIR_LOCKED, 1, 0
        return None

    def is_last(now: datetime) -> bool:
        axis = columns_by_pair.get(MARKET)
        return axis is not None and axis.ends_by(now)

    pairs = host.dp.current_whitelist
    return Sources(columns_by_pair.get, books.get, pairs, positions, obstacle, is_last)


def _position(trade: LocalTrade, stop_manager: StopManager, end: datetime) -> Position:
    if not trade.nr_of_successful_entries:
        return Position(trade.id, filled=False)
    stop = stop_manager.stop(trade, end)
    return Position(trade.id, stop, stop_manager.moved_by(trade, end))
