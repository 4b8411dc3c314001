"""The command line: every unusable setting is one sentence and exit code 2."""

import argparse
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import time_machine

from sandbox.cli import _arguments, _in_time, main
from sandbox.clock import FixedClock
from sandbox.market_data import MarketData
from sandbox.orders import OrderRequest, OrderType, Side, TimeInForce
from sandbox.sources import CandleSource, GeneratedSource, frame
from sandbox.trading_options import exchange_of
from sandbox.units import UNIT
from tests.exchange import START_MS, SYMBOL, table

PAIR = "BTC/USDT"
HISTORY = GeneratedSource(7, days=90, pairs=[PAIR])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "Give --generate SEED or --data DIR"),
        ("--generate abc", "--generate must be a whole number from 0 to 4294967295, not 'abc'"),
        ("--generate -1", "not '-1'"),
        ("--generate 4294967296", "not '4294967296'"),
        ("--generate 7 --days 3", "--days must be a whole number from 30 to 1500, not '3'"),
        ("--generate 7 --start yesterday", "--start must be a date such as 2024-01-01"),
        ("--generate 7 --start 2024-01-01T07:30", "starts with a day (00:00 UTC)"),
        ("--generate 7 --pairs FOO/USDT", "'FOO/USDT' has no market model"),
        ("--generate 7 --timeframe 1h", "Generated candles are 1m or 5m, not '1h'"),
        ("--generate 7 --data .", "--generate or --data, not both"),
        ("--generate 7 --host 0.0.0.0", "--host must be a loopback address"),
        ("--generate 7 --host example.org", "--host must be a loopback address"),
        ("--generate 7 --port 70000", "--port must be a whole number from 0 to 65535"),
        ("--generate 7 --clock replay --speed 0", "--speed must be above 0"),
        ("--generate 7 --clock replay --speed nan", "--speed must be above 0"),
        ("--generate 7 --clock replay --shift-to-now", "not both"),
        ("--generate 7 --clock sun", "Argument --clock: invalid choice"),
        ("--generate 7 --now crash", "--now must be a date or the name of a label"),
        ("--generate 7 --now 2030-01-01", "--now must be within the history, 2024-01-01"),
        ("--generate 7 --export x --timeframes 7m", "--timeframes '7m' is not one of"),
        ("--generate 7 --bogus", "Unrecognized arguments: --bogus"),
        ("--generate 7 --wallet 100", "--wallet takes assets such as USDT=10000, not '100'"),
        ("--generate 7 --wallet USDT=-1", "not 'USDT=-1'"),
        ("--generate 7 --fee 0.1000001", "--fee is a ratio from 0 to 0.1 with up to six decimals"),
        ("--generate 7 --fee nan", "--fee is a ratio"),
        ("--generate 7 --volume-share 1.1", "--volume-share is a ratio from 0 to 1"),
        ("--generate 7 --faults no/such.json", "Cannot read --faults no/such.json"),
        ("--generate 7 --rights everything", "Argument --rights: invalid choice"),
        ("--data no/such/folder", "no/such/folder is not a directory"),
        ("--write-overlay no/such/folder/o.json", "Cannot write no/such/folder/o.json"),
    ],
)
def test_an_unusable_setting_is_one_sentence_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    assert main(line.split()) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert said in output.err
    assert output.err.startswith("sandbox: ")
    assert output.err.count("\n") == 1
    assert output.err.endswith(".\n") or output.err.endswith(").\n")


def test_a_port_in_use_is_one_sentence_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--generate", "7", "--pairs", "BTC/USDT", "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert error == f"sandbox: Cannot listen on 127.0.0.1 port {port}: Address already in use.\n"


def test_a_ready_file_that_cannot_be_written_is_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ready = tmp_path / "missing" / "ready"
    line = ["--generate", "7", "--pairs", "BTC/USDT", "--port", "0", "--ready-file", str(ready)]
    assert main(line) == 2
    assert capsys.readouterr().err == (
        f"sandbox: Cannot write {ready}: No such file or directory.\n"
    )


def test_export_writes_freqtrades_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    line = ["--generate", "7", "--days", "30", "--pairs", "BTC/USDT", "--export", str(tmp_path)]
    assert main([*line, "--timeframes", "1h", "1d"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "BTC_USDT-1d.feather",
        "BTC_USDT-1h.feather",
    ]
    assert "2 files written" in capsys.readouterr().out


def moved(*arguments: str) -> CandleSource:
    """The history, moved to now."""
    return _in_time(HISTORY, _arguments().parse_args(["--shift-to-now", *arguments]))[0]


@pytest.mark.parametrize(
    ("arguments", "today"), [((), "2024-03-24"), (("--now", "2024-03-10"), "2024-03-10")]
)
@pytest.mark.usefixtures("any_hour")
def test_a_history_moved_by_days_has_the_same_days_at_every_hour(
    arguments: tuple[str, ...], today: str
) -> None:
    """A filter of pairs that looks at days finds the same pairs at midnight as at noon."""
    midnight = pd.Timestamp(datetime.now(UTC)).floor("1D")
    found, whole = (frame(source, PAIR, "1d") for source in (moved(*arguments), HISTORY))
    closes = whole.loc[whole["date"] < today, "close"]
    assert found.loc[found["date"] < midnight, "close"].to_list() == closes.to_list()


@pytest.mark.usefixtures("any_hour")
@pytest.mark.parametrize("moment", ["2024-03-10T14:30", "flash_crash"])
def test_a_history_moved_to_a_moment_is_there_now(moment: str) -> None:
    """To the candle: what happens then happens now, at whatever hour that is."""
    first, origin = (s.candles(PAIR).open_ms[0] for s in (moved("--now", moment), HISTORY))
    starts = {label.name: label.start for label in HISTORY.labels()}
    then = starts.get(moment) or datetime.fromisoformat(moment).replace(tzinfo=UTC)
    now = then + timedelta(milliseconds=int(first - origin))
    assert timedelta(0) <= datetime.now(UTC) - now < timedelta(minutes=6)


def test_a_sandbox_that_is_started_anew_gives_no_number_again() -> None:
    """A bot on the same database died of an order number that it knew already."""
    options = argparse.Namespace(wallet=["USDT=1000"], fee="0.001", volume_share="0.1")
    given: list[int] = []
    with time_machine.travel(datetime(2024, 1, 1, tzinfo=UTC), tick=False) as clock:
        for _ in range(2):
            # The market is at the same moment each time.
            exchange = exchange_of(options, MarketData(table([(100.0,) * 5]), FixedClock(START_MS)))
            request = OrderRequest(
                SYMBOL, Side.BUY, OrderType.LIMIT, TimeInForce.GTC, UNIT, 0, 90 * UNIT, 0, "mine"
            )
            given += [exchange.place(request).id]
            clock.shift(1)
    first, second = given
    assert second >= first + 1000
