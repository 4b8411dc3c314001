"""What the operator sees of a bot: Telegram, the REST API that FreqUI uses, and the log.

One real `freqtrade trade` serves all of it: it trades live on the sandbox, just after the bad tick
of one pair, with Telegram's Bot API on loopback and Freqtrade's own REST client.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.beside import running_sandbox
from tests.bot_process import Bot, running_bot
from tests.engine import ROOT
from tests.telegram_api import BotApi, telegram_api

PAIRS = ["BTC/USDT", "ETH/USDT", "DOGE/USDT", "XRP/USDT"]
BAD_TICK = "XRP/USDT"
MARKET = ("--generate", "7", "--days", "110", "--pairs", *PAIRS)
# Two hours after the bad tick.
MOMENT = ("--now", "2024-04-03T14:30", "--shift-to-now")
CHAT, FOREIGNER = 4242424242, 5151515151
# It never buys by itself, so that what is bought is what a test buys.
STRATEGY = """
from ballast import GuardedStrategy, StopRules, above, leads_rising_market


class Quiet(GuardedStrategy):
    timeframe = "1h"
    stops = StopRules(initial_atr=4, chandelier_atr=6, time_stop="10d")

    def entry_rules(self, pair, market):
        breakout = above(pair.close, pair.highest_high("5d") * 2)
        return {**leads_rising_market(pair, market), "breakout": breakout}

    def lines(self, pair, market):
        return {"channel_high": pair.highest_high("5d")}
"""
# Recognisable wherever they might turn up.
SECRETS = {
    "key": "LEAKEDexchangeKEY00001",
    "secret": "LEAKEDexchangeSECRET01",
    "token": "987654321:LEAKEDtelegramTOKEN0000000000000001",
    "password": "LEAKEDapiPASSWORD00001",
    "jwt": "LEAKEDjwtSECRET0000000000000000000001",
    "ws": "LEAKEDwebsocketTOKEN01",
}


@dataclass(frozen=True)
class Scene:
    """A bot with an open trade and a refused entry, and its operator."""

    bot: Bot
    telegram: BotApi

    @property
    def client(self) -> Any:
        return self.bot.client

    def log(self) -> list[dict[str, Any]]:
        lines = (self.bot.folder / "user_data" / "logs" / "ballast.jsonl").read_text("utf-8")
        return [json.loads(line) for line in lines.splitlines()]


def stop_of(trade: dict[str, Any]) -> float:
    """Level of the stop order that rests on the exchange; 0 where none does."""
    resting = [order for order in trade["orders"] if order["ft_order_side"] == "stoploss"]
    return float(resting[-1]["safe_price"]) if resting else 0.0


def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture(scope="module")
def scene(any_hour: datetime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("operator")
    (folder / "user_data").mkdir()
    strategies = folder / "strategies"
    shutil.copytree(ROOT / "strategies", strategies, ignore=shutil.ignore_patterns("__pycache__"))
    (strategies / "Quiet.py").write_text(STRATEGY, encoding="utf-8")
    settings = {
        "strategy": "Quiet",
        "strategy_path": str(strategies),
        "user_data_dir": str(folder / "user_data"),
        "db_url": f"sqlite:///{folder}/trades.sqlite",
        "force_entry_enable": True,
        "exchange": {
            "pair_whitelist": PAIRS,
            "key": SECRETS["key"],
            "secret": SECRETS["secret"],
        },
        "ballast": {
            "market": {"basket": PAIRS},
            "guards": {"off": ["StopCascadeHalt"]},
            # Entries are asked for at any minute of the hour.
            "gate": {"signal_age_s": 3600, "move_atr": 10},
        },
        "telegram": {"enabled": True, "token": SECRETS["token"], "chat_id": str(CHAT)},
        # An address that is asked for stands in the log, and FreqUI's holds the token.
        "api_server": {
            "jwt_secret_key": SECRETS["jwt"],
            "ws_token": SECRETS["ws"],
            "verbosity": "info",
        },
        "internals": {"process_throttle_secs": 1},
    }
    account = ("--live", "--key", SECRETS["key"], "--secret", SECRETS["secret"])
    with (
        running_sandbox(folder, *MARKET, *MOMENT, *account) as sandbox,
        telegram_api(SECRETS["token"], CHAT) as telegram,
        running_bot(
            folder,
            (ROOT / "config.json", sandbox.overlay),
            SECRETS["password"],
            telegram.url,
            **settings,
        ) as bot,
    ):
        bot.wait_for("guards under /show_config")
        bot.wait_for("blocked by VolatilityCooldown")
        assert bot.client.forceenter("ETH/USDT", "long")["pair"] == "ETH/USDT"
        bot.client.forceenter(BAD_TICK, "long")
        until(lambda: stop_of(bot.client.status()[0]) > 0, 30)
        telegram.wait_for("Entries refused since")
        yield Scene(bot, telegram)


def test_status_and_profit(scene: Scene) -> None:
    assert "Current Pair: ETH/USDT" in scene.telegram.ask("/status", "Trade ID: 1")
    assert "Total Trade Count: 1" in scene.telegram.ask("/profit", "ROI")


def test_locks_are_shown_with_code_and_numbers(scene: Scene) -> None:
    locks = scene.telegram.ask("/locks", "Until")
    assert re.search(r"XRP/USDT .* VOLATILITY began at \d\S*x \(limit 1x\), until ", locks)


def test_show_config_is_followed_by_the_guards_that_are_on_and_off(scene: Scene) -> None:
    config = scene.telegram.ask("/show_config", "Mode: Live")
    assert "Strategy: Quiet" in config
    guards = scene.telegram.ask("/show_config", "DrawdownLadder: on")
    assert "EdgeDecay: waits for a baseline of this strategy" in guards
    assert "StopCascadeHalt: OFF" in guards
    assert "guards off: StopCascadeHalt" in scene.telegram.ask("/version", "Strategy version")


def test_a_trade_shows_what_was_stored_with_it(scene: Scene) -> None:
    stored = scene.telegram.ask("/list_custom_data 1", "Key: explanation")
    assert re.search(r"Type: str\nValue: .*stake \d+.*stop \d+", stored)
    assert scene.telegram.ask("/list_custom_data 1 initial_stop", r"Value: \d")


@pytest.mark.parametrize("asked", ["BTC/USDT", "btc", "btc/usdt"])
def test_why_answers_about_a_pair(asked: str, scene: Scene) -> None:
    answer = scene.telegram.ask(f"/why {asked}", "^BTC/USDT, candle of ")
    assert re.search(r"\n- breakout \d+.* > \d+", answer)


def test_why_of_nothing_and_of_nonsense_is_answered_in_a_sentence(scene: Scene) -> None:
    assert scene.telegram.ask("/why", "^Which pair") == "Which pair? Such as: /why BTC/USDT"
    assert scene.telegram.ask("/why <b>`_*", "is not traded")


def test_ballast_tells_where_the_bot_stands(scene: Scene) -> None:
    answer = scene.telegram.ask("/ballast", "^Quiet 1h  ")
    assert re.search(r"\nheat +[\d.]+ % of 2 % +[#-]{8}\n", answer)
    assert re.search(r"\nBTC/USDT: breakout .* rules unmet", answer.replace("  BTC", "BTC"))
    assert max(map(len, answer.splitlines()[2:8])) < 48


def test_a_foreign_chat_gets_no_answer(scene: Scene) -> None:
    before = len(scene.telegram.sent)
    for command in ("/status", "/why BTC/USDT", "/ballast", "/show_config", "/stopentry"):
        scene.telegram.type(command, chat=FOREIGNER)
    # Both Freqtrade's own answer to /show_config and ours are refused.
    rejected = f"Rejected unauthorized message from: {FOREIGNER}"
    until(lambda: scene.bot.written().count(rejected) == 6)
    told = "\n".join(scene.telegram.sent[before:])
    assert not re.search("Trade ID|candle of|Mode:|guards off", told)
    assert scene.client.show_config()["state"] == "running"


def test_entries_are_stopped_and_started_from_the_chat(scene: Scene) -> None:
    scene.telegram.type("/stopentry")
    scene.bot.wait_for("state='PAUSED'", 10)
    assert scene.client.show_config()["state"] == "paused"
    scene.telegram.type("/start")
    until(lambda: scene.client.show_config()["state"] == "running")


def test_the_operator_was_told_without_asking(scene: Scene) -> None:
    """A block that begins, market data that is not trusted, an entry that was refused."""
    told = "\n".join(scene.telegram.sent)
    assert re.search(
        r"triggered due to VolatilityCooldown: VOLATILITY began at \S+x \(limit 1x\)", told
    )
    assert "Market data not trusted, no entries there\nAFTER_ABSURD_BAR: XRP/USDT" in told
    assert re.search(r"CANDLE_UNTRUSTED \(1 pair\)\n  XRP/USDT AFTER_ABSURD_BAR", told)


def test_locks_over_rest(scene: Scene) -> None:
    found = scene.client.locks()["locks"]
    assert {lock["pair"] for lock in found} == {BAD_TICK}
    assert any(lock["reason"].startswith("VOLATILITY began at ") for lock in found)


def test_status_and_stored_data_over_rest(scene: Scene) -> None:
    (trade,) = scene.client.status()
    assert trade["pair"] == "ETH/USDT"
    (stored,) = scene.client.list_custom_data(trade["trade_id"])
    values = {entry["key"]: entry["value"] for entry in stored["custom_data"]}
    stop, rest = values["initial_stop"].split(" ", 1)
    assert 0 < float(stop) < trade["open_rate"]
    assert re.fullmatch(r"USDT, \d+\.\d\d % below the entry at [\d.]+", rest)
    assert "at risk" in values["explanation"]


def test_show_config_over_rest_names_the_guards_that_are_off(scene: Scene) -> None:
    assert "guards off: StopCascadeHalt" in scene.client.show_config()["strategy_version"]


def test_the_chart_over_rest_has_our_columns_and_says_what_to_draw(scene: Scene) -> None:
    plot = scene.client.plot_config()
    drawn = [*plot["main_plot"], *(name for part in plot["subplots"].values() for name in part)]
    lanes = {"size_pct", "heat_pct", "drawdown_pct", "shock", "unmet_Quiet"}
    assert {"first_stop", "channel_high", *lanes} <= set(drawn)
    candles = scene.client.pair_candles("ETH/USDT", "1h", 50)
    assert set(drawn) <= set(candles["columns"])
    stops = [row[candles["columns"].index("first_stop")] for row in candles["data"]]
    closes = [row[candles["columns"].index("close")] for row in candles["data"]]
    assert all(0 < stop < close for stop, close in zip(stops, closes, strict=True))


def test_the_chart_over_rest_marks_regimes_stops_cooldowns_and_bad_data(scene: Scene) -> None:
    def marks(pair: str, kind: str) -> list[dict[str, Any]]:
        found = scene.client.pair_candles(pair, "1h", 50)["annotations"]
        return [annotation for annotation in found if annotation["type"] == kind]

    lines, (trade,) = marks("ETH/USDT", "line"), scene.client.status()
    assert lines[0]["y_start"] == pytest.approx(trade["stop_loss_abs"], rel=0.001)
    labels = " ".join(area.get("label", "") for area in marks(BAD_TICK, "area"))
    assert re.search(r"VOLATILITY [\d.]+x", labels)
    assert "absurd bar" in labels
    assert "DATA_OUTAGE began at AFTER_ABSURD_BAR" in labels


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system does not tell")
def test_an_open_chart_and_a_curious_operator_take_no_connection_away(scene: Scene) -> None:
    """Each chart once left one behind, until the bot's own loop had none and died."""
    for number in range(60):
        assert scene.client.pair_candles("ETH/USDT", "1h", 300)["length"]
        if number % 10 == 0:
            scene.telegram.ask("/why ETH", "^ETH/USDT, candle of ")
    # As many as a pool keeps, and what is being answered.
    assert connections(scene.bot) <= 8
    began = scene.client.health()["last_process_ts"]
    until(lambda: scene.client.health()["last_process_ts"] > began)


def connections(bot: Bot) -> int:
    """Connections that a bot's process has to its database now."""
    database, files = str(bot.folder / "trades.sqlite"), Path(f"/proc/{bot.pid}/fd").iterdir()
    return sum(os.readlink(file) == database for file in files)


def test_the_log_has_what_happened_as_fields(scene: Scene) -> None:
    events = [line["event"] for line in scene.log() if "event" in line]
    refused = [event for event in events if event["kind"] == "refused"]
    assert refused[0]["pair"] == BAD_TICK
    assert refused[0]["code"] == "CANDLE_UNTRUSTED"
    kinds = {event["kind"] for event in events}
    assert {"refused", "data", "sized", "order", "guard"} <= kinds


def test_answers_of_the_exchange_are_in_the_log_and_not_on_the_console(scene: Scene) -> None:
    answers = [line["message"] for line in scene.log() if line["message"].startswith("API ")]
    asked = {answer.split(":")[0] for answer in answers}
    assert {"API create_order", "API create_stoploss_order", "API fetch_balance"} <= asked
    assert "API create_order" not in scene.bot.written()


def test_no_secret_is_in_any_output(scene: Scene) -> None:
    """Console, log file, database, `/logs`, REST and every message."""
    for name in ("token", "signature"):
        scene.client._session.get(f"{scene.client._serverurl}/api/v1/ping?{name}={SECRETS['ws']}")
    scene.bot.wait_for("/api/v1/ping?token=***", 10)
    scene.telegram.ask("/logs", "uvicorn")
    outputs = {
        "console": scene.bot.written(),
        "messages": "\n".join(scene.telegram.sent),
        "logs over REST": json.dumps(scene.client.logs()),
        "config over REST": json.dumps(scene.client.show_config()),
    }
    for path in scene.bot.folder.rglob("*"):
        if path.is_file() and path.name not in ("bot.json", "sandbox-overlay.json"):
            outputs[str(path)] = path.read_bytes().decode("utf-8", "replace")
    assert any(name.endswith("ballast.jsonl") for name in outputs)
    assert any(name.endswith("trades.sqlite") for name in outputs)
    assert any("ballast_journal" in name for name in outputs)
    assert [name for name, text in outputs.items() if "LEAKED" in text] == []


def test_every_message_reached_the_operator(scene: Scene) -> None:
    """Telegram refuses a message whose Markdown does not close, and Freqtrade gives it up."""
    assert scene.telegram.refused == []
