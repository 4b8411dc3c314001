"""`why` and `review`: a trader reads what was decided, by what, and how far it was from the other
answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType

from ballast.__main__ import main
from ballast.commands.recompute import load_config, of_stored_pairs
from ballast.config.settings import JournalSettings
from ballast.core.decision import Decision, Outcome, Reading
from ballast.core.events import Event, EventKind
from ballast.core.verdict import Verdict
from ballast.journal.store import Journal, Version
from tests.engine import ROOT

START = datetime(2024, 3, 1, tzinfo=UTC)
SETUPS = {"Trend": ("up", "breakout"), "Dip": ("dipped",)}
GUARDS = ("DailyLossLimit", "DrawdownLadder")
VERSION = Version("abcd1234", "Trend", "1h", "0.1.0", GUARDS, SETUPS, {})
RULES = {
    "up": Reading(5.0, ">", 1.0, True),
    "breakout": Reading(101.2, ">", 104.9, False),
    "dipped": Reading(1.0, "<", 0.5, False),
}
SIGNAL = {**RULES, "breakout": Reading(106.0, ">", 104.9, True)}
SIZING = {
    "stake": 500.0,
    "binding": "RISK_AT_STOP",
    "caps": {"RISK_AT_STOP": 1000.0, "POSITION_CAP": 2000.0},
    "loss_ratio": 0.1,
    "multiplier": 0.5,
}
NO_SIGNAL = Decision(
    "ETH/USDT",
    START,
    Outcome.NO_SIGNAL,
    "breakout",
    101.2,
    104.9,
    close=101.2,
    atr=2.0,
    setup="Trend",
    rules=RULES,
    setups=SETUPS,
)


def later(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def written() -> tuple[list[Decision], list[Event]]:
    """A pair that is refused, entered, held and left at a loss; and what happened besides."""
    row = replace(NO_SIGNAL, rules=SIGNAL, close=106.0)
    halt = Verdict("DAILY_LOSS", 0.62, 3.0, 0.0, later(24), began=3.2)
    half = Verdict("DRAWDOWN", 4.0, 3.0, 0.5)
    entered = replace(
        row, outcome=Outcome.ENTERED, code="RISK_AT_STOP", value=500.0, limit=1000.0, trade_id=4
    )
    held = replace(row, outcome=Outcome.HOLDING, code="STOP", stop=98.0, trade_id=4)
    rows = [
        NO_SIGNAL,
        replace(
            row,
            candle=later(1),
            outcome=Outcome.REFUSED,
            code="DAILY_LOSS",
            value=0.62,
            limit=3.0,
            guards={"DailyLossLimit": halt},
        ),
        replace(
            entered, candle=later(2), sizing=SIZING, stop=97.0, guards={"DrawdownLadder": half}
        ),
        replace(held, candle=later(3), stop_code="CHANDELIER"),
        replace(held, candle=later(4), outcome=Outcome.LEFT, code="stop_loss", value=-7.5),
    ]
    order = {"side": "buy", "type": "limit", "status": "closed", "filled": 5.0, "cost": 531.0}
    sold = {**order, "side": "sell", "type": "market"}
    sized = {**SIZING, "stop": 97.0}
    pair = "ETH/USDT"
    events = [
        Event(later(2), EventKind.GUARD, "DAILY_LOSS", "*", None, 3.2, 3.0, {"state": "begins"}),
        Event(later(3), EventKind.SIZED, "RISK_AT_STOP", pair, None, 500.0, 1000.0, sized),
        Event(later(3.01), EventKind.ORDER, "ENTRY_FILLED", pair, 4, 106.2, 106.0, order),
        Event(later(4), EventKind.STOP, "CHANDELIER", pair, 4, 98.0, 97.0),
        Event(later(5), EventKind.ORDER, "EXIT_FILLED", pair, 4, 97.9, 98.0, sold),
        Event(
            later(5),
            EventKind.EXIT,
            "stop_loss",
            pair,
            4,
            -7.5,
            0.0,
            {"rate": 98.6, "open_rate": 106.2},
        ),
        Event(
            later(5), EventKind.INCIDENT, "KeyError", facts={"where": "custom_exit", "text": "oops"}
        ),
        *(Event(later(n), EventKind.LATENCY, "ANALYSIS", value=0.5) for n in range(6)),
        Event(later(6), EventKind.LATENCY, "ANALYSIS", value=9.0),
    ]
    return rows, events


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bot's folder with a journal, as the present directory."""
    monkeypatch.chdir(tmp_path)
    config = json.loads((ROOT / "config.json").read_text())
    config["strategy"] = "Trend"
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "user_data").mkdir()
    path = tmp_path / "user_data" / "ballast_journal.dryrun.sqlite"
    journal = Journal(path, JournalSettings())
    journal.write(VERSION, *written())
    journal.file.engine.dispose()
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(arguments) == code
    captured = capsys.readouterr()
    return " ".join((captured.err if code else captured.out).split())


def why(capsys: pytest.CaptureFixture[str], hour: int) -> str:
    return said(capsys, "why", "ETH/USDT", "--at", f"2024-03-01 {hour + 1:02}:30")


def test_why_names_the_rule_and_how_far_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    text = why(capsys, 0)
    assert "no signal: breakout 101.2 > 104.9 is not met (-3.53 %, -1.9 ATR)" in text
    assert "1 of 2 rules of Trend unmet" in text
    assert "settings abcd1234" in text
    assert "Dip 1 unmet: dipped" in text
    assert "journal ballast_journal.dryrun.sqlite" in text


def test_why_names_the_guard_that_refused(capsys: pytest.CaptureFixture[str]) -> None:
    text = why(capsys, 1)
    numbers = "began at 3.2 % (limit 3 %), now 0.62 %, until 2024-03-02 00:00 UTC"
    assert f"refused by DAILY_LOSS: {numbers}" in text
    assert f"DailyLossLimit blocks: DAILY_LOSS {numbers}" in text
    assert "other guards 1 allow" in text


def test_why_names_the_cap_that_bound(capsys: pytest.CaptureFixture[str]) -> None:
    text = why(capsys, 2)
    assert "entered, trade 4, stake 500 USDT bound by RISK_AT_STOP" in text
    assert "size 500 USDT, bound by RISK_AT_STOP (1000), cut to 50 % by the guards" in text
    assert "next caps POSITION_CAP 2000" in text


def test_why_tells_stop_and_exit_of_a_position(capsys: pytest.CaptureFixture[str]) -> None:
    held = why(capsys, 3)
    assert "held, trade 4: close 106 is above its stop 98 (+8.16 %, +4.0 ATR)" in held
    assert "moved by CHANDELIER" in held
    assert "left, trade 4: stop_loss, result -7.50 %" in why(capsys, 4)


def test_why_without_a_time_answers_for_the_newest_candle(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "candle 2024-03-01 04:00 to 05:00" in said(capsys, "why", "ETH/USDT")


def test_the_life_of_a_trade_goes_from_its_size_to_its_costs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = said(capsys, "why", "--trade", "4")
    assert "entered on Trend: up 5 > 1, breakout 106 > 104.9; stake 500 USDT" in text
    order = ["sized", "ENTRY_FILLED", "CHANDELIER", "EXIT_FILLED", "stop_loss"]
    places = [text.index(word) for word in order]
    assert places == sorted(places)
    # 5 units bought 0.2 and sold 0.1 worse.
    assert "fills 1.5 USDT worse than wanted (14.1 basis points of the turnover)" in text


def test_what_a_stop_cost_counts_from_its_level_and_not_from_its_limit(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    """A stop at 98 rests with a limit of 97 and fills at 97.9: 0.1 worse, not 0.9 better."""
    pair, path = "ETH/USDT", folder / "user_data" / "ballast_journal.dryrun.sqlite"
    order = {"side": "buy", "type": "limit", "status": "closed", "filled": 5.0, "cost": 531.0}
    ended = {"rate": 97.9, "open_rate": 106.2, "stop": 98.0}
    events = [
        Event(later(3), EventKind.ORDER, "ENTRY_FILLED", pair, 9, 106.2, 106.0, order),
        Event(
            later(5.2),
            EventKind.ORDER,
            "EXIT_FILLED",
            pair,
            9,
            97.9,
            97.0,
            {**order, "side": "stoploss", "cost": 489.5},
        ),
        Event(later(5.2), EventKind.EXIT, "stoploss_on_exchange", pair, 9, -8.0, 0.0, ended),
    ]
    journal = Journal(path, JournalSettings())
    held = replace(NO_SIGNAL, candle=later(4), outcome=Outcome.LEFT, trade_id=9)
    journal.write(VERSION, [held], events)
    journal.file.engine.dispose()
    text = said(capsys, "why", "--trade", "9")
    assert "EXIT_FILLED, stop of 5 ETH at 97.9 USDT (97 asked)" in text
    assert (
        "fills 1.5 USDT worse than wanted (14.7 basis points of the turnover), fees 0.18 %" in text
    )
    review = said(capsys, "review", "--since", "2024-03-01")
    assert "stop 1 +10.2 basis points, worst +10.2 ETH/USDT 03-01 05:12" in review
    # It was left at 05:12, and nothing says that it was at the beginning of a candle.
    assert "03-01 05:12:00 left by stoploss_on_exchange" in text
    assert "04:00" not in text


def test_fees_of_a_trade_that_sold_a_part_count_all_its_sales(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    """Half at 110, half at 120, 14.7 % of result: fees of 0.3 %, and not of what it ended at."""
    pair, path = "ETH/USDT", folder / "user_data" / "ballast_journal.dryrun.sqlite"
    fills = [
        ("ENTRY_FILLED", "buy", 4.0, 100.0),
        ("PART_SOLD", "sell", 2.0, 110.0),
        ("EXIT_FILLED", "sell", 2.0, 120.0),
    ]
    events = [
        Event(
            later(3 + number),
            EventKind.ORDER,
            code,
            pair,
            9,
            price,
            price,
            {"side": side, "filled": units, "cost": units * price},
        )
        for number, (code, side, units, price) in enumerate(fills)
    ]
    left = {"rate": 120.0, "open_rate": 100.0}
    events.append(Event(later(5), EventKind.EXIT, "lags", pair, 9, 14.7, 0.0, left))
    journal = Journal(path, JournalSettings())
    journal.write(VERSION, [], events)
    journal.file.engine.dispose()
    assert said(capsys, "why", "--trade", "9").endswith("turnover), fees 0.30 %")


def test_a_trade_that_is_held_is_told_by_the_end_of_its_candle(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    path = folder / "user_data" / "ballast_journal.dryrun.sqlite"
    journal = Journal(path, JournalSettings())
    row = replace(NO_SIGNAL, candle=later(4), outcome=Outcome.HOLDING, stop=98.0, trade_id=9)
    journal.write(VERSION, [row], [])
    journal.file.engine.dispose()
    text = said(capsys, "why", "--trade", "9")
    assert "by the candle that ended 2024-03-01 05:00 UTC: held, trade 9" in text


def test_why_reads_the_exit_rules_of_what_is_held(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    path = folder / "user_data" / "ballast_journal.dryrun.sqlite"
    journal = Journal(path, JournalSettings())
    rules = {**SIGNAL, "exit:lags": Reading(0.1, "<", 0.05, False)}
    row = replace(NO_SIGNAL, candle=later(5), outcome=Outcome.HOLDING, rules=rules, trade_id=9)
    journal.write(VERSION, [row], [])
    journal.file.engine.dispose()
    assert "left by any of lags 0.1 < 0.05 no +100.00 %" in said(capsys, "why", "ETH")


def test_a_length_counts_back_from_where_the_journal_ends(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of a bot that has ended nothing was told: a week before this moment it was no longer."""
    text = said(capsys, "review", "--since", "3h")
    counted = "counted from the journal's last candle, which ended 2024-03-01 05:00"
    assert f"Trend since 2024-03-01 02:00 UTC, {counted}: ENTERED 1, HOLDING 1, LEFT 1" in text


def test_every_since_takes_a_length(capsys: pytest.CaptureFixture[str]) -> None:
    """It counts back from where the journal ends, in a review and in an export."""
    whole, last = (said(capsys, "export", "decisions", "--since", back) for back in ("7d", "1h"))
    assert whole.startswith(last[:20])
    assert len(whole) > len(last)
    for command in (("review",), ("export", "events")):
        told = said(capsys, *command, "--since", "7x", code=2)
        assert "'7x' is no time" in told
        assert told.endswith("or a length such as 12h or 7d")


def test_a_review_tells_what_was_unusual(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "review", "--since", "2024-03-01")
    assert "REFUSED 1" in text
    assert "refused DAILY_LOSS 1 last 03-01 02:00 all pairs 3.2 % (limit 3 %)" in text
    assert "guards fired DAILY_LOSS 1" in text
    assert "errors KeyError in custom_exit 1 oops" in text
    assert "slow ANALYSIS 1 worst 9.0 s at 03-01 06:00, usually 0.50 s" in text
    assert "largest losses stop_loss -7.50 % ETH/USDT, trade 4" in text
    assert "fills worse than wanted buy 1 +18.9 basis points" in text
    assert "nothing of: not taken up, not trusted, watched" in text


def test_a_review_fits_on_a_screen(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    journal = Journal(folder / "user_data" / "ballast_journal.dryrun.sqlite", JournalSettings())
    events = [
        Event(later(n / 10), kind, f"CODE_{n}", "ETH/USDT", n, -1.0, 1.0, {"state": "begins"})
        for n in range(50)
        for kind in (EventKind.GUARD, EventKind.EXIT, EventKind.WATCH, EventKind.INCIDENT)
    ]
    journal.write(VERSION, [], events)
    journal.file.engine.dispose()
    assert main(("review", "--since", "2024-03-01")) == 0
    assert len(capsys.readouterr().out.splitlines()) < 45


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("why",), "expected a PAIR such as BTC/USDT, or --trade ID"),
        (("why", "ETH/USDT", "--at", "noon"), "'noon' is no time"),
        (("why", "--trade", "99"), "the journal knows no such trade"),
        (("why", "FOO/USDT"), "FOO/USDT is not a pair of the journal: it covers ETH/USDT"),
        (("why", "ETH/USDT", "--journal", "none.sqlite"), "--journal names no file: none.sqlite"),
        (("why", "ETH/USDT", "--at", "2999-01-01"), "--at 2999-01-01 is in the future"),
        (
            ("why", "ETH/USDT", "--at", "2024-03-09"),
            "it covers 2024-03-01 01:00 to 2024-03-01 05:00",
        ),
        (
            ("why", "ETH/USDT", "--strategy", "Other"),
            "--strategy Other is not in the journal user_data/ballast_journal.dryrun.sqlite: it "
            "has rows of Trend",
        ),
        (("why", "ETH/USDT", "--backtest"), "there is no journal"),
        (("review", "--since", "lately"), "'lately' is no time"),
        (("review", "--backtest"), "there is no journal"),
        (("why", "ETH/USDT", "-c", "none.json"), "none.json is not a file"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str, folder: Path
) -> None:
    config = json.loads((folder / "config.json").read_text())
    config |= {"strategy": "RisingMarket", "strategy_path": str(ROOT / "strategies")}
    (folder / "config.json").write_text(json.dumps(config))
    text = said(capsys, *arguments, code=2)
    assert sentence in text
    assert "Traceback" not in text


def test_a_file_that_is_no_journal_is_told(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    (folder / "other.sqlite").write_text("no database")
    text = said(capsys, "why", "ETH/USDT", "--journal", "other.sqlite", code=2)
    assert "other.sqlite cannot be read" in text


@pytest.mark.parametrize("asked", ["eth/usdt", "ETH", "eth", " Eth/Usdt "])
def test_a_pair_may_be_said_shortly(capsys: pytest.CaptureFixture[str], asked: str) -> None:
    assert said(capsys, "why", asked).startswith("ETH/USDT candle 2024-03-01 04:00")


def test_a_currency_of_several_pairs_is_asked_back(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    journal = Journal(folder / "user_data" / "ballast_journal.dryrun.sqlite", JournalSettings())
    journal.write(VERSION, [replace(NO_SIGNAL, pair="ETH/BTC")], [])
    journal.file.engine.dispose()
    assert "ETH is several pairs: ETH/USDT, ETH/BTC" in said(capsys, "why", "ETH", code=2)


def test_without_a_journal_it_is_said_that_candles_answer(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    (folder / "user_data" / "ballast_journal.dryrun.sqlite").unlink()
    config = json.loads((folder / "config.json").read_text())
    config |= {"strategy": "RisingMarket", "strategy_path": str(ROOT / "strategies")}
    (folder / "config.json").write_text(json.dumps(config))
    text = said(capsys, "why", "foo/usdt", code=2)
    assert "there is no journal user_data/ballast_journal.dryrun.sqlite: working it out" in text
    assert "has no candles of FOO/USDT on 1h of that time: try freqtrade download-data" in text


@pytest.fixture
def candles_alone(folder: Path) -> Callable[[str, str], None]:
    """Without a journal; stores two calm days of a pair in a folder of candles."""
    (folder / "user_data" / "ballast_journal.dryrun.sqlite").unlink()
    config = json.loads((folder / "config.json").read_text())
    config |= {"strategy": "DonchianTrend", "strategy_path": str(ROOT / "strategies")}
    config["exchange"] |= {"pair_whitelist": ["BTC/USDT", "ETH/USDT"]}
    (folder / "config.json").write_text(json.dumps(config))

    def store(name: str, pair: str) -> None:
        dates = pd.date_range("2024-03-01", periods=48, freq="1h", tz="UTC")
        prices = dict.fromkeys(("open", "high", "low", "close", "volume"), 100.0)
        place = folder / "user_data" / "data" / name
        place.mkdir(parents=True, exist_ok=True)
        frame = pd.DataFrame({"date": dates, **prices})
        get_datahandler(place, "feather").ohlcv_store(pair, "1h", frame, CandleType.SPOT)

    return store


def test_pairs_without_candles_are_left_out_and_are_no_outage(
    capsys: pytest.CaptureFixture[str], candles_alone: Callable[[str, str], None]
) -> None:
    """Half of a whitelist was never downloaded: DATA_OUTAGE was said to block every entry."""
    candles_alone("binance", "BTC/USDT")
    assert main(("why", "BTC")) == 0
    captured = capsys.readouterr()
    assert "no candles are stored of ETH/USDT: they are left out" in captured.err
    assert "50 % of pairs" not in captured.out
    # An account in which nothing happened would let every guard of it allow.
    assert "guards of the account are not known" in " ".join(captured.out.split())
    assert re.search(r"other guards +2 allow", captured.out)


def test_of_the_generated_market_every_pair_can_be_asked(
    capsys: pytest.CaptureFixture[str], candles_alone: Callable[[str, str], None]
) -> None:
    """`make backtest` trades them all, the configuration lists five: the answers were others'."""
    for pair in ("BTC/USDT", "SOL/USDT"):
        candles_alone("sandbox", pair)
    assert main(("why", "sol")) == 0
    captured = capsys.readouterr()
    assert "SOL/USDT  candle 2024-03-02 23:00" in captured.out
    assert "left out" not in captured.err
    config = load_config({"config": ["config.json"], "datadir": "user_data/data/sandbox"})
    found, missing = of_stored_pairs(config, every=True)
    every = ["BTC/USDT", "SOL/USDT"]
    assert (found["exchange"]["pair_whitelist"], missing) == (every, [])
    # The shares of rising pairs, and ranks, are of the market that was traded.
    assert found["ballast"]["market"] == {**config["ballast"]["market"], "basket": every}


def test_a_question_about_a_journal_that_is_named_needs_no_configuration(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    (folder / "config.json").unlink()
    path = str(folder / "user_data" / "ballast_journal.dryrun.sqlite")
    assert "no signal" in said(capsys, "why", "ETH", "--at", "2024-03-01 01:00", "--journal", path)


def test_tables_are_whole_at_eighty_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is cut, and no code is broken in two."""
    monkeypatch.setenv("COLUMNS", "80")
    for arguments in (
        *(("why", "ETH/USDT", "--at", f"2024-03-01 {hour:02}:30") for hour in range(1, 6)),
        ("why", "--trade", "4"),
        ("review", "--since", "2024-03-01"),
    ):
        assert main(arguments) == 0
        out = capsys.readouterr().out
        assert max(len(line.rstrip()) for line in out.splitlines()) <= 80, arguments
        assert "\N{HORIZONTAL ELLIPSIS}" not in out
        words = set(out.replace(":", " ").replace(",", " ").split())
        for code in ("DAILY_LOSS", "RISK_AT_STOP", "ENTRY_FILLED", "CHANDELIER"):
            assert (code in words) == (code[:8] in out), (arguments, code)
