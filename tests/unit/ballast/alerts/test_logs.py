"""Every line of the log is free of secrets, and what happened is there as fields."""

import io
import json
import logging
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import pytest
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.loggers.json_formatter import JsonFormatter

from ballast.alerts import logs
from ballast.config.settings import LogSettings
from ballast.core.events import Event, EventKind
from ballast.core.redaction import Redactor

KEY = "exchangekey0123456789"
AT = datetime(2024, 1, 1, 12, tzinfo=UTC)
EXCHANGE = "freqtrade.exchange.exchange"


class Log:
    """A console, and the file of a bot."""

    def __init__(self, folder: Path) -> None:
        self.console, self.path = io.StringIO(), folder / "logs" / "lines.jsonl"
        self.handler = logging.StreamHandler(self.console)
        self.handler.setFormatter(logging.Formatter("%(message)s"))

    @property
    def file(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line, parse_constant=float) for line in self.file.splitlines()]


def opened(folder: Path, mode: RunMode = RunMode.LIVE) -> None:
    """The file of a bot whose folder is this."""
    config = {"user_data_dir": folder, "runmode": mode}
    redactor = Redactor({"exchange": {"key": KEY}})
    logs.attach(redactor)
    logs.open_file(config, LogSettings(file="logs/lines.jsonl"), redactor)


def closed() -> None:
    for handler in [h for h in logging.root.handlers if isinstance(h, logs.JsonLines)]:
        logging.root.removeHandler(handler)
        handler.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made, known = Log(tmp_path), logging.root.level
    logging.root.addHandler(made.handler)
    logging.root.setLevel(logging.INFO)
    opened(tmp_path)
    yield made
    logging.root.setLevel(known)
    logging.root.removeHandler(made.handler)
    closed()


def test_a_line_is_looked_through_once_for_console_and_file(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    clean = Redactor.text

    def noted(self: Redactor, text: str) -> str:
        looked.append(text)
        return clean(self, text)

    monkeypatch.setattr(Redactor, "text", noted)
    logging.getLogger("anything").info("key is %s", KEY)
    assert looked == [f"key is {KEY}"]
    assert KEY not in both(log)
    # Another bot's secrets are others.
    record = logging.makeLogRecord({"msg": f"key is {KEY} and other-secret"})
    logs.Redaction(Redactor({"exchange": {"key": KEY}})).filter(record)
    logs.Redaction(Redactor({"exchange": {"key": "other-secret"}})).filter(record)
    assert record.getMessage() == "key is *** and ***"


def both(log: Log) -> str:
    return log.console.getvalue() + log.file


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        (f"key is {KEY}", ()),
        ("key is %s", (KEY,)),
        ("answer %s", ({"key": KEY},)),
        ("GET /api/v3/account?signature=%s", ("deadbeef" * 8,)),
    ],
)
def test_a_secret_in_a_message_or_its_arguments_is_taken_out(
    text: str, arguments: tuple[Any, ...], log: Log
) -> None:
    logging.getLogger("somebody.else").info(text, *arguments)
    assert "***" in log.console.getvalue()
    assert "***" in log.lines()[0]["message"]
    assert KEY not in both(log)
    assert "deadbeef" not in both(log)


def test_a_secret_in_a_traceback_is_taken_out(log: Log) -> None:
    try:
        raise ValueError(f"rejected: {KEY}")
    except ValueError:
        logging.getLogger("somebody.else").exception("it failed")
    assert "ValueError: rejected: ***" in log.console.getvalue()
    assert KEY not in both(log)


def test_a_message_that_cannot_be_formatted_does_not_spill_its_arguments(log: Log) -> None:
    logging.getLogger("somebody.else").info("one %s", KEY, KEY)
    assert "cannot be formatted" in log.console.getvalue()
    assert KEY not in both(log)


def test_a_second_strategy_replaces_what_the_first_attached(log: Log) -> None:
    """Freqtrade makes many in a process, and `/reload_config` brings new secrets."""
    logs.attach(Redactor({"telegram": {"token": "1234567:newtoken"}}))
    logging.getLogger("x").info("1234567:newtoken")
    assert "newtoken" not in both(log)
    assert len(log.handler.filters) == 2


def test_a_second_start_writes_on_in_the_same_file(log: Log, tmp_path: Path) -> None:
    logging.getLogger("x").info("one")
    opened(tmp_path)
    logging.getLogger("x").info("two")
    assert [line["message"] for line in log.lines()] == ["one", "two"]


def test_a_file_that_log_config_has_open_is_not_written_twice(log: Log, tmp_path: Path) -> None:
    """As config.json had it before: two that rotate one file destroy it."""
    closed()
    earlier = RotatingFileHandler(log.path)
    earlier.setFormatter(JsonFormatter())
    logging.root.addHandler(earlier)
    opened(tmp_path)
    logging.getLogger("x").info("once")
    assert [line["message"] for line in log.lines()] == ["once"]
    assert earlier not in logging.root.handlers


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """It was a traceback of Freqtrade's."""
    (tmp_path / "logs").touch()
    with pytest.raises(OperationalException, match=r"the log .*lines\.jsonl cannot be written \("):
        opened(tmp_path)


def test_a_full_disk_is_one_sentence_and_no_traceback_for_each_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "lines.jsonl").symlink_to("/dev/full")
    try:
        opened(tmp_path)
        for line in ("one", "two"):
            logging.getLogger("x").warning(line)
    finally:
        closed()
    told = capsys.readouterr().err
    path = tmp_path / "logs" / "lines.jsonl"
    assert told == f"the log {path} cannot be written (No space left on device): make room\n"


def test_a_backtest_writes_no_bots_log(tmp_path: Path) -> None:
    opened(tmp_path, RunMode.BACKTEST)
    assert not (tmp_path / "logs").exists()


def test_an_event_is_a_sentence_on_the_console_and_fields_in_the_file(log: Log) -> None:
    facts = {"detail": "LIQUIDITY", "until": "", "caps": {"HEAT": math.nan}}
    event = Event(AT, EventKind.REFUSED, "NO_SIZE", "BTC/USDT", None, 3.0, 10.0, facts)
    logs.EventLog(Redactor({})).hear(event)
    sentence = "BTC/USDT: refused NO_SIZE 3 USDT (needed 10 USDT), LIQUIDITY"
    assert log.console.getvalue().strip() == sentence
    (line,) = log.lines()
    assert line["message"] == sentence
    assert line["event"]["code"] == "NO_SIZE"
    assert line["event"]["kind"] == "refused"
    assert line["event"]["at"] == "2024-01-01T12:00:00Z"
    assert (line["event"]["value"], line["event"]["limit"]) == (3.0, 10.0)


def test_every_line_of_the_file_is_json_that_any_tool_reads(log: Log) -> None:
    """NaN is no JSON, and most tools stop at it."""
    facts = {"caps": {"HEAT": math.nan}, "when": AT, "text": "two\nlines"}
    logs.EventLog(Redactor({})).hear(Event(AT, EventKind.SIZED, "HEAT", "BTC/USDT", 7, facts=facts))
    assert "NaN" not in log.file
    (line,) = log.lines()
    assert line["event"]["trade_id"] == 7
    assert line["event"]["caps"] == {"HEAT": None}
    assert line["event"]["text"] == "two\nlines"


@pytest.mark.usefixtures("any_hour")
def test_lines_are_stamped_in_utc(log: Log) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    logging.getLogger("x").info("now")
    stamp = datetime.fromisoformat(log.lines()[0]["timestamp"])
    assert before <= stamp <= datetime.now(UTC)


def test_answers_of_the_exchange_are_in_the_file_alone(log: Log) -> None:
    """A balance is hundreds of coins: on the console it would hide everything else."""
    logging.getLogger(EXCHANGE).info("API create_order: {'id': '1'}")
    logging.getLogger(EXCHANGE).info("Using something")
    assert "create_order" not in log.console.getvalue()
    assert "Using something" in log.console.getvalue()
    assert "create_order" in log.lines()[0]["message"]


def test_without_a_file_the_console_keeps_the_answers_that_were_asked_for(log: Log) -> None:
    closed()
    logs.attach(Redactor({}))
    logging.getLogger(EXCHANGE).info("API create_order: {'id': '1'}")
    assert "create_order" in log.console.getvalue()
