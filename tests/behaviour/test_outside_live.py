"""Nothing that a screen, a chat or a scrape asks for takes anything from what trades.

A chart once killed a bot: each request for it left a connection to the database behind, until the
pool was empty that the bot's own loop lives of.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from freqtrade.persistence import Trade
from freqtrade.persistence.custom_data import _CustomData
from freqtrade.rpc.api_server.webserver import ApiServer
from freqtrade_client import FtRestClient

from ballast.alerts.telegram_commands import TelegramCommands
from ballast.config.settings import Settings
from ballast.core.events import Event, EventKind
from ballast.journal.store import Journal
from ballast.ops.liveness import signs_of
from ballast.ops.metrics.sidecar import Sidecar
from ballast.risk.stop_manager import first_stop
from ballast.tooling.bot_api import BotApi
from tests.behaviour.mini import LEADER, OTHER, PAIR, Mini, Story, at, quiet, signal, told
from tests.behaviour.paper import Paper, paper
from tests.bot_process import USER
from tests.engine import candle_frame
from tests.journals import journal_in
from tests.rest import PASSWORD, served, unserved

TIMES = 200
# More than the pool has.
SOME = 20
LENGTH = 14
BOUGHT: Story = [*quiet(3), signal(), (101, 101.4, 100.8, 101.2)]
RISES: Story = [*BOUGHT, *((c - 1, c + 0.2, c - 1.2, c) for c in (102.2, 103.2, 104.2, 105.2))]
CANDLES = {"pair": PAIR, "timeframe": "1h", "limit": 300}


@dataclass(frozen=True)
class Visited:
    """A paper bot with an open trade, and who asks it over REST."""

    paper: Paper
    client: FtRestClient
    folder: Path

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """The answer to a request, which must be one."""
        url = f"{self.client._serverurl}/api/v1/{path}"
        answer = self.client._session.request(method, url, timeout=60, **more)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    @property
    def api(self) -> BotApi:
        return BotApi(self.client._serverurl, USER, PASSWORD)

    def health(self) -> Any:
        return signs_of(self.api, datetime.now().astimezone(), self.folder)

    def metrics(self) -> list[Any]:
        database = f"sqlite:///{self.folder / 'trades.sqlite'}"
        return list(Sidecar(self.api, Settings(), database, self.folder).collect())

    def why(self) -> str:
        """The answer of Telegram's command, in a thread as there."""
        session = self.paper.bot.strategy.session
        commands: TelegramCommands = session.operator._commands
        assert commands._why is not None
        said: list[str] = []
        thread = threading.Thread(target=lambda: said.append(commands._why("ETH")))  # type: ignore[misc]
        thread.start()
        thread.join()
        return said[0]


@contextmanager
def visited(
    folder: Path, story: Story = BOUGHT, rows: int = 4, **settings: Any
) -> Iterator[Visited]:
    stories = {LEADER: quiet(LENGTH), PAIR: story, OTHER: quiet(LENGTH)}
    frames = {p: candle_frame(told(s, LENGTH), "1h") for p, s in sorted(stories.items())}
    database = f"sqlite:///{folder / 'trades.sqlite'}"
    with (
        unserved() as api,
        paper(Mini, frames, folder, at(0), db_url=database, api_server=api, **settings) as running,
    ):
        walk(running, 1, rows)
        with served(running.bot) as client:
            yield Visited(running, client, folder)


def walk(running: Paper, first: int, last: int) -> None:
    for row in range(first, last + 1):
        running.step(at(row))
        running.loop(at(row) + timedelta(seconds=10))


def left_behind() -> tuple[int, int]:
    """Connections of the pool that somebody holds, and sessions of custom data that are kept."""
    Trade.session.remove()
    _CustomData.session.remove()
    pool = Trade.session.get_bind().pool
    # A request's own session ends a moment after its answer.
    until = time.monotonic() + 2
    while pool.checkedout() and time.monotonic() < until:
        time.sleep(0.01)
    return pool.checkedout(), len(_CustomData.session.registry.registry)


ASKED: dict[str, tuple[int, Callable[[Visited], Any]]] = {
    "chart": (TIMES, lambda scene: scene.ask("GET", "pair_candles", params=CANDLES)),
    "chart, some columns": (
        TIMES,
        lambda scene: scene.ask("POST", "pair_candles", json={**CANDLES, "columns": ["close"]}),
    ),
    "what a chart draws": (TIMES, lambda scene: scene.ask("GET", "plot_config")),
    "configuration": (TIMES, lambda scene: scene.ask("GET", "show_config")),
    "strategy": (TIMES, lambda scene: scene.ask("GET", "strategy/Mini")),
    "why": (TIMES, Visited.why),
    # Several requests each, a chart of every pair among them.
    "health": (SOME, Visited.health),
    "metrics": (SOME, Visited.metrics),
}


@pytest.mark.slow
def test_whatever_is_asked_every_connection_goes_back_to_the_pool(tmp_path: Path) -> None:
    with visited(tmp_path) as scene:
        assert left_behind() == (0, 0)
        for name, (times, ask) in ASKED.items():
            for _ in range(times):
                assert ask(scene), name
            assert left_behind() == (0, 0), name
        names = {metric.name for metric in scene.metrics()}
        assert {"ballast_up", "ballast_equity", "ballast_journal_lag_seconds"} <= names
        # And the bot trades on.
        walk(scene.paper, 5, 6)
        assert [trade.is_open for trade in scene.paper.trades] == [True]


@pytest.mark.slow
def test_no_endpoint_leaves_a_connection_behind(tmp_path: Path) -> None:
    """Whatever Freqtrade serves while it trades; a new version may serve more."""
    named = defaultdict(lambda: "none", tradeid="1", trade_id="1", strategy="Mini")
    with visited(tmp_path) as scene:
        (module,) = [m for m in scene.paper.bot.rpc.registered_modules if isinstance(m, ApiServer)]
        paths = module.app.openapi()["paths"].items()
        answered = 0
        for path in (path for path, methods in paths if "get" in methods):
            url = scene.client._serverurl + path.format_map(named)
            for _ in range(SOME):
                answer = scene.client._session.get(url, params=CANDLES, timeout=60)
                # Some are of Freqtrade's webserver alone.
                assert answer.status_code in (200, 503), (path, answer.text)
                answered += answer.status_code == 200
            assert left_behind() == (0, 0), path
        assert answered > 25 * SOME


def test_orders_given_by_hand_leave_no_session_behind(tmp_path: Path) -> None:
    """They run our callbacks inside the request, which keep the first stop with the trade."""
    gate = {"gate": {"signal_age_s": 540, "move_atr": 10}}
    with visited(tmp_path, ballast=gate) as scene:
        assert scene.ask("POST", "trades/1/reload", json={})
        scene.ask("POST", "forceexit", json={"tradeid": "1"})
        assert left_behind() == (0, 0)
        assert not scene.paper.trades[0].is_open
        scene.paper.bot.config["force_entry_enable"] = True
        scene.ask("POST", "forceenter", json={"pair": OTHER, "side": "long"})
        assert left_behind() == (0, 0)
        (trade,) = [trade for trade in scene.paper.trades if trade.is_open]
        assert trade.pair == OTHER
        kept = first_stop(trade.get_custom_data("initial_stop"))
        assert kept == pytest.approx(trade.stop_loss)


def test_the_chart_draws_every_stop_that_was_held_heat_included(tmp_path: Path) -> None:
    """What rested is not what the candles say: the heat limit draws stops closer."""
    heat = {"guards": {"PortfolioHeat": {"limit_pct": 0.55}}}
    with visited(tmp_path, RISES, ballast=heat) as scene:
        (trade,) = scene.paper.trades
        # By the row at which it was first held there.
        rows = {trade.stop_loss: 4}
        for row in range(5, 9):
            walk(scene.paper, row, row)
            rows.setdefault(trade.stop_loss, row)
        held = list(rows)
        assert len(held) == 4
        assert [line["y_start"] for line in steps(scene)] == pytest.approx(held)
        # Still there when the trade is over.
        scene.ask("POST", "forceexit", json={"tradeid": "1"})
        lines = steps(scene)
        assert [line["y_start"] for line in lines] == pytest.approx(held)
        begins = [
            datetime.fromisoformat(line["start"]).replace(minute=0, second=0) for line in lines
        ]
        assert begins == [at(row) for row in rows.values()]


def steps(scene: Visited) -> list[dict[str, Any]]:
    """Lines of the chart along which the stop stayed."""
    marks = scene.ask("GET", "pair_candles", params=CANDLES)["annotations"]
    lines = [mark for mark in marks if mark["type"] == "line"]
    return [line for line in lines if line["y_start"] == line["y_end"]]


def test_a_chart_is_answered_while_the_journal_is_being_written(tmp_path: Path) -> None:
    with visited(tmp_path) as scene, closing(sqlite3.connect(journal_in(tmp_path))) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM events")
        began = time.perf_counter()
        assert len(steps(scene)) == 1
        assert scene.health().journal_age_s is not None
        assert time.perf_counter() - began < 2
        writer.rollback()


def test_why_opens_no_journal(tmp_path: Path) -> None:
    """Its connection is the bot's: another thread on it could undo what is being written."""
    with visited(tmp_path, rows=0) as scene:
        assert "nothing has been decided yet" in scene.why()
        assert not list(tmp_path.glob("ballast_journal*"))


def test_why_answers_for_the_newest_candle_after_something_happened_to_an_older_one(
    tmp_path: Path,
) -> None:
    with visited(tmp_path, rows=6) as scene:
        facts = {"signal": at(3).isoformat()}
        recorder = scene.paper.bot.strategy.session.recorder
        recorder.hear(Event(at(6), EventKind.ORDER, "ENTRY_FILLED", PAIR, 1, 101.0, facts=facts))
        with patch.object(Journal, "decision", side_effect=AssertionError):
            assert f"candle of {at(5):%Y-%m-%d %H:%M}" in scene.why()
