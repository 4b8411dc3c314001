"""The panel shows what the journal holds, to who has the password, and contacts nothing else."""

from __future__ import annotations

import json
import math
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import requests
import uvicorn
from requests import Response

from ballast.__main__ import main
from ballast.config.settings import JournalSettings
from ballast.core.account import Account, Gauge, OpenPosition, State
from ballast.core.events import Event, EventKind
from ballast.core.verdict import Verdict
from ballast.journal.reader import Reader
from ballast.journal.store import Journal
from ballast.ops.panel import app as served
from ballast.ops.panel import trade, views
from ballast.ops.panel.timeline import climbs, guard_spans
from tests.html_page import Shown
from tests.unit.ballast.commands.test_journal import NO_SIGNAL, START, VERSION, later, written

NAME, WORD = "me", "pass-wörd"
EVIL = "<img src=x onerror=alert(1)>"
HALT = Verdict("DAILY_LOSS", 0.62, 3.0, 0.0, later(24), began=3.2)
ACCOUNT = Account(
    later(5),
    State.HALTED,
    10_630.0,
    0.0,
    {
        "DAILY_LOSS": Gauge(0.62, 3.0),
        "PORTFOLIO_HEAT": Gauge(1.2, 2.0),
        "EXPOSURE_CAP": Gauge(8.0, 25.0),
    },
    {"DailyLossLimit": HALT},
    (OpenPosition(7, "SOL/USDT", START, 100.0, 95.0, 106.0, 1.2, 55.0, 530.0),),
)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    journal = Journal(tmp_path / "journal.sqlite", JournalSettings())
    rows, events = written()
    refused = {"detail": "LIQUIDITY"}
    events.append(Event(later(5), EventKind.REFUSED, "NO_SIZE", "SOL/USDT", None, 3, 10, refused))
    evil = replace(NO_SIGNAL, pair=f"{EVIL}/USDT", candle=later(5))
    journal.write(VERSION, [*rows, replace(NO_SIGNAL, candle=later(5)), evil], events, [ACCOUNT])
    journal.file.engine.dispose()
    return journal.file.path


def server(path: Path, **more: Any) -> Any:
    return served.panel(lambda: Reader(path), NAME, WORD, None, lambda: later(6.1), **more)


@contextmanager
def running(app: Any) -> Iterator[str]:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error")
    found = uvicorn.Server(config)
    thread = threading.Thread(target=found.run, daemon=True)
    thread.start()
    while not found.started:
        time.sleep(0.05)
    port = found.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"127.0.0.1:{port}"
    finally:
        found.should_exit = True
        thread.join()


class Client:
    """Asks a panel that listens on loopback."""

    def __init__(self, address: str) -> None:
        self._address = f"http://{address}"

    def get(
        self,
        path: str,
        auth: tuple[str, str] | None = (NAME, WORD),
        headers: dict[str, str] | None = None,
    ) -> Response:
        known = None if auth is None else tuple(part.encode() for part in auth)
        return requests.get(self._address + path, auth=known, headers=headers, timeout=20)  # type: ignore[arg-type]


@pytest.fixture
def client(path: Path) -> Iterator[Client]:
    with running(server(path)) as address:
        yield Client(address)


@pytest.mark.parametrize("address", ["/", "/trade/4", "/status.json", "/assets/script.js"])
@pytest.mark.parametrize("given", [None, (NAME, "x"), ("x", WORD), ("", ""), (NAME, WORD[:-1])])
def test_nothing_is_shown_without_name_and_password(
    client: Client, address: str, given: tuple[str, str] | None
) -> None:
    answer = client.get(address, auth=given)
    assert answer.status_code == 401
    assert "Trend" not in answer.text


def test_name_and_password_are_always_compared_both_in_constant_time(client: Client) -> None:
    compared: list[bytes] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return one == other

    with patch("ballast.ops.panel.app.secrets.compare_digest", compare):
        assert client.get("/status.json", auth=("x", "y")).status_code == 401
    assert compared == [NAME.encode(), WORD.encode()]


def test_a_name_that_leads_here_from_elsewhere_is_refused(client: Client) -> None:
    """Or a page of another site could read it once its name is pointed at this machine."""
    answer = client.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 400


def test_status_limits_positions_and_refusals_are_shown(client: Client) -> None:
    text = Shown(client.get("/").text).text
    for told in (
        "HALTED",
        "10630 USDT",
        "1.2 % of 2 %",
        "0.62 % of 3 %",
        "SOL/USDT",
        "+1.20 R",
        "55 USDT",
        "DailyLossLimit blocks: DAILY_LOSS began at 3.2 % (limit 3 %), now 0.62 %, until",
        "03-01 05:00 SOL/USDT: NO_SIZE 3 USDT (needed 10 USDT), LIQUIDITY",
    ):
        assert told in " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split()), told


def test_why_tells_the_unmet_rule_of_every_pair_and_the_weeks_commonest_reason(
    client: Client,
) -> None:
    text = " ".join(Shown(client.get("/").text).text.replace("\N{NO-BREAK SPACE}", " ").split())
    assert "Trend: breakout 101.2 > 104.9 (-3.53 %, -1.9 ATR), 1 of 2 rules unmet" in text
    assert "had 'breakout' as the first reason" in text


def test_the_timeline_tells_guards_and_orders(client: Client) -> None:
    page = Shown(client.get("/").text)
    assert "stop raised from 97 to 98 USDT by CHANDELIER" in page.text.replace(
        "\N{NO-BREAK SPACE}", " "
    )
    (chart,) = page.charts
    assert [trace["name"] for trace in chart["data"]] == ["None"]


def test_a_trades_life_is_drawn_with_its_stop_and_fills(client: Client) -> None:
    page = Shown(client.get("/trade/4").text)
    (chart,) = page.charts
    drawn = {trace["name"]: trace for trace in chart["data"]}
    assert set(drawn) == {"close", "stop", "bought", "sold"}
    assert drawn["bought"]["y"] == [106.2]
    assert drawn["stop"]["y"] == [98.0, 98.0]
    assert client.get("/trade/99").status_code == 404
    assert client.get("/trade/x").status_code == 422


def test_candles_of_the_bot_are_drawn_where_it_gives_them(path: Path) -> None:
    class Api:
        def ask(self, question: str, pair: str, timeframe: str, count: int) -> dict[str, Any]:
            assert (question, pair, timeframe) == ("pair_candles", "ETH/USDT", "1h")
            columns = ["date", "open", "high", "low", "close", "volume"]
            return {
                "columns": columns,
                "data": [
                    [f"{later(n):%Y-%m-%dT%H:%M:%SZ}", 100 + n, 108, 99, 101 + n, 1]
                    for n in range(8)
                ],
            }

    app = served.panel(lambda: Reader(path), NAME, WORD, Api(), lambda: later(6.1))  # type: ignore[arg-type]
    with running(app) as address:
        page = Shown(Client(address).get("/trade/4").text)
    candles = page.charts[0]["data"][0]
    assert candles["type"] == "candlestick"
    assert candles["open"][0] == 100


def test_text_is_text_and_only_the_panels_own_scripts_run(client: Client) -> None:
    page = client.get("/").text
    shown = Shown(page)
    assert EVIL not in page
    assert EVIL in shown.text
    assert shown.handlers == []
    assert shown.policy["script-src"] == ["'self'"]
    assert shown.policy["connect-src"] == ["'self'"]
    assert shown.policy["default-src"] == ["'none'"]
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_pages_are_kept_by_no_cache_and_shown_in_no_frame(client: Client) -> None:
    answer = client.get("/")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"
    assert client.get("/assets/nothing.js").status_code == 404
    assert len(client.get("/assets/plotly.js").text) > 1_000_000


def test_data_for_programs_are_the_journals(client: Client) -> None:
    data = client.get("/status.json").json()
    assert (data["state"], data["equity"], data["multiplier"]) == ("HALTED", 10_630.0, 0.0)
    assert data["positions"][0]["r"] == 1.2


def test_a_journal_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "other.sqlite").write_text("no database, but long enough to be looked at" * 40)
    app = served.panel(lambda: Reader(tmp_path / "other.sqlite"), NAME, WORD, None)
    with running(app) as address:
        answer = Client(address).get("/")
    assert answer.status_code == 503
    assert "the journal cannot be read" in answer.text


def test_a_block_that_goes_on_is_one_span_and_one_that_is_lifted_ends() -> None:
    def event(hour: float, state: str, until: float | None = None) -> Event:
        facts = {"guard": "G", "state": state, "until": str(later(until)) if until else ""}
        return Event(later(hour), EventKind.GUARD, "X", "*", None, 1, 1, facts)

    told = [
        event(1, "begins", 3),
        event(3, "begins", 5),
        event(4, "lifted"),
        event(9, "begins", 12),
    ]
    spans = guard_spans(told, later(10))["G"]
    assert spans == [(later(1), later(4), "all pairs"), (later(9), later(10), "all pairs")]


def test_a_stop_that_climbs_is_one_line_until_something_else_happens_to_its_trade() -> None:
    def stop(hour: float, trade: int, to: float, before: float, by: str = "CHANDELIER") -> Event:
        return Event(later(hour), EventKind.STOP, by, f"P{trade}/USDT", trade, to, before)

    sold = Event(later(6), EventKind.ORDER, "PART_SOLD", "P1/USDT", 1, 110, 110)
    told = [
        stop(1, 1, 90, math.nan, "FIRST_STOP"),
        stop(2, 1, 95, 90),
        stop(3, 2, 50, 40),
        stop(4, 1, 97, 95, "PORTFOLIO_HEAT"),
        sold,
        stop(7, 1, 99, 97),
    ]
    shown = climbs(told[::-1])
    assert [(last.at, text) for last, text in shown if last is not sold] == [
        (later(7), "stop raised from 97 to 99 USDT by CHANDELIER"),
        (
            later(4),
            "stop raised from 90 to 97 USDT by PORTFOLIO_HEAT, CHANDELIER, in 2 steps since "
            f"{later(2):%m-%d %H:%M}",
        ),
        (later(3), "stop raised from 40 to 50 USDT by CHANDELIER"),
        (later(1), "first stop 90 USDT"),
    ]


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: the panel was not looked at in one")
def test_on_a_telephone_no_page_is_wider_than_its_screen(path: Path, tmp_path: Path) -> None:
    """In frames: a window of Chromium's is 500 wide at least."""
    with closing(Reader(path)) as reader:
        life = trade.life(reader, 4, {})
        assert life is not None
        (tmp_path / "panel.html").write_text(views.overview(reader, None).html(), encoding="utf-8")
    (tmp_path / "trade.html").write_text(life.html(), encoding="utf-8")
    pages = [f"panel.html#{tab}" for tab in ("status", "why", "timeline", "trades")]
    frames = [
        f'<iframe src="{page}" width="390" height="800" style="border:0"></iframe>'
        for page in pages
    ]
    frames.append('<iframe src="trade.html" width="390" height="800" style="border:0"></iframe>')
    measure = """<p id="told"></p><script>addEventListener("load", () => setTimeout(() => {
        told.textContent = [...document.querySelectorAll("iframe")].map((one) =>
            one.contentDocument.scrollingElement.scrollWidth).join(" ");
    }, 500));</script>"""
    (tmp_path / "frames.html").write_text("".join([*frames, measure]), encoding="utf-8")
    done = browse(tmp_path, (tmp_path / "frames.html").as_uri(), "--allow-file-access-from-files")
    assert '<p id="told">390 390 390 390 390</p>' in done.stdout, done.stderr[-2000:]


def browse(folder: Path, address: str, *more: str) -> subprocess.CompletedProcess[str]:
    """A page as a browser has it after some seconds."""
    command = [str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--user-data-dir={folder / 'profile'}", "--window-size=1280,900"]
    command += ["--virtual-time-budget=10000", "--hide-scrollbars", *more, address]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: the panel was not looked at in one")
@pytest.mark.parametrize("tab", ["status", "why", "timeline", "trades"])
def test_a_browser_shows_each_tab(path: Path, tmp_path: Path, tab: str) -> None:
    """Its own scripts run under the page's policy: they choose the tab and draw."""
    word = WORD.replace("ö", "%C3%B6")
    with running(server(path)) as address:
        done = browse(tmp_path, f"http://{NAME}:{word}@{address}/#{tab}")
    assert f'id="{tab}"' in done.stdout, done.stderr[-2000:]
    shown = [
        name
        for name in ("status", "why", "timeline", "trades")
        if f'<article class="tab" id="{name}"' in done.stdout
    ]
    assert shown == [tab]


def test_the_present_is_the_clocks_unless_one_is_given(path: Path) -> None:
    app = served.panel(lambda: Reader(path), NAME, WORD, None)
    with running(app) as address:
        text = Client(address).get("/").text
    assert "NOTHING NEWER" in text
    # A week of a bot that has ended is its last one: 'Nothing.' was said of its guards and orders.
    assert "Nothing." not in text
    assert "Nothing is bought: why?" in text
    assert "Refused lately" in text
    with closing(Reader(path)) as reader:
        account = reader.account()
    assert account is not None
    assert account.candle + timedelta(hours=1) < datetime.now(UTC)


@pytest.mark.parametrize("port", ["taken", "99999"])
def test_a_port_that_cannot_be_had_is_one_sentence_and_nothing_is_ready(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], port: str
) -> None:
    """'ready http://...' was said first, and the address was another program's."""
    config = {"api_server": {"username": NAME, "password": WORD}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    line = ["panel", "-c", str(tmp_path / "config.json"), "--journal", str(path), "--port"]
    with socket.create_server(("127.0.0.1", 0)) as other:
        wanted = str(other.getsockname()[1]) if port == "taken" else port
        assert main([*line, wanted]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"ballast: --port {wanted} cannot be listened on: ")
    assert told.err.count("\n") == 1
