"""Metrics: what is exported is true, what is not known is not exported, alerts and pages use it."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("prometheus_client", reason="metrics are an extra")

from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import create_engine

from ballast.__main__ import main
from ballast.config.guards import GuardSettings
from ballast.config.settings import JournalSettings, Settings
from ballast.core.reasons import Reason
from ballast.journal.reader import Reader
from ballast.journal.store import Journal
from ballast.journal.views import status_of
from ballast.ops.metrics import standing
from ballast.ops.metrics.account import uncovered
from ballast.ops.metrics.families import COUNTERS, GAUGES, PREFIX
from ballast.ops.metrics.journal import JournalCounts
from ballast.ops.metrics.new_series import NewSeries
from ballast.ops.metrics.sidecar import Sidecar
from ballast.risk.state_store import StateStore
from ballast.tooling.bot_api import BotApi
from tests.unit.ballast.commands.test_journal import NO_SIGNAL, VERSION
from tests.unit.ballast.ops.test_panel import ACCOUNT
from tests.unit.ballast.ops.test_preflight import answering

PROMTOOL = shutil.which("promtool")
DEPLOY = Path(__file__).parents[4] / "deploy"
NOW = datetime(2024, 5, 1, 12, 0, 30, tzinfo=UTC)
WATCHED = GuardSettings.model_validate({"EdgeDecay": {"mean_r": 0.3, "sd_r": 1.5, "trades": 400}})
STOP = {"ft_order_side": "stoploss", "is_open": True}
TRADE = {
    "amount": 2.0,
    "current_rate": 100.0,
    "stop_loss_abs": 95.0,
    "orders": [],
    "open_rate": 101.0,
    "stake_amount": 202.0,
    "realized_profit": 14.5,
    "fee_open": 0.004,
    "open_rate_requested": 100.0,
}
FAILED = 'fetch_ticker() returned exception: "Could not load due to NetworkError. Message: x".'


class Answers:
    """A bot's API; what it tells can be changed."""

    def __init__(self) -> None:
        now = datetime.now(UTC).timestamp()
        self.logs = [["", now, "freqtrade.exchange.common", "WARNING", FAILED]]
        shown = {"state": "running", "timeframe": "1h", "timeframe_ms": 3_600_000}
        lock = {"pair": "*", "reason": "DAILY_LOSS value=-3 limit=-3"}
        by_hand = {"pair": "BTC/USDT", "reason": "by hand"}
        self.bodies: dict[str, Any] = {
            "show_config": {**shown, "dry_run": True, "bot_name": "b"},
            "health": {"last_process_ts": now - 7},
            "whitelist": {"whitelist": ["BTC/USDT"]},
            "pair_candles": {"data_stop_ts": (now - 3_700) * 1000},
            "status": [TRADE],
            "locks": {"locks": [lock, by_hand]},
            "profit": {
                "profit_closed_coin": -12.5,
                "profit_factor": None,
                "winning_trades": 1,
                "losing_trades": 3,
            },
            "trades": {"trades": [{**TRADE, "close_rate": 99.0, "close_rate_requested": 100.0}]},
        }

    def __call__(self, path: str) -> tuple[int, Any]:
        name = path.partition("/api/v1/")[2].partition("?")[0]
        return 200, {"logs": self.logs} if name == "logs" else self.bodies[name]


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Of a bot whose guards remember, `EdgeDecay` among them."""
    url = f"sqlite:///{tmp_path / 'bot.sqlite'}"
    engine = create_engine(url)
    StateStore(engine).save(WATCHED.build(60), NOW, {})
    engine.dispose()
    return url


def scraped(sidecar: Sidecar) -> dict[str, float]:
    """Samples by name and labels, as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(sidecar)
    lines = generate_latest(registry).decode().splitlines()
    samples = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    told = {name.removeprefix(PREFIX): float(value) for name, _, value in samples}
    # Of a name and labels that come twice Prometheus takes one, whichever comes first.
    assert len(told) == len(samples)
    return told


@pytest.mark.usefixtures("any_hour")
def test_what_the_api_tells_is_exported(database: str, tmp_path: Path) -> None:
    with answering(Answers()) as url:
        sidecar = Sidecar(BotApi(url, "me", "x"), Settings(guards=WATCHED), database, tmp_path)
        told = scraped(sidecar)
    assert told["up"] == 1
    assert told["open_positions"] == 1
    assert told["uncovered_positions"] == 0
    assert told["decay_ratio"] == 0
    assert told['locks{code="DAILY_LOSS",pair="*"}'] == 1
    assert told['locks{code="OTHER",pair="BTC/USDT"}'] == 1
    age_s = told['candle_age_seconds{pair="BTC/USDT",timeframe="1h"}']
    assert age_s == pytest.approx(100, abs=5)
    assert told['slippage_bps{side="entry"}'] == pytest.approx(100)
    assert told['slippage_bps{side="exit"}'] == pytest.approx(100)
    assert told['trades_closed_total{result="losing"}'] == 3
    # Of an account that no journal tells of nothing is known.
    unknown = ("profit_factor", "journal", "equity", "heat", "drawdown", "guard_multiplier")
    assert not any(name.startswith(unknown) for name in told)


@pytest.mark.usefixtures("any_hour")
def test_the_account_is_that_of_status_and_panel(database: str, tmp_path: Path) -> None:
    answers = Answers()
    answers.bodies["show_config"] |= {
        "strategy": VERSION.strategy,
        "strategy_version": "ballast 0.2.0 settings abcd1234 journal ballast_journal.sqlite",
    }
    kept = Journal(tmp_path / "ballast_journal.sqlite", JournalSettings())
    kept.write(VERSION, [replace(NO_SIGNAL, candle=ACCOUNT.candle)], [], [ACCOUNT])
    kept.file.engine.dispose()
    with answering(answers) as url:
        told = scraped(Sidecar(BotApi(url, "me", "x"), Settings(), database, tmp_path))
    with closing(Reader(kept.file.path)) as reader:
        (seen,) = [status_of(reader, None).account]
    assert seen is not None
    assert told["equity"] == seen.equity
    assert told["size_multiplier"] == seen.multiplier
    gauges = {code: gauge.value / 100 for code, gauge in seen.gauges.items()}
    assert told["heat_ratio"] == gauges["PORTFOLIO_HEAT"]
    assert told["heat_limit_ratio"] == 0.02
    assert told["exposure_ratio"] == gauges["EXPOSURE_CAP"]
    # A guard that says nothing allows; one that is off is not named.
    guards = {name: value for name, value in told.items() if name.startswith("guard_")}
    assert guards == {
        'guard_multiplier{guard="DailyLossLimit"}': 0,
        'guard_multiplier{guard="DrawdownLadder"}': 1,
    }
    (held,) = seen.positions
    assert told['position_risk_ratio{pair="SOL/USDT"}'] == held.risk / seen.equity
    assert told['position_stop_ratio{pair="SOL/USDT"}'] == 1 - held.stop / held.close
    assert told['position_r{pair="SOL/USDT"}'] == held.r
    # No drawdown guard has told one.
    assert "drawdown_ratio" not in told


def test_the_account_is_held_against_holding_since_the_journal_began(tmp_path: Path) -> None:
    """The leader doubled, ETH fell by half; LTC came later, and what came later was not held."""
    later, gone = (ACCOUNT.candle + timedelta(hours=hours) for hours in (5, 6))
    closes = {
        ACCOUNT.candle: {"BTC/USDT": 100.0, "ETH/USDT": 10.0, "DOGE/USDT": 1.0},
        later: {"BTC/USDT": 200.0, "ETH/USDT": 5.0, "DOGE/USDT": 9.0, "LTC/USDT": 7.0},
    }
    rows = [
        replace(NO_SIGNAL, candle=candle, pair=pair, close=close)
        for candle, pairs in closes.items()
        for pair, close in pairs.items()
    ]
    accounts = [ACCOUNT, replace(ACCOUNT, candle=later, equity=3 * ACCOUNT.equity)]
    kept = Journal(tmp_path / "journal.sqlite", JournalSettings())
    kept.write(VERSION, rows, [], accounts)

    def held(leader: str, basket: list[str] | None) -> dict[str, float]:
        told = standing.samples(kept.file.path, VERSION.strategy, leader, basket)
        return {labels["of"]: value for name, labels, value in told if name == "holding_equity"}

    start = ACCOUNT.equity
    basket = ["BTC/USDT", "ETH/USDT", "LTC/USDT"]
    assert held("BTC/USDT", basket) == {"leader": 2 * start, "basket": 1.25 * start}
    # A leader that is not traded has no row, and its line is missing.
    assert held("SOL/USDT", None) == {"basket": pytest.approx((2 + 0.5 + 9) / 3 * start)}
    # Once ETH is delisted, nobody knows: without it the basket would have doubled.
    left = [replace(row, candle=gone) for row in rows[3:] if row.pair != "ETH/USDT"]
    kept.write(VERSION, left, [], [])
    kept.file.engine.dispose()
    assert held("BTC/USDT", basket) == {"leader": 2 * start}


@pytest.mark.usefixtures("any_hour")
def test_failed_requests_are_counted_once(database: str, tmp_path: Path) -> None:
    answers = Answers()
    failed = 'api_errors_total{call="fetch_ticker",kind="NetworkError"}'
    with answering(answers) as url:
        sidecar = Sidecar(BotApi(url, "me", "x"), Settings(), database, tmp_path)
        assert [scraped(sidecar)[failed], scraped(sidecar)[failed]] == [1, 1]
        _, written, *rest = answers.logs[-1]
        answers.logs.append(["", float(str(written)) + 1, *rest])
        assert scraped(sidecar)[failed] == 2


def test_silent_bot_is_told_and_nothing_else_of_it(database: str, tmp_path: Path) -> None:
    api = BotApi("http://127.0.0.1:1", "me", "x")
    told = scraped(Sidecar(api, Settings(), database, tmp_path))
    assert told.pop("up") == 0
    assert set(told) == {"disk_free_bytes"}


def test_answer_that_cannot_be_read_is_a_silent_bot(database: str, tmp_path: Path) -> None:
    answers = Answers()
    answers.bodies["profit"] = {"unexpected": True}
    with answering(answers) as url:
        sidecar = Sidecar(BotApi(url, "me", "x"), Settings(), database, tmp_path)
        assert scraped(sidecar)["up"] == 0


@pytest.mark.parametrize(
    ("change", "live", "expected"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"orders": [STOP]}, True, False),
        ({"orders": [{**STOP, "is_open": False}]}, True, True),
        ({"stop_loss_abs": None}, False, True),
    ],
)
def test_position_is_covered_by_a_stop_that_rests(
    change: Mapping[str, Any], live: bool, expected: bool
) -> None:
    assert uncovered({**TRADE, **change}, live=live) is expected


def journal(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE decisions (id INTEGER PRIMARY KEY, candle, outcome, code)")
        file.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, kind, code, facts)")
        file.commit()


def add(path: Path, hours_ago: int, *decisions: tuple[str, str]) -> None:
    candle = f"{NOW - timedelta(hours=hours_ago):%Y-%m-%d %H:%M:%S}.000000"
    with closing(sqlite3.connect(path)) as file:
        rows = [(candle, outcome, code) for outcome, code in decisions]
        file.executemany("INSERT INTO decisions (candle, outcome, code) VALUES (?, ?, ?)", rows)
        facts = json.dumps({"sent": 1.5})
        file.execute("INSERT INTO events VALUES (NULL, 'latency', 'ENTRY', ?)", (facts,))
        file.commit()


def test_journal_is_counted_as_it_grows_and_the_running_candle_waits(tmp_path: Path) -> None:
    path, counts = tmp_path / "journal.sqlite", JournalCounts()
    assert list(counts.read(path, NOW, 3600)) == []
    journal(path)
    add(path, 3, ("REFUSED", "DAILY_LOSS"), ("NO_SIGNAL", "market_up"))
    add(path, 2, ("REFUSED", "DAILY_LOSS"))

    def read() -> dict[str, float]:
        rows = list(counts.read(path, NOW, 3600))
        return {
            name: value
            for name, labels, value in rows
            if name in ("refusals", "journal_lag_seconds")
        }

    assert read() == {"journal_lag_seconds": 3600, "refusals": 1}
    assert read()["refusals"] == 1
    add(path, 1, ("NO_SIGNAL", "market_up"))
    assert read() == {"journal_lag_seconds": 0, "refusals": 2}
    assert counts.latencies == {"sent": [1.5, 1.5, 1.5]}


def test_a_pair_that_is_decided_late_is_counted_and_so_is_the_one_before_it(tmp_path: Path) -> None:
    path, counts = tmp_path / "journal.sqlite", JournalCounts()
    journal(path)
    add(path, 3, ("REFUSED", "DAILY_LOSS"))
    add(path, 2, ("REFUSED", "SIZE_TOO_SMALL"))
    add(path, 3, ("REFUSED", "DAILY_LOSS"))
    list(counts.read(path, NOW, 3600))
    add(path, 1, ("NO_SIGNAL", "market_up"))
    list(counts.read(path, NOW, 3600))
    told = {
        labels["code"]: value
        for name, labels, value in counts.read(path, NOW + timedelta(minutes=2), 3600)
        if name == "refusals"
    }
    assert told == {"DAILY_LOSS": 2, "SIZE_TOO_SMALL": 1}


def test_a_long_journal_is_counted_whole_when_it_is_first_read(tmp_path: Path) -> None:
    # Counted in parts it would grow from one scrape to the next, as if all that happened just now.
    path, counts = tmp_path / "journal.sqlite", JournalCounts()
    journal(path)
    add(path, 2, *[("REFUSED", "DAILY_LOSS")] * 100_001)
    add(path, 1, ("NO_SIGNAL", "market_up"))
    rows = {name: value for name, _, value in counts.read(path, NOW, 3600)}
    assert rows["refusals"] == 100_001


@pytest.mark.parametrize(("ran", "is_told"), [("Own", True), ("Another", False)])
def test_decay_is_told_under_the_strategy_of_the_baseline_alone(
    database: str, tmp_path: Path, ran: str, is_told: bool
) -> None:
    """What a guard remembers of a strategy that the bot no longer runs says nothing of this one."""
    watched = WATCHED.EdgeDecay.model_copy(update={"strategy": "Own"})
    settings = Settings(guards=WATCHED.model_copy(update={"EdgeDecay": watched}))
    answers = Answers()
    answers.bodies["show_config"]["strategy"] = ran
    with answering(answers) as url:
        told = scraped(Sidecar(BotApi(url, "me", "x"), settings, database, tmp_path))
    assert ("decay_ratio" in told) is is_told


def test_the_first_of_a_code_is_seen_as_an_increase(tmp_path: Path) -> None:
    """A series that begins at 1 has not increased: the first refusal of a kind was in no panel."""
    path, counts = tmp_path / "journal.sqlite", JournalCounts()
    journal(path)
    add(path, 4, ("REFUSED", "DAILY_LOSS"))
    add(path, 3, ("NO_SIGNAL", "market_up"))

    def refusals(second: int) -> dict[str, float]:
        now = NOW + timedelta(seconds=second)
        rows = counts.read(path, now, 3600)
        return {labels["code"]: value for name, labels, value in rows if name == "refusals"}

    # What was there before is none that happened just now.
    assert refusals(0) == {"DAILY_LOSS": 1}
    add(path, 2, ("REFUSED", "DAILY_LOSS"), ("REFUSED", "KILL_FILE"))
    add(path, 1, ("NO_SIGNAL", "market_up"))
    assert refusals(60) == refusals(100) == {"DAILY_LOSS": 2, "KILL_FILE": 0}
    assert refusals(180) == {"DAILY_LOSS": 2, "KILL_FILE": 1}


def test_so_is_the_first_failed_request_of_a_kind() -> None:
    new = NewSeries()
    first, other = {"call": "a", "kind": "x"}, {"call": "b", "kind": "x"}
    assert list(new.told([("api_errors", first, 3)], NOW)) == [("api_errors", first, 3)]
    both = [("api_errors", first, 3), ("api_errors", other, 1), ("equity", {}, 5.0)]
    held, later = (list(new.told(both, NOW + timedelta(minutes=m))) for m in (1, 3))
    assert [value for *_, value in held] == [3, 0, 5.0]
    assert later == both


def test_that_nothing_has_failed_inside_is_told_before_anything_does(tmp_path: Path) -> None:
    # A series that begins with the first failure never increases by it.
    path, counts = tmp_path / "journal.sqlite", JournalCounts()
    journal(path)

    def incidents() -> float:
        return {name: value for name, _, value in counts.read(path, NOW, 3600)}["incidents"]

    assert incidents() == 0
    with closing(sqlite3.connect(path)) as file:
        file.execute("INSERT INTO events VALUES (NULL, 'incident', 'KeyError', '{}')")
        file.commit()
    assert incidents() == 1


def expressions() -> list[str]:
    """Every query of the dashboard."""
    dashboard = json.loads((DEPLOY / "grafana" / "ballast.json").read_text(encoding="utf-8"))
    marks = [mark["expr"] for mark in dashboard["annotations"]["list"]]
    panels = [t["expr"] for panel in dashboard["panels"] for t in panel.get("targets", [])]
    return [*panels, *marks]


def rules() -> dict[str, Any]:
    groups = yaml.safe_load((DEPLOY / "rules.yml").read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def test_alerts_and_dashboard_ask_only_for_metrics_that_there_are() -> None:
    known = {PREFIX + name for name in GAUGES} | {f"{PREFIX}{name}_total" for name in COUNTERS}
    known.add(f"{PREFIX}latency_seconds_bucket")
    asked = "\n".join([*expressions(), *(rule["expr"] for rule in rules().values())])
    assert set(re.findall(r"ballast_\w+", asked)) <= known


def test_every_alert_says_what_to_do_and_is_drilled() -> None:
    drilled = yaml.safe_load((DEPLOY / "rules_test.yml").read_text(encoding="utf-8"))["tests"]
    advised = {
        (test["alertname"], alert["exp_annotations"]["runbook"])
        for series in drilled
        for test in series["alert_rule_test"]
        for alert in test.get("exp_alerts", ())
    }
    # What promtool would find, where there is none.
    assert advised == {(name, rule["annotations"]["runbook"]) for name, rule in rules().items()}
    for name, rule in rules().items():
        assert rule["annotations"]["runbook"].endswith(f"docs/runbook.md#{name.lower()}")


def test_dashboard_fits_one_screen_without_overlaps() -> None:
    dashboard = json.loads((DEPLOY / "grafana" / "ballast.json").read_text(encoding="utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + right, place["y"] + down)
            for right in range(place["w"])
            for down in range(place["h"])
        }
        assert not taken & cells, panel["title"]
        taken |= cells
    assert max(x for x, _ in taken) < 24
    # 30 pixels a row: 24 of them are 1080 pixels with Grafana's own head.
    assert max(y for _, y in taken) < 24
    assert [p["title"] for p in dashboard["panels"] if p["type"] == "row"] == [
        "Is it alive?",
        "Is it safe?",
        "Is it earning what it should?",
    ]


def test_every_panel_says_what_it_shows_in_a_sentence_with_a_unit_and_of_the_chosen_bot() -> None:
    dashboard = json.loads((DEPLOY / "grafana" / "ballast.json").read_text(encoding="utf-8"))
    assert [variable["name"] for variable in dashboard["templating"]["list"]] == ["bot"]
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            continue
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        for target in panel["targets"]:
            asked = re.findall(r"ballast_\w+(.{11}|)", target["expr"])
            assert all(found == '{instance="' for found in asked), target["expr"]


def test_the_dashboard_marks_entries_and_exits_names_alerts_and_shows_each_position() -> None:
    dashboard = json.loads((DEPLOY / "grafana" / "ballast.json").read_text(encoding="utf-8"))
    marks = {mark["name"]: mark["expr"] for mark in dashboard["annotations"]["list"]}
    assert marks.keys() == {"Alerts", "Entries", "Exits"}
    assert (Reason.ENTRY_FILLED in marks["Entries"], Reason.EXIT_FILLED in marks["Exits"]) == (
        True,
        True,
    )
    panels = {panel["title"]: panel for panel in dashboard["panels"]}
    alerts = panels["Alerts that fire"]
    assert alerts["options"]["textMode"] == "name"
    # Prometheus shows of each alert its line of the runbook, and listens where it is looked for.
    (link,) = alerts["fieldConfig"]["defaults"]["links"]
    compose = yaml.safe_load((DEPLOY.parent / "docker-compose.yml").read_text(encoding="utf-8"))
    (port,) = compose["services"]["prometheus"]["ports"]
    assert link["url"].startswith(f"http://{port.rpartition(':')[0]}/alerts")
    mark = next(each for each in dashboard["annotations"]["list"] if each["name"] == "Alerts")
    assert mark["textFormat"] == "docs/runbook.md#{{alertname}}"
    holding = [target["expr"] for target in panels["Equity, and holding instead"]["targets"]]
    assert holding == [
        f'ballast_{name}{{instance="$bot"}}' for name in ("equity", "holding_equity")
    ]
    asked = [target["expr"] for target in panels["Stop and risk by position"]["targets"]]
    assert [re.match(r"\w+", expr)[0] for expr in asked] == [  # type: ignore[index]
        "ballast_position_stop_ratio",
        "ballast_position_risk_ratio",
        "ballast_position_r",
    ]


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool here")
def test_prometheus_reads_rules_queries_and_configuration(tmp_path: Path) -> None:
    for name in ("rules.yml", "rules_test.yml", "prometheus.yml"):
        shutil.copy(DEPLOY / name, tmp_path)
    recorded = [{"record": f"r{n}", "expr": expr} for n, expr in enumerate(expressions())]
    queries = {"groups": [{"name": "dashboard", "rules": recorded}]}
    (tmp_path / "queries.yml").write_text(yaml.safe_dump(queries), encoding="utf-8")
    for command in (
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "queries.yml"],
        ["test", "rules", "rules_test.yml"],
    ):
        ended = subprocess.run(
            [str(PROMTOOL), *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


def test_command_refuses_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    assert main(["metrics"]) == 2
    assert "api_server.enabled is not true" in capsys.readouterr().err
