"""A bot is alive if it decides; one that only answers, or loops without candles, is not."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ballast.ops.liveness import LATE_S, LOOP_S, Signs, faults, signs_of
from ballast.tooling.bot_api import BotApi, BotSilent
from tests.unit.ballast.ops.test_preflight import answering

HOUR_S = 3600.0
HOURLY = {"timeframe": "1h", "timeframe_ms": HOUR_S * 1000}
JOURNAL = "ballast_journal.dryrun.1a2b3c4d.sqlite"
VERSION = f"ballast 1.0 settings abcd1234 journal {JOURNAL}, guards off: none"
NOW = datetime(2024, 5, 1, 12, 0, 30, tzinfo=UTC)
WELL = Signs("running", HOUR_S, loop_age_s=5, decided_age_s=30)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"loop_age_s": LOOP_S}, ""),
        ({"loop_age_s": LOOP_S + 1}, "LOOP_SILENT"),
        ({"loop_age_s": None}, "LOOP_SILENT"),
        ({"decided_age_s": HOUR_S + LATE_S}, ""),
        ({"decided_age_s": HOUR_S + LATE_S + 1}, "DECISIONS_OLD"),
        ({"decided_age_s": None}, "DECISIONS_OLD"),
        ({"journal_age_s": HOUR_S + LATE_S}, ""),
        ({"journal_age_s": HOUR_S + LATE_S + 1}, "JOURNAL_OLD"),
    ],
)
@pytest.mark.parametrize("state", ["running", "paused"])
def test_each_sign_is_judged_at_its_limit(change: dict[str, Any], code: str, state: str) -> None:
    found = faults(replace(WELL, state=state, **change))
    assert [fault.split()[0] for fault in found] == ([code] if code else [])


def test_ages_are_said_as_people_say_them() -> None:
    """'LOOP_SILENT 65444273 s ago, limit 180 s', and 'inf s ago' of a journal without rows."""
    silent = replace(WELL, loop_age_s=65_444_273, decided_age_s=7_300, journal_age_s=math.inf)
    assert faults(silent) == [
        "LOOP_SILENT 757 d ago, limit 3 min",
        "DECISIONS_OLD 2.03 h ago, limit 63 min",
        "JOURNAL_OLD nothing, limit 63 min",
    ]


def test_bot_that_a_person_stopped_is_not_to_be_restarted() -> None:
    assert faults(Signs("stopped", HOUR_S, None, None)) == []


def bot(candles: dict[str, int | None]) -> Any:
    """Answers of a bot whose pairs have their newest candle so many minutes ago."""

    def answer(path: str) -> tuple[int, Any]:
        name = path.partition("/api/v1/")[2].partition("?")[0]
        if name == "pair_candles":
            pair = path.partition("pair=")[2].partition("&")[0].replace("%2F", "/")
            opened = candles[pair]
            return 200, {"data_stop_ts": opened and (NOW.timestamp() - opened * 60) * 1000}
        shown = {"state": "running", "dry_run": True, "strategy_version": VERSION, **HOURLY}
        return 200, {
            "show_config": shown,
            "health": {"last_process_ts": NOW.timestamp() - 7},
            "whitelist": {"whitelist": list(candles)},
        }[name]

    return answer


def test_signs_are_read_from_the_api(tmp_path: Path) -> None:
    """One pair with a fresh candle shows that the bot decides; the others have their own alert."""
    with answering(bot({"OLD/USDT": 600, "NONE/USDT": None, "BTC/USDT": 61})) as url:
        assert signs_of(BotApi(url, "me", "x"), NOW, tmp_path) == Signs("running", HOUR_S, 7, 60)
    with answering(bot({"NONE/USDT": None})) as url:
        assert signs_of(BotApi(url, "me", "x"), NOW, tmp_path).decided_age_s is None


def journal(folder: Path, *candles: datetime) -> None:
    with closing(sqlite3.connect(folder / JOURNAL)) as connection:
        connection.execute("CREATE TABLE decisions (candle DATETIME)")
        rows = [(f"{candle:%Y-%m-%d %H:%M:%S}.000000",) for candle in candles]
        connection.executemany("INSERT INTO decisions VALUES (?)", rows)
        connection.commit()


def test_journal_is_looked_at_where_there_is_one(tmp_path: Path) -> None:
    with answering(bot({"BTC/USDT": 61})) as url:
        api = BotApi(url, "me", "x")
        assert signs_of(api, NOW, tmp_path).journal_age_s is None
        (tmp_path / JOURNAL).write_bytes(b"torn")
        assert signs_of(api, NOW, tmp_path).journal_age_s == math.inf
        (tmp_path / JOURNAL).unlink()
        journal(tmp_path, NOW - timedelta(hours=9), NOW - timedelta(hours=3))
        assert signs_of(api, NOW, tmp_path).journal_age_s == 2 * HOUR_S


def test_silent_bot_is_named_and_its_password_is_not() -> None:
    api = BotApi("http://127.0.0.1:1", "me", "hushhush")
    with pytest.raises(BotSilent, match=r"http://127.0.0.1:1 cannot be reached") as silence:
        api.ask("health")
    assert "hushhush" not in str(silence.value)
    unauthorized = {"detail": "Unauthorized"}
    with (
        answering(lambda path: (401, unauthorized)) as url,
        pytest.raises(BotSilent, match="health: Unauthorized"),
    ):
        BotApi(url, "me", "wrong").ask("health")
    with pytest.raises(BotSilent, match=r"api_server.enabled is not true"):
        BotApi.of({})


def test_api_of_a_container_is_asked_on_loopback() -> None:
    section = {"enabled": True, "listen_ip_address": "0.0.0.0", "listen_port": 8080}  # noqa: S104
    assert BotApi.of({"api_server": section}).url == "http://127.0.0.1:8080"
    assert BotApi.of({"api_server": section}, "http://bot:1/").url == "http://bot:1"
