"""State that protects money: it outlives restarts, crashes, strange clocks and lost tables."""

from __future__ import annotations

import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from freqtrade.enums import RunMode
from freqtrade.persistence import LocalTrade, PairLocks, Trade, init_db
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from ballast.config.guards import GuardSettings
from ballast.core.columns import ColumnsByPair
from ballast.core.guard_set import GuardSet
from ballast.core.guards.base import Guard
from ballast.core.heat import StopCosts
from ballast.core.ledger import Cause, Flow, Ledger
from ballast.core.snapshot import ClosedTrade, Snapshot
from ballast.data.market_view import MarketView
from ballast.risk.engine import RiskEngine
from ballast.risk.flows import Flows
from ballast.risk.locks import Locks
from ballast.risk.open_risk import OpenRisk
from ballast.risk.portfolio import Portfolio
from ballast.risk.shown_trades import SeenTrades, ShownTrades
from ballast.risk.state_store import SHOWN, TABLE, StateStore, _aware
from tests.engine import ROOT
from tests.processes import python_path

NOW = datetime(2024, 1, 3, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAIR = "BTC/USDT"
LOSS_R = -1.0


def guards() -> dict[str, Guard]:
    """Those that need no candles, as a configuration without settings makes them."""
    return GuardSettings(off=["DataOutageHalt", "VolatilityCooldown", "MarketShockHalt"]).build(60)


def after_losses(count: int, now: datetime = NOW) -> dict[str, Guard]:
    """Guards that have just seen some losing trades of one pair."""
    built = guards()
    trades = tuple(ClosedTrade(PAIR, now - HOUR * (count - n), LOSS_R) for n in range(count))
    for guard in built.values():
        guard.observe(Snapshot(now, 10_000.0 - 50 * count, trades))
    return built


def memories(built: dict[str, Guard]) -> dict[str, Any]:
    return {name: guard.memory.model_dump() for name, guard in built.items()}


def shown(until: datetime) -> dict[str, SeenTrades]:
    return {SHOWN: SeenTrades(closed_until=until.timestamp(), newest=7, waiting=[5])}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "trades.sqlite"


def store_of(path: Path) -> StateStore:
    """A store as a newly started process has it."""
    return StateStore(create_engine(f"sqlite:///{path}"))


@pytest.fixture
def bot_database(database: Path) -> Iterator[Path]:
    """A database as Freqtrade makes it, open in Freqtrade's own session."""
    init_db(f"sqlite:///{database}")
    PairLocks.timeframe = "1h"
    yield database
    Trade.session.remove()
    engine = Trade.session.get_bind()
    engine.dispose()


def test_memories_survive_a_restart(database: Path) -> None:
    built = after_losses(4)
    store_of(database).save(built, NOW, shown(NOW - HOUR))
    again = guards()
    store = store_of(database)
    assert store.restore(again) == set()
    assert memories(again) == memories(built) != memories(guards())
    assert store.read(SHOWN, SeenTrades) == shown(NOW - HOUR)[SHOWN]


def test_what_has_not_changed_is_not_written_again(database: Path) -> None:
    store, built = store_of(database), after_losses(2)
    store.save(built, NOW, shown(NOW))
    store.save(built, NOW + HOUR, shown(NOW))
    assert {row["updated"] for row in store.rows().values()} == {NOW}


def test_two_databases_do_not_see_each_other(tmp_path: Path) -> None:
    one, other = store_of(tmp_path / "one.sqlite"), store_of(tmp_path / "other.sqlite")
    one.save(after_losses(4), NOW, shown(NOW))
    assert other.restore(guards()) == set(guards())
    assert other.read(SHOWN, SeenTrades) is None


_WRITER = """
import sys
from datetime import UTC, datetime
from sqlalchemy import create_engine
from ballast.core.guards.loss_streak_backoff import Streak
from ballast.config.guards import GuardSettings
from ballast.risk.shown_trades import SeenTrades
from ballast.risk.state_store import SHOWN, StateStore

store = StateStore(create_engine(f"sqlite:///{sys.argv[1]}"))
guards = GuardSettings(off=["DataOutageHalt", "VolatilityCooldown"]).build(60)
number = 0
while True:
    number += 1
    # Every memory carries the number of the write, and one is long.
    guards["DrawdownLadder"].memory.peak = float(number)
    guards["StopCascadeHalt"].memory.losses = [float(number)] * 2000
    guards["LossStreakBackoff"].memory.all.losses = number
    store.save(guards, datetime.now(UTC), {SHOWN: SeenTrades(closed_until=number)})
    if number == 20:
        print("writing", flush=True)
"""


@pytest.mark.parametrize("delay_s", [0.0, 0.013, 0.031])
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_kill_in_the_middle_of_a_write_leaves_the_last_whole_state(
    database: Path, delay_s: float, journal: str
) -> None:
    """All memories are of the same write: none is torn, none is newer than the others."""
    with sqlite3.connect(database) as connection:
        # Freqtrade's is the write-ahead log; the other is SQLite's usual one.
        assert connection.execute(f"PRAGMA journal_mode = {journal}").fetchone() == (journal,)
    connection.close()
    environment = {**os.environ, "PYTHONPATH": python_path(ROOT / "strategies")}
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(database)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    with writer.stdout:
        assert writer.stdout.readline() == "writing\n"
        time.sleep(delay_s)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    store, built = store_of(database), guards()
    assert store.restore(built) == set()
    number = built["DrawdownLadder"].memory.peak
    assert number >= 20
    assert built["StopCascadeHalt"].memory.losses == [number] * 2000
    assert built["LossStreakBackoff"].memory.all.losses == number
    assert store.read(SHOWN, SeenTrades) == SeenTrades(closed_until=number)


@pytest.mark.parametrize("memory", ["", "{", '{"peak": "high"}', '{"summit": 1}', "[]", "null"])
def test_unreadable_row_is_lost_alone_and_written_anew(
    database: Path, memory: str, caplog: pytest.LogCaptureFixture
) -> None:
    built = after_losses(4)
    store_of(database).save(built, NOW)
    set_memory(database, "DrawdownLadder", memory)
    store, again = store_of(database), guards()
    with caplog.at_level(logging.ERROR):
        assert store.restore(again) == {"DrawdownLadder"}
    assert "DrawdownLadder is unreadable" in caplog.text
    store.save(again, NOW)
    assert store_of(database).restore(guards()) == set()


def set_memory(database: Path, name: str, memory: str) -> None:
    """Edit a row with a tool of one's own."""
    with sqlite3.connect(database) as connection:
        statement = f"UPDATE {TABLE} SET memory = ? WHERE name = ?"  # noqa: S608
        connection.execute(statement, (memory, name))
    connection.close()


def test_edit_by_hand_is_adopted_once_and_not_overwritten(database: Path) -> None:
    store, built = store_of(database), after_losses(4)
    store.save(built, NOW)
    set_memory(database, "DrawdownLadder", '{"peak": 123.0}')
    # A candle that was being judged meanwhile.
    built["DrawdownLadder"].memory.peak = 456.0
    built["DailyLossLimit"].memory.start_equity = 789.0
    store.save(built, NOW + HOUR)
    assert store.take_over_edits(built) == ["DrawdownLadder"]
    assert built["DrawdownLadder"].memory.peak == 123.0
    assert built["DailyLossLimit"].memory.start_equity == 789.0
    assert store.take_over_edits(built) == []
    built["DrawdownLadder"].memory.peak = 124.0
    store.save(built, NOW + 2 * HOUR)
    assert json.loads(store.rows()["DrawdownLadder"]["memory"])["peak"] == 124.0


def test_unreadable_edit_is_not_adopted_and_overwritten(database: Path) -> None:
    store, built = store_of(database), after_losses(4)
    store.save(built, NOW)
    before = memories(built)
    set_memory(database, "DrawdownLadder", "oops")
    assert store.take_over_edits(built) == []
    assert memories(built) == before
    store.save(built, NOW + HOUR)
    assert store.take_over_edits(built) == []
    assert store_of(database).restore(guards()) == set()


@pytest.mark.parametrize(
    "stored",
    [
        datetime(2024, 1, 3, 12),
        NOW,
        NOW.astimezone(datetime.strptime("+0200", "%z").tzinfo),  # as PostgreSQL may
    ],
)
def test_times_of_any_database_are_read_as_utc(stored: datetime) -> None:
    assert _aware(stored) == NOW
    assert _aware(stored).utcoffset() == timedelta(0)


def test_database_that_is_locked_for_a_moment_is_waited_for(database: Path) -> None:
    store, built = store_of(database), after_losses(4)
    other = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.5, lambda: other.execute("ROLLBACK"))
    release.start()
    store.save(built, NOW)
    release.join()
    other.close()
    assert store_of(database).restore(guards()) == set()


def test_write_that_failed_is_made_up_for_by_the_next(database: Path) -> None:
    """The database stayed locked: nothing is half written, and nothing is forgotten."""
    engine = create_engine(f"sqlite:///{database}", connect_args={"timeout": 0.1})
    store, built = StateStore(engine), after_losses(4)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"):
        store.save(built, NOW)
    other.execute("ROLLBACK")
    other.close()
    assert store.rows() == {}
    store.save(built, NOW)
    assert set(store.rows()) == set(built)


def test_freqtrades_own_unfinished_work_is_no_obstacle(bot_database: Path) -> None:
    """Its session holds trades that are not committed yet when the guards are saved."""
    Trade.session.add(closed_trade(NOW, LOSS_R))
    store = StateStore(Trade.session.get_bind())
    store.save(after_losses(4), NOW)
    Trade.session.rollback()
    assert Trade.get_trades_proxy(is_open=False) == []
    assert store_of(bot_database).restore(guards()) == set()


def closed_trade(closed: datetime, r: float, pair: str = PAIR) -> Trade:
    """A trade as Freqtrade keeps it, that risked one percent of its price."""
    return Trade(
        pair=pair,
        exchange="binance",
        stake_amount=1000.0,
        amount=10.0,
        open_rate=100.0,
        close_rate=100.0 + r,
        fee_open=0.0,
        fee_close=0.0,
        open_date=closed - HOUR,
        close_date=closed,
        is_open=False,
        close_profit=r / 100,
        close_profit_abs=10.0 * r,
        enter_tag="",
    )


class OnePercent:
    """A stop manager for which every trade risked one percent."""

    def result_in_r(self, trade: LocalTrade) -> float:
        return 100 * float(trade.close_profit or 0.0)

    def stop(self, trade: LocalTrade, now: datetime) -> float:
        return 99.0

    def keep(self, still_open: set[int]) -> None: ...

    def forget(self) -> None: ...


class Wallets:
    def get_total(self, currency: str) -> float:
        return 9_900.0


CONFIG = {
    "dry_run": True,
    "runmode": RunMode.DRY_RUN,
    "dry_run_wallet": 10_000,
    "tradable_balance_ratio": 1.0,
    "stake_currency": "USDT",
}


def engine(told: list[Flow] | None = None) -> RiskEngine:
    """What a process that has just started has, without candles."""
    columns_by_pair, guard_set = ColumnsByPair(), GuardSet(guards())
    ledger = Ledger()
    portfolio = Portfolio(ledger, columns_by_pair.get)
    stop_manager: Any = OnePercent()
    costs = StopCosts(round_trip=0.003, gap=0.005)
    return RiskEngine(
        guard_set,
        ledger,
        portfolio,
        OpenRisk(ledger, stop_manager, lambda pair: costs, None, lambda equity: None),
        stop_manager,
        MarketView(columns_by_pair, lambda: [PAIR]),
        "1h",
        lambda change: None,
        lambda flow, equity, now: None if told is None else told.append(flow),
        lambda moment: 0,
        lambda: None,
        timedelta(0),
    )


def remembering(begun: RiskEngine, **config: Any) -> RiskEngine:
    """Keep its memories in the bot's database, as paper trading does."""
    wallets: Any = Wallets()
    flows = Flows({**CONFIG, **config}, lambda: wallets, begun._ledger, lambda: True)
    begun.remember_in(StateStore(Trade.session.get_bind()), flows)
    return begun


def started(path: Path) -> RiskEngine:
    """A process that was started on a bot's database."""
    begun = remembering(engine())
    assert path.is_file()
    return begun


def close(*trades: Trade) -> None:
    Trade.session.add_all(trades)
    Trade.commit()


def streak(of: RiskEngine) -> int:
    return int(of.guard_set.guards["LossStreakBackoff"].memory.all.losses)


def test_lost_table_is_rebuilt_from_the_trade_table(bot_database: Path) -> None:
    """An equity peak before the losses, a streak, a cascade that still blocks."""
    results = (20.0, -1.0, -1.0, -1.0, -1.0)
    close(*(closed_trade(NOW - HOUR * (5 - n), r) for n, r in enumerate(results)))
    rebuilt = started(bot_database).guard_set.guards
    assert rebuilt["DrawdownLadder"].memory.peak == 10_200.0
    assert rebuilt["LossStreakBackoff"].memory.all.losses == 4
    assert rebuilt["StopCascadeHalt"].memory.count == 4
    assert rebuilt["StopCascadeHalt"].market_verdict(Snapshot(NOW, 10_000.0)).blocks


def test_table_that_is_dropped_while_the_bot_is_down_is_rebuilt_the_same(
    bot_database: Path,
) -> None:
    close(*(closed_trade(NOW - HOUR * (4 - n), LOSS_R) for n in range(4)))
    first = started(bot_database)
    first.on_candle(NOW)
    with Trade.session.get_bind().begin() as connection:
        connection.execute(text(f"DROP TABLE {TABLE}"))
    again = started(bot_database)
    for name in ("LossStreakBackoff", "StopCascadeHalt"):
        assert again.guard_set.guards[name].memory == first.guard_set.guards[name].memory


def test_no_closed_trade_is_counted_twice_or_forgotten_over_a_restart(bot_database: Path) -> None:
    """Neither one that closed just after the candle border nor one while the bot was down."""
    begun = started(bot_database)
    close(closed_trade(NOW + timedelta(seconds=2), LOSS_R))
    begun.on_candle(NOW + timedelta(seconds=3))
    assert streak(begun) == 1
    again = started(bot_database)
    assert streak(again) == 1
    close(closed_trade(NOW + timedelta(minutes=30), LOSS_R))
    # A person edits a memory later than that: it must not hide the trade.
    store = StateStore(Trade.session.get_bind())
    store.write("DailyLossLimit", store.rows()["DailyLossLimit"]["memory"], "looked at it")
    third = started(bot_database)
    third.on_candle(NOW + HOUR)
    assert streak(third) == 2
    fourth = started(bot_database)
    fourth.on_candle(NOW + 2 * HOUR)
    assert streak(fourth) == 2


def test_guard_that_is_switched_on_later_learns_from_the_trades_so_far(bot_database: Path) -> None:
    close(*(closed_trade(NOW - HOUR * (3 - n), LOSS_R) for n in range(3)))
    started(bot_database).on_candle(NOW)
    with Trade.session.get_bind().begin() as connection:
        connection.execute(text(f"DELETE FROM {TABLE} WHERE name = 'LossStreakBackoff'"))  # noqa: S608
    again = started(bot_database)
    again.on_candle(NOW + HOUR)
    assert streak(again) == 3


def test_clock_that_is_set_back_forgets_nothing(bot_database: Path) -> None:
    """Neither in the running process nor at a start with the wrong time."""
    begun = started(bot_database)
    close(*(closed_trade(NOW - HOUR * (4 - n), LOSS_R) for n in range(4)))
    begun.on_candle(NOW)
    before = memories(begun.guard_set.guards)
    begun.on_candle(NOW - timedelta(days=40))
    assert memories(begun.guard_set.guards) == before
    again = started(bot_database)
    again.on_candle(NOW - timedelta(days=40))
    assert memories(again.guard_set.guards) == before


@pytest.mark.usefixtures("any_hour")
def test_block_is_locked_once_over_a_restart(bot_database: Path) -> None:
    """The lock of before the restart is taken up, not repeated."""
    close(*(closed_trade(now() - HOUR * (4 - n), LOSS_R) for n in range(4)))
    started(bot_database).on_candle(now())
    locks = PairLocks.get_all_locks()
    assert {str(lock.reason).split()[0] for lock in locks} == {"STOP_CASCADE", "LOSS_STREAK"}
    again = started(bot_database)
    again.on_candle(now())
    assert len(PairLocks.get_all_locks()) == len(locks)
    assert again.announced("StopCascadeHalt", "*", now()) is not None


@pytest.mark.usefixtures("any_hour")
@pytest.mark.parametrize("running", [True, False])
def test_rearmed_guard_releases_its_lock_and_no_other(bot_database: Path, running: bool) -> None:
    """By the running bot at its next candle, or at the first one after a start."""
    close(*(closed_trade(now() - HOUR * (4 - n), LOSS_R) for n in range(4)))
    bot = started(bot_database)
    bot.on_candle(now())
    guard = guards()["StopCascadeHalt"]
    StateStore(Trade.session.get_bind()).write(
        "StopCascadeHalt", guard.memory.model_dump_json(), "seen"
    )
    if not running:
        bot = started(bot_database)
    bot.on_candle(now() + HOUR)
    active = {str(lock.reason).split()[0] for lock in PairLocks.get_pair_locks(None)}
    assert active == {"LOSS_STREAK"}
    assert not PairLocks.is_global_lock()


@pytest.mark.usefixtures("any_hour")
def test_guard_that_is_switched_off_leaves_no_lock_behind(bot_database: Path) -> None:
    close(*(closed_trade(now() - HOUR * (4 - n), LOSS_R) for n in range(4)))
    started(bot_database).on_candle(now())
    after = engine()
    del after.guard_set.guards["StopCascadeHalt"]
    remembering(after)
    after.on_candle(now() + HOUR)
    assert not PairLocks.is_global_lock()


def now() -> datetime:
    """Locks are looked up by the machine's own clock."""
    return datetime.now(UTC)


@pytest.mark.usefixtures("any_hour")
def test_win_releases_the_lock_of_the_streak_that_it_ends(bot_database: Path) -> None:
    """The lock must not outlast the guard's own verdict."""
    close(*(closed_trade(now() - HOUR * (3 - n), LOSS_R) for n in range(3)))
    bot = started(bot_database)
    bot.on_candle(now())
    assert PairLocks.is_pair_locked(PAIR)
    close(closed_trade(now(), 1.0))
    bot.on_candle(now() + HOUR)
    assert not PairLocks.is_pair_locked(PAIR)


@pytest.mark.usefixtures("any_hour")
def test_refused_lock_leaves_freqtrades_session_usable(
    bot_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(*(closed_trade(now() - HOUR * (3 - n), LOSS_R) for n in range(3)))
    bot = started(bot_database)

    def full(*_: Any, **__: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as patched:
        patched.setattr(Trade.session.registry(), "commit", full)
        with pytest.raises(OperationalError):
            bot.on_candle(now())
    Trade.commit()
    assert len(Trade.get_trades_proxy(is_open=False)) == 3
    assert PairLocks.get_all_locks() == []


def test_nothing_is_written_beside_the_code(bot_database: Path) -> None:
    folder = ROOT / "strategies"

    def files() -> set[Path]:
        return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}

    before = files()
    started(bot_database).on_candle(NOW)
    assert files() == before


@pytest.mark.usefixtures("any_hour")
def test_locks_of_others_are_left_alone(bot_database: Path) -> None:
    until = now() + 3 * HOUR
    PairLocks.lock_pair(PAIR, until, "by hand")
    assert Locks().recall({"STOP_CASCADE": "StopCascadeHalt"}, now()) == {}
    started(bot_database).on_candle(now())
    assert [lock.reason for lock in PairLocks.get_pair_locks(PAIR)] == ["by hand"]


def test_a_stop_that_filled_earlier_and_is_noticed_later_is_counted(bot_database: Path) -> None:
    """It filled at 30 seconds past, but the exchange did not answer when it was asked."""
    begun = started(bot_database)
    late, early = closed_trade(NOW, LOSS_R), closed_trade(NOW - timedelta(seconds=210), LOSS_R)
    early.is_open = True
    close(early, late)
    begun.on_candle(NOW)
    assert streak(begun) == 1
    early.is_open = False
    Trade.commit()
    begun.on_candle(NOW + HOUR)
    assert streak(begun) == 2
    again = started(bot_database)
    again.on_candle(NOW + 2 * HOUR)
    assert streak(again) == 2


def test_a_number_that_the_database_gives_again_is_another_trade(bot_database: Path) -> None:
    """SQLite gives that of a deleted trade, as of an unfilled entry, to the next one."""
    begun = started(bot_database)
    first = closed_trade(NOW, LOSS_R)
    close(first)
    begun.on_candle(NOW)
    Trade.session.delete(first)
    Trade.commit()
    begun.on_candle(NOW + HOUR)
    second = closed_trade(NOW + HOUR, LOSS_R)
    close(second)
    assert second.id == 1
    begun.on_candle(NOW + 2 * HOUR)
    assert streak(begun) == 2


def test_a_row_that_remembers_by_time_is_taken_up(bot_database: Path) -> None:
    """As version 0.1 wrote it."""
    close(*(closed_trade(NOW - HOUR * n, LOSS_R) for n in (3, 2, 1)))
    store = StateStore(Trade.session.get_bind())
    store.save(guards(), NOW)
    store.write(SHOWN, json.dumps({"closed_until": (NOW - 2 * HOUR).timestamp()}), "")
    begun = started(bot_database)
    begun.on_candle(NOW)
    assert streak(begun) == 1
    assert store.read(SHOWN, SeenTrades) == SeenTrades(
        closed_until=(NOW - HOUR).timestamp(), newest=3, waiting=[]
    )


def drawdown(of: RiskEngine) -> float:
    return float(of.guard_set.guards["DrawdownLadder"].memory.drawdown_pct)


def test_another_capital_in_the_configuration_is_a_flow(bot_database: Path) -> None:
    """`dry_run_wallet`, `available_capital`, the ratio: told once, and neither profit nor loss."""
    close(closed_trade(NOW - HOUR, -50.0))
    started(bot_database).on_candle(NOW)
    told: list[Flow] = []
    for number, config in enumerate(
        ({"dry_run_wallet": 20_000}, {"available_capital": 5_000}, {"available_capital": 5_000}), 1
    ):
        begun = remembering(engine(told), **config)
        before = drawdown(begun)
        begun.on_candle(NOW + number * HOUR)
        assert drawdown(begun) == pytest.approx(before) == pytest.approx(5.0)
    assert [(flow.amount, flow.cause) for flow in told] == [
        (10_000.0, Cause.CAPITAL),
        (-15_000.0, Cause.CAPITAL),
    ]
    assert begun.equity(NOW + 4 * HOUR) == 4_500.0


def test_guards_that_remember_the_balance_of_the_account_go_on(bot_database: Path) -> None:
    """As version 0.1 reckoned: 9,900 are on the account, of which 4,000 are given to the bot."""
    store, before = StateStore(Trade.session.get_bind()), guards()
    for equity in (11_000.0, 9_900.0):
        for guard in before.values():
            guard.observe(Snapshot(NOW - HOUR, equity))
    store.save(before, NOW - HOUR)
    told: list[Flow] = []
    begun = remembering(engine(told), available_capital=4_000)
    begun.on_candle(NOW)
    assert drawdown(begun) == pytest.approx(10.0)
    assert [(flow.amount, flow.cause) for flow in told] == [(-5_900.0, Cause.BALANCE)]
    remembering(engine(told), available_capital=4_000).on_candle(NOW + HOUR)
    assert len(told) == 1


def test_partial_exits_are_results_before_the_trade_closes(bot_database: Path) -> None:
    begun = started(bot_database)
    trade = closed_trade(NOW, 0.0)
    trade.is_open, trade.amount, trade.stake_amount = True, 5.0, 500.0
    trade.realized_profit, trade.close_profit_abs = 75.0, 75.0
    close(trade)
    begun.on_candle(NOW)
    # Half is sold with a profit, the other half is worth what it cost.
    assert begun.equity(NOW) == 10_075.0


def test_a_trade_that_closes_while_the_candle_is_judged_is_neither_lost_nor_a_flow(
    bot_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a person's order, which Freqtrade's API carries out in a thread of its own."""
    told: list[Flow] = []
    begun = remembering(engine(told))
    trade = closed_trade(NOW, -5.0)
    trade.is_open, trade.close_profit_abs = True, None
    close(trade)
    begun.on_candle(NOW)
    take = ShownTrades.take

    def closes_after(self: ShownTrades) -> list[LocalTrade]:
        given = take(self)
        trade.is_open, trade.close_profit_abs = False, -500.0
        Trade.commit()
        return given

    with monkeypatch.context() as patched:
        patched.setattr(ShownTrades, "take", closes_after)
        begun.on_candle(NOW + HOUR)
    begun.on_candle(NOW + 2 * HOUR)
    assert told == []
    assert streak(begun) == 1
    assert drawdown(begun) == pytest.approx(5.0)
