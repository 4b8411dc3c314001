"""A bot's journal: the rows of a backtest of the same candles, and no entry that is not in it."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import pandas as pd
import pytest
from freqtrade.data.dataprovider import DataProvider
from freqtrade.persistence import PairLocks, Trade
from freqtrade.strategy import IStrategy

from ballast import guarded
from ballast.core.status import lines
from ballast.journal.explanations import status_text
from ballast.journal.reader import Reader
from ballast.journal.views import status_of
from ballast.risk.engine import RiskEngine
from tests.behaviour.mini import LEADER, OTHER, PAIR, Mini, at, quiet, signal, told
from tests.behaviour.paper import Paper, paper
from tests.engine import candle_frame
from tests.journals import journal_in, journals_in

SECRETS = {"token": "12345:SECRETtoken01", "chat_id": "SECRETchat02", "password": "SECRETpass03"}
LENGTH = 14


def rows_of(path: Path) -> pd.DataFrame:
    with sqlite3.connect(path) as connection:
        rows = pd.read_sql("SELECT * FROM decisions", connection)
    candle = pd.to_datetime(rows["candle"], utc=True)
    return rows.assign(candle=candle).set_index(["candle", "pair"]).sort_index()


def events_of(path: Path) -> pd.DataFrame:
    with sqlite3.connect(path) as connection:
        return pd.read_sql("SELECT * FROM events", connection)


@contextmanager
def bot(folder: Path, strategy: type[IStrategy] = Mini, **settings: Any) -> Iterator[Paper]:
    """A bot that sees a signal at row 3; started again, it has its database."""
    settings.setdefault("db_url", f"sqlite:///{folder / 'trades.sqlite'}")
    stories = {
        LEADER: quiet(LENGTH),
        PAIR: [*quiet(3), signal(), (101, 101.4, 100.8, 101.2)],
        OTHER: quiet(LENGTH),
    }
    frames = {p: candle_frame(told(s, LENGTH), "1h") for p, s in sorted(stories.items())}
    with paper(strategy, frames, folder, at(0), **settings) as running:
        yield running


class Hugging(IStrategy):
    """Knows nothing of the layer, and holds a stop two percent below the price."""

    INTERFACE_VERSION = 3
    timeframe = "1h"
    stoploss = -0.2
    minimal_roi: ClassVar[dict[str, float]] = {"0": 10}
    use_custom_stoploss = True

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe.loc[dataframe["close"] > 100.8, "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe

    def custom_stoploss(self, **_: Any) -> float:
        return -0.02


def walk(running: Paper, first: int, last: int) -> None:
    for row in range(first, last + 1):
        running.step(at(row))
        running.loop(at(row) + timedelta(seconds=10))


def test_an_entry_is_explained_in_its_custom_data(tmp_path: Path) -> None:
    with bot(tmp_path) as running:
        walk(running, 1, 5)
        (trade,) = running.trades
        text = trade.get_custom_data("explanation")
    assert text.startswith("Mini: high 100.9 > 100.5; stake ")
    assert "bound by RISK_AT_STOP; stop 96.8" in text


def test_every_move_of_a_stop_is_told_also_one_of_the_strategys_own(tmp_path: Path) -> None:
    with bot(tmp_path, type("Hugged", (guarded(Hugging),), {})) as running:
        walk(running, 1, 4)
        (trade,) = running.trades
        held = [trade.stop_loss]
        for minute in range(1, 9):
            running.prices[PAIR] += 0.5 * (minute % 3)
            running.loop(at(4) + timedelta(minutes=minute))
            held.append(trade.stop_loss)
    events = events_of(journal_in(tmp_path))
    moves = events[events["kind"] == "stop"]
    assert list(moves["code"]) == ["FIRST_STOP", *["STRATEGY_STOP"] * (len(moves) - 1)]
    told = list(moves["value"])[1:]
    assert told == sorted(set(told))
    assert told == pytest.approx(sorted({stop for stop in held if stop >= told[0]}))
    assert len(told) > 4


def test_the_chart_shows_the_account_that_the_journal_has_also_after_a_restart(
    tmp_path: Path,
) -> None:
    with bot(tmp_path) as running:
        walk(running, 1, 5)
    with bot(tmp_path) as running:
        walk(running, 6, 8)
        drawn, _ = running.bot.dataprovider.get_analyzed_dataframe(PAIR, "1h")
    with closing(Reader(journal_in(tmp_path))) as reader:
        accounts = reader.accounts()
    assert len(accounts) == 8
    lanes = drawn.set_index("date")
    for account in accounts[1:]:
        shown = lanes.loc[account.candle + timedelta(hours=1)]
        assert shown["size_pct"] == 100 * account.multiplier
        assert shown["heat_pct"] == round(account.gauges["PORTFOLIO_HEAT"].value, 3)
        assert shown["drawdown_pct"] == round(account.gauges["DRAWDOWN"].value, 3)
    assert lanes["heat_pct"].iloc[-1] > 0


def test_a_position_is_seen_in_the_loop_after_its_entry_and_not_a_candle_later(
    tmp_path: Path,
) -> None:
    """On screens, in Telegram and in metrics; marked, as all else is told by the candle before."""
    with bot(tmp_path) as running:
        walk(running, 1, 4)
        (trade,) = running.trades
        running.loop(at(4) + timedelta(seconds=20))
        recorder = running.bot.strategy._ballast.decisions.session.recorder
        chat = status_text(recorder)
        with closing(Reader(journal_in(tmp_path))) as reader:
            status = status_of(reader, at(4) + timedelta(seconds=20))
            account = reader.account()
            assert account is not None
            (held,) = account.positions
            (known,) = recorder.account.positions
            assert (known.trade_id, known.opened) == (held.trade_id, held.opened)
            assert len(reader.accounts()) == 4
        assert (held.pair, held.entry) == (PAIR, trade.open_rate)
        assert account.heat is not None
        assert account.heat.value > 0
        text = "\n".join(lines(status))
        assert f"{PAIR} new, " in chat
        assert "new: filled after that candle" in text
        running.step(at(5))
        with closing(Reader(journal_in(tmp_path))) as reader:
            assert "new" not in "\n".join(lines(status_of(reader, at(5))))


def test_without_a_journal_an_entry_is_explained_too(tmp_path: Path) -> None:
    with bot(tmp_path, ballast={"journal": {"enabled": False}}) as running:
        walk(running, 1, 5)
        (trade,) = running.trades
        assert "bound by RISK_AT_STOP" in trade.get_custom_data("explanation")
    assert not journals_in(tmp_path)


@pytest.mark.parametrize("obstacle", ["held by somebody", "no such disk"])
def test_entries_are_refused_while_the_journal_cannot_be_written(
    tmp_path: Path, obstacle: str
) -> None:
    path, holder = tmp_path / "journal.sqlite", None
    if obstacle == "no such disk":
        (tmp_path / "file").write_text("")
        path = tmp_path / "file" / "journal.sqlite"
    with bot(tmp_path, ballast={"journal": {"path": str(path)}}) as running:
        if obstacle == "held by somebody":
            walk(running, 1, 3)
            holder = sqlite3.connect(path)
            holder.execute("BEGIN IMMEDIATE")
        walk(running, 1 if holder is None else 4, 5)
        assert running.trades == []
        assert any(f"journal {path}: " in cause for cause in running.bot.strategy.incidents.counts)
        if holder is not None:
            holder.rollback()
            holder.close()
            running.loop(at(5) + timedelta(seconds=20))
    if holder is not None:
        rows = rows_of(path).loc[(slice(None), PAIR), :]
        assert "JOURNAL_SILENT" in set(rows["code"])
        # What could not be written then was written later.
        assert len(rows) == 5


def test_a_journal_that_is_overwritten_while_the_bot_runs_is_begun_anew_and_told(
    tmp_path: Path,
) -> None:
    """What was open took every row, and none of them was there after a restart."""
    sent: list[str] = []
    with (
        patch.object(DataProvider, "send_msg", lambda _, text, **__: sent.append(text)),
        bot(tmp_path) as running,
    ):
        walk(running, 1, 3)
        path = journal_in(tmp_path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with path.open("r+b") as file:
            file.write(b"no database at all" * (path.stat().st_size // 10))
        walk(running, 4, 5)
        assert len(running.trades) == 1
    assert any("the journal was damaged: kept as" in text for text in sent)
    assert "ENTERED" in set(rows_of(path).loc[(slice(None), PAIR), "outcome"])


@pytest.mark.parametrize("replaced", [False, True])
def test_nothing_is_bought_on_a_database_that_was_taken_away(
    tmp_path: Path, replaced: bool
) -> None:
    """SQLite wrote on into a file nobody finds, and the position was forgotten at a restart."""
    sent: list[str] = []
    path = tmp_path / "trades.sqlite"
    with (
        patch.object(DataProvider, "send_msg", lambda _, text, **__: sent.append(text)),
        bot(tmp_path) as running,
    ):
        walk(running, 1, 3)
        kept = path.rename(tmp_path / "kept.sqlite")
        if replaced:
            path.write_bytes(b"")
        walk(running, 4, 4)
        assert not running.trades
        kept.replace(path)
        running.loop(at(4) + timedelta(seconds=20))
        assert len(running.trades) == 1
    (gone,) = (text for text in sent if "was deleted or replaced: no entries" in text)
    assert str(path) in gone
    rows = rows_of(journal_in(tmp_path)).loc[(slice(None), PAIR), :]
    events = events_of(journal_in(tmp_path))
    assert "DATABASE_LOST" in set(events["code"])
    assert "ENTERED" in set(rows["outcome"])


def test_what_is_held_is_left_on_a_database_that_was_taken_away(tmp_path: Path) -> None:
    with bot(tmp_path) as running:
        walk(running, 1, 4)
        (trade,) = running.trades
        (tmp_path / "trades.sqlite").unlink()
        running.prices[PAIR] = trade.stop_loss * 0.99
        running.loop(at(4) + timedelta(minutes=20))
        assert [trade.is_open for trade in Trade.get_trades_proxy()] == [False]


def test_an_exit_does_not_wait_for_the_journal(tmp_path: Path) -> None:
    with bot(tmp_path) as running:
        walk(running, 1, 4)
        (trade,) = running.trades
        holder = sqlite3.connect(journal_in(tmp_path))
        holder.execute("BEGIN IMMEDIATE")
        running.prices[PAIR] = trade.stop_loss * 0.99
        running.loop(at(4) + timedelta(minutes=20))
        assert [trade.is_open for trade in Trade.get_trades_proxy()] == [False]
        holder.rollback()
        holder.close()
        running.step(at(5))
    events = events_of(journal_in(tmp_path))
    assert "EXIT_FILLED" in set(events["code"])


def test_what_a_bot_missed_while_it_was_down_is_accounted_for(tmp_path: Path) -> None:
    with bot(tmp_path) as running:
        walk(running, 1, 2)
    with bot(tmp_path) as running:
        walk(running, 7, 8)
    rows = rows_of(journal_in(tmp_path)).loc[(slice(None), PAIR), :]
    assert list(rows.index.get_level_values(0)) == [at(row) for row in range(8)]
    unseen = rows[rows["outcome"] == "UNSEEN"]
    assert list(unseen.index.get_level_values(0)) == [at(row) for row in range(2, 6)]
    # What would have been is told all the same: the signal of row 3.
    assert [json.loads(r)["high"][3] for r in unseen["rules"]] == [False, True, True, False]


def test_a_restart_within_a_candle_leaves_what_it_decided(tmp_path: Path) -> None:
    with bot(tmp_path) as running:
        walk(running, 1, 4)
        (trade,) = running.trades
        number = trade.id
    with bot(tmp_path) as running:
        running.step(at(4))
    row = rows_of(journal_in(tmp_path)).loc[(at(3), PAIR)]
    assert (row["outcome"], row["trade_id"]) == ("ENTERED", number)


def test_a_signal_that_finds_no_place_says_so(tmp_path: Path) -> None:
    with bot(tmp_path, max_open_trades=0) as running:
        walk(running, 1, 5)
    row = rows_of(journal_in(tmp_path)).loc[(at(3), PAIR)]
    assert (row["outcome"], row["code"]) == ("SIGNAL", "SLOTS_FULL")


@pytest.mark.parametrize(
    ("locks", "outcome"),
    [
        ([(PAIR, "*")], "SIGNAL"),
        ([("*", "long")], "SIGNAL"),
        ([(PAIR, "short"), (OTHER, "*")], "ENTERED"),
    ],
)
def test_a_signal_of_a_pair_that_is_locked_says_so(
    locks: list[tuple[str, str]], outcome: str, tmp_path: Path
) -> None:
    with bot(tmp_path) as running:
        for pair, side in locks:
            PairLocks.lock_pair(pair, at(9), "by hand", now=at(0), side=side)
        walk(running, 1, 4)
    row = rows_of(journal_in(tmp_path)).loc[(at(3), PAIR)]
    assert row["outcome"] == outcome
    assert (row["code"] == "PAIR_LOCKED") == (outcome == "SIGNAL")


def test_no_secret_is_in_the_journal(tmp_path: Path) -> None:
    """Even one that an error repeats."""

    def failing(*_: Any, **__: Any) -> None:
        raise ValueError(f"rejected {SECRETS['token']} signature=SECRETsignature04")

    with bot(tmp_path, telegram={"enabled": False, **SECRETS}) as running:
        walk(running, 1, 4)
        with patch.object(RiskEngine, "committed", failing):
            walk(running, 5, 6)
        for name, secret in SECRETS.items():
            running.bot.strategy._ballast.incident(name, ValueError(secret))
        running.loop(at(6) + timedelta(minutes=1))
    events = events_of(journal_in(tmp_path))
    assert len(events[events["kind"] == "incident"]) >= 3
    for file in tmp_path.glob("ballast_journal*"):
        assert b"SECRET" not in file.read_bytes(), file


def test_how_long_a_candle_took_is_told_with_the_journals_part(tmp_path: Path) -> None:
    with bot(tmp_path) as running:
        walk(running, 1, 3)
    events = events_of(journal_in(tmp_path))
    told_of = events[events["code"] == "ANALYSIS"]
    assert len(told_of) == 3
    for value, facts in zip(told_of["value"], told_of["facts"], strict=True):
        assert 0 < json.loads(facts)["journal_s"] < value
        assert math.isfinite(value)
