"""How Freqtrade finds, builds and asks protections, and how locks work.

Ballast's protections are ordinary ones, found in its own folder; its guards ask every candle,
because Freqtrade's manager asks only after an exit.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
from freqtrade.exceptions import OperationalException
from freqtrade.persistence import PairLocks, disable_database_use, enable_database_use
from freqtrade.plugins.protections import IProtection
from freqtrade.resolvers import ProtectionResolver

from tests.engine import START, ScriptedStrategy, flat, run_backtest

PAIR = "BTC/USDT"
HOUR = timedelta(hours=1)
SOURCE = """
from freqtrade.plugins.protections import IProtection

asked = []

class Counting(IProtection):
    has_local_stop = True

    def short_desc(self):
        return "counts how often it is asked"

    def global_stop(self, date_now, side, starting_balance):
        return None

    def stop_per_pair(self, pair, date_now, side, starting_balance):
        self._protection_config["asked"].append(date_now)
        return None
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one protection, made known to Freqtrade as Ballast does it."""
    (tmp_path / "counting.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.setattr(ProtectionResolver, "user_subdir", str(tmp_path))
    return tmp_path


def test_resolver_has_no_user_folder_of_its_own() -> None:
    """The hook that Ballast uses is free: nothing of Freqtrade's is replaced."""
    assert ProtectionResolver.user_subdir is None


@pytest.mark.usefixtures("folder")
def test_absolute_user_folder_is_searched_beside_the_built_in_protections() -> None:
    """Ballast's protections live in its package, and Freqtrade's own go on working."""
    config = {"timeframe": "1h", "user_data_dir": Path("/nowhere")}
    for name in ("Counting", "CooldownPeriod"):
        protection = ProtectionResolver.load_protection(name, config, {"method": name})
        assert isinstance(protection, IProtection)


@pytest.mark.usefixtures("folder")
def test_file_is_searched_for_the_text_of_a_class(tmp_path: Path) -> None:
    """Hence a class for each guard, written out: one that is made when a file is loaded is none."""
    made = "from freqtrade.plugins.protections.cooldown_period import CooldownPeriod\n"
    made += "Made = type('Made', (CooldownPeriod,), {'__module__': __name__})\n"
    (tmp_path / "made.py").write_text(made)
    find = partial(ProtectionResolver._search_object, tmp_path, object_name="Made")
    assert find() == (None, None)
    (tmp_path / "made.py").write_text(made + "# class Made(\n")
    assert find()[0].__name__ == "Made"


def test_unknown_protection_is_refused() -> None:
    """A misspelled guard stops the bot instead of being left out."""
    with pytest.raises(OperationalException, match="Impossible to load Protection 'Countign'"):
        ProtectionResolver.load_protection(
            "Countign", {"timeframe": "1h", "user_data_dir": Path("/nowhere")}, {}
        )


def counting(asked: list, calls: list[str]) -> type[ScriptedStrategy]:
    class Protected(ScriptedStrategy):
        enter_rows: ClassVar[set[int]] = {0, 4}
        exit_rows: ClassVar[set[int]] = {1}

        def bot_start(self, **_: Any) -> None:
            calls.append("bot_start")

        @property
        def protections(self) -> list[dict[str, Any]]:
            calls.append("protections")
            # A callable or a list reaches the protection as it is: nothing serialises the entry.
            return [{"method": "Counting", "asked": asked}]

    return Protected


@pytest.mark.usefixtures("folder")
def test_protections_are_asked_only_after_an_exit() -> None:
    """One question in eight candles, and none about the trade left open."""
    asked: list = []
    run_backtest(counting(asked, []), {PAIR: flat(9)}, protections=True)
    exits = [START + 2 * HOUR, START + 8 * HOUR]  # the second is the end of the data
    assert asked == exits


@pytest.mark.usefixtures("folder")
def test_protections_are_asked_only_when_enabled() -> None:
    """Hence `enable_protections` in config.json."""
    asked: list = []
    run_backtest(counting(asked, []), {PAIR: flat(9)}, protections=False)
    assert asked == []


@pytest.mark.usefixtures("folder")
def test_protections_are_built_after_bot_start() -> None:
    """Settings are validated, and Ballast's folder is made known, before they are looked up."""
    calls: list[str] = []
    run_backtest(counting([], calls), {PAIR: flat(4)}, protections=True)
    assert calls.index("bot_start") < calls.index("protections")


@pytest.fixture
def locks() -> Iterator[None]:
    """Locks in memory on hourly candles, as in a backtest."""
    disable_database_use("1h")
    PairLocks.reset_locks()
    yield
    PairLocks.reset_locks()
    enable_database_use()


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2024, 1, 1, hour, minute, tzinfo=UTC)


@pytest.mark.usefixtures("locks")
def test_lock_with_now_starts_at_that_time() -> None:
    """Without it, a backtest's lock of 2024 would start today."""
    lock = PairLocks.lock_pair(PAIR, at(12), "COOLDOWN", now=at(10))
    assert lock.lock_time == at(10)


@pytest.mark.usefixtures("locks")
def test_lock_ends_at_the_border_of_the_next_candle() -> None:
    """A lock is never shorter than asked for, and one until noon sharp lasts a candle longer."""
    for until, end in ((at(11, 20), at(12)), (at(12), at(13))):
        assert PairLocks.lock_pair(PAIR, until, "COOLDOWN", now=at(10)).lock_end_time == end


@pytest.mark.usefixtures("locks")
def test_lock_holds_before_its_end_and_not_at_it() -> None:
    """The candle that opens when a lock ends may be traded."""
    PairLocks.lock_pair(PAIR, at(11, 20), "COOLDOWN", now=at(10))
    assert PairLocks.is_pair_locked(PAIR, at(11, 59))
    assert not PairLocks.is_pair_locked(PAIR, at(12))


@pytest.mark.usefixtures("locks")
def test_same_lock_is_kept_once() -> None:
    """Guards that ask every candle may repeat themselves without filling the table."""
    for _ in range(3):
        PairLocks.lock_pair(PAIR, at(12), "COOLDOWN", now=at(10))
    assert len(PairLocks.get_all_locks()) == 1


@pytest.mark.usefixtures("locks")
def test_lock_on_star_holds_for_every_pair() -> None:
    """The portfolio's breakers lock with it."""
    PairLocks.lock_pair("*", at(12), "DAILY_LOSS", now=at(10))
    assert PairLocks.is_pair_locked("ETH/USDT", at(11))
    assert PairLocks.is_global_lock(at(11))


def test_lock_refuses_entries_and_leaves_exits_alone() -> None:
    """No state of Ballast ever blocks an exit, because no lock can."""

    class Locking(ScriptedStrategy):
        enter_rows: ClassVar[set[int]] = {0, 3}
        exit_rows: ClassVar[set[int]] = {2}

        def bot_loop_start(self, current_time: datetime, **_: Any) -> None:
            if current_time == START + 2 * HOUR:
                PairLocks.lock_pair("*", START + 6 * HOUR, "HALTED", now=current_time)

    outcome = run_backtest(Locking, {PAIR: flat(7)})
    assert outcome.reasons == ["exit_signal"]
    assert [lock.reason for lock in outcome.locks] == ["HALTED"]
