"""Real ccxt and real Freqtrade commands take the sandbox for Binance, on loopback alone."""

from __future__ import annotations

import json
import signal
import time
import urllib.error
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import ccxt
import pandas as pd
import pytest
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType

from sandbox.beside import Sandbox, running_sandbox
from sandbox.candles import HOUR_MS
from sandbox.files import export
from sandbox.regimes import find_labels
from sandbox.sources import GeneratedSource, frame
from tests.processes import freqtrade

SEED, DAYS = 7, 90
CONFIG: dict[str, Any] = {
    "dry_run": True,
    "initial_state": "running",
    "stake_currency": "USDT",
    "stake_amount": 100,
    "dry_run_wallet": 1000,
    "max_open_trades": 2,
    "stoploss": -0.1,
    "timeframe": "1m",
    "entry_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
    "exit_pricing": {"price_side": "same", "use_order_book": True, "order_book_top": 1},
    "exchange": {
        "name": "binance",
        "key": "",
        "secret": "",
        "pair_whitelist": ["BTC/USDT", "SUI/USDT"],
        "pair_blacklist": [],
    },
    "pairlists": [{"method": "StaticPairList"}],
    "internals": {"process_throttle_secs": 1},
}
PAIRLISTS = [
    {"method": "VolumePairList", "number_assets": 20, "sort_key": "quoteVolume"},
    {"method": "DelistFilter", "max_days_from_now": 0},
    {"method": "AgeFilter", "min_days_listed": 10},
    {"method": "PrecisionFilter"},
    {"method": "PriceFilter", "low_price_ratio": 0.01},
    {"method": "SpreadFilter", "max_spread_ratio": 0.005},
    {"method": "RangeStabilityFilter", "lookback_days": 10, "min_rate_of_change": 0.02},
    {"method": "VolatilityFilter", "lookback_days": 10, "min_volatility": 0.001},
]
ENTERS = """
from freqtrade.strategy import IStrategy


class Enters(IStrategy):
    stoploss = -0.1
    minimal_roi = {"0": 0.05}

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe.loc[:, "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe
"""
SEES = (
    ENTERS.replace("class Enters", "class Sees")
    + """
    def populate_indicators(self, dataframe, metadata):
        pair = metadata["pair"]
        last = dataframe["close"].iloc[-1]
        bid = self.dp.orderbook(pair, 5)["bids"][0][0]
        ticker = self.dp.ticker(pair)["last"]
        print(f"SEEN {pair} candles={len(dataframe)} {last=} {bid=} {ticker=}", flush=True)
        return dataframe
"""
)


@pytest.fixture(scope="module")
def historic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox whose time stands still at the end of its history."""
    directory = tmp_path_factory.mktemp("historic")
    with running_sandbox(directory, "--generate", str(SEED), "--days", str(DAYS)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def live(any_hour: datetime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox in which it is now: minute candles, a week before their end."""
    directory = tmp_path_factory.mktemp("live")
    line = ["--generate", str(SEED), "--days", str(DAYS), "--timeframe", "1m", "--shift-to-now"]
    with running_sandbox(directory, *line) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def generated() -> GeneratedSource:
    """The history that `historic` serves."""
    return GeneratedSource(SEED, days=DAYS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for one Freqtrade command, with its config and an empty user_data."""
    (tmp_path / "user_data" / "strategies").mkdir(parents=True)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "pairlists.json").write_text(json.dumps({"pairlists": PAIRLISTS}))
    return tmp_path


def through_ccxt(sandbox: Sandbox) -> ccxt.binance:
    return ccxt.binance(json.loads(sandbox.overlay.read_text())["exchange"]["ccxt_config"])


def test_ccxt_loads_markets_with_ticks_lots_and_notional(historic: Sandbox) -> None:
    markets = through_ccxt(historic).load_markets()
    assert len(markets) == 10
    assert markets["BTC/USDT"]["precision"]["price"] == 0.01
    assert markets["BTC/USDT"]["precision"]["amount"] == 0.00001
    assert markets["BTC/USDT"]["limits"]["cost"]["min"] == 5
    assert [pair for pair, market in markets.items() if not market["active"]] == ["XMR/USDT"]


def test_ccxt_pages_through_candles_as_they_were_generated(
    historic: Sandbox, generated: GeneratedSource
) -> None:
    exchange, expected = through_ccxt(historic), frame(generated, "ETH/USDT", "1h")
    since, rows = int(expected["date"].iloc[0].timestamp() * 1000), []
    while page := exchange.fetch_ohlcv("ETH/USDT", "1h", since=since, limit=1000):
        rows += page
        since = page[-1][0] + 1
    assert [row[4] for row in rows] == expected["close"].tolist()
    assert [row[5] for row in rows] == pytest.approx(expected["volume"].tolist())


def test_ccxt_reads_tickers_book_and_trades_that_agree(historic: Sandbox) -> None:
    exchange = through_ccxt(historic)
    ticker = exchange.fetch_ticker("BTC/USDT")
    assert exchange.fetch_tickers()["BTC/USDT"]["last"] == ticker["last"]
    assert exchange.fetch_bids_asks(["BTC/USDT"])["BTC/USDT"]["bid"] == ticker["bid"]
    book = exchange.fetch_order_book("BTC/USDT", 5)
    assert book["bids"][0][0] == ticker["bid"] <= ticker["last"] <= ticker["ask"]
    assert exchange.fetch_trades("BTC/USDT", limit=10)[-1]["price"] == ticker["last"]
    assert exchange.fetch_time() == exchange.fetch_trades("BTC/USDT")[-1]["timestamp"] + 1


def test_ccxt_knows_an_unknown_symbol_as_a_bad_request(historic: Sandbox) -> None:
    exchange = through_ccxt(historic)
    with pytest.raises(ccxt.ExchangeError, match="-1121"):
        exchange.public_get_klines({"symbol": "FOOUSDT", "interval": "1h"})


def test_labels_over_http_are_the_labels_of_the_source(
    historic: Sandbox, generated: GeneratedSource
) -> None:
    assert historic.get("/sandbox/labels") == [label.as_json() for label in generated.labels()]


def test_ccxt_sees_time_pass_in_the_live_sandbox(live: Sandbox) -> None:
    exchange = through_ccxt(live)
    assert abs(exchange.fetch_time() - time.time() * 1000) < 2000
    *_, last = exchange.fetch_ohlcv("BTC/USDT", "1m", limit=3)
    assert 0 <= exchange.milliseconds() - last[0] < 60_000 + 2000


def test_download_data_stores_what_was_generated(
    historic: Sandbox, generated: GeneratedSource, folder: Path
) -> None:
    configs = ["-c", "config.json", "-c", str(historic.overlay)]
    line = [*configs, "-t", "5m", "1h", "--timerange", "20240101-20240331"]
    output = freqtrade(folder, "download-data", *line)
    assert "data.binance.vision" not in output
    handler = get_datahandler(folder / "user_data" / "data" / "binance", "feather")
    for pair in ("BTC/USDT", "SUI/USDT"):
        for timeframe in ("5m", "1h"):
            stored = handler.ohlcv_load(pair, timeframe, CandleType.SPOT, fill_missing=False)
            expected = frame(generated, pair, timeframe).iloc[: len(stored)]
            pd.testing.assert_frame_equal(stored, expected, check_exact=False, rtol=1e-12)
            assert len(stored) >= len(frame(generated, pair, timeframe)) - 1
    (outage, _) = find_labels(generated.labels(), "outage")
    stored = handler.ohlcv_load("BTC/USDT", "5m", CandleType.SPOT, fill_missing=False)
    assert not stored["date"].between(outage.start, outage.end, inclusive="left").any()


def test_without_the_overlays_option_freqtrade_asks_the_public_archive(
    historic: Sandbox, folder: Path
) -> None:
    config = json.loads(historic.overlay.read_text())
    config["exchange"]["only_from_ccxt"] = False
    (folder / "archive.json").write_text(json.dumps(config))
    line = ["-c", "config.json", "-c", "archive.json", "-t", "5m", "-p", "BTC/USDT"]
    with pytest.raises(AssertionError, match="BEYOND LOOPBACK"):
        freqtrade(folder, "download-data", *line, "--timerange", "20240101-20240103")


def test_downloaded_trades_make_the_generated_candles(
    historic: Sandbox, generated: GeneratedSource, folder: Path
) -> None:
    configs = ["-c", "config.json", "-c", str(historic.overlay), "-p", "BTC/USDT"]
    line = [*configs, "--dl-trades", "--convert", "-t", "1h", "--timerange", "20240103-20240105"]
    freqtrade(folder, "download-data", *line)
    handler = get_datahandler(folder / "user_data" / "data" / "binance", "feather")
    made = handler.ohlcv_load("BTC/USDT", "1h", CandleType.SPOT, fill_missing=False)
    made = made.set_index("date")["2024-01-03 01:00":"2024-01-04 22:00"]
    expected = frame(generated, "BTC/USDT", "1h").set_index("date").loc[made.index]
    assert len(made) == 46
    pd.testing.assert_frame_equal(made, expected, check_exact=False, rtol=1e-9)


def test_list_pairs_shows_the_pairs_that_trade(historic: Sandbox, folder: Path) -> None:
    configs = ["-c", "config.json", "-c", str(historic.overlay)]
    output = freqtrade(folder, "list-pairs", *configs, "--quote", "USDT", "--print-list")
    assert "BTC/USDT" in output
    assert "XMR/USDT" not in output


def test_pairlists_keep_the_liquid_pairs(live: Sandbox, folder: Path) -> None:
    configs = ["-c", "config.json", "-c", str(live.overlay), "-c", "pairlists.json"]
    output = freqtrade(folder, "test-pairlist", *configs, "--quote", "USDT", "--print-json")
    kept = json.loads(output.splitlines()[-1])
    assert set(kept) == {
        *("BTC/USDT", "ETH/USDT", "BNB/USDT", "SOL/USDT"),
        *("XRP/USDT", "ADA/USDT", "DOGE/USDT", "SUI/USDT"),
    }
    assert "Removed WAN/USDT from whitelist, because spread" in output


def test_a_dry_run_receives_candles_book_and_tickers_and_trades(
    live: Sandbox, folder: Path
) -> None:
    (folder / "user_data" / "strategies" / "sees.py").write_text(SEES)
    configs = ["-c", "config.json", "-c", str(live.overlay)]
    output = freqtrade(
        folder,
        *("trade", *configs, "--strategy", "Sees", "--db-url", "sqlite://"),
        stop_after="LIMIT_BUY has been fulfilled",
    )
    assert "SEEN BTC/USDT candles=" in output
    assert "SEEN SUI/USDT candles=" in output
    assert "ERROR" not in output


def test_backtesting_runs_on_an_exported_year_in_seconds(historic: Sandbox, folder: Path) -> None:
    export(GeneratedSource(SEED), folder / "user_data" / "data" / "binance", ["1h"])
    (folder / "user_data" / "strategies" / "enters.py").write_text(ENTERS)
    configs = ["-c", "config.json", "-c", str(historic.overlay), "-i", "1h"]
    started = time.monotonic()
    output = freqtrade(folder, "backtesting", *configs, "--strategy", "Enters")
    assert time.monotonic() - started < 30
    assert "Enters" in output
    assert "Loading data from 2024-01-01" in output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_sandbox_stops_at_once_although_a_client_stays_connected(
    tmp_path: Path, number: int
) -> None:
    line = ["--generate", "7", "--days", "30", "--pairs", "BTC/USDT"]
    with running_sandbox(tmp_path, *line) as sandbox:
        exchange = through_ccxt(sandbox)
        exchange.fetch_time()
        sandbox.process.send_signal(number)
        # It would hold it up for a minute.
        assert sandbox.process.wait(timeout=20) == 0
        exchange.session.close()


def test_a_stop_right_after_the_ready_line_is_clean(tmp_path: Path) -> None:
    line = ["--generate", "7", "--days", "30", "--pairs", "BTC/USDT"]
    with running_sandbox(tmp_path, *line) as sandbox:
        sandbox.process.terminate()
        assert sandbox.process.wait(timeout=20) == 0


def test_a_replayed_folder_serves_its_candles_at_the_replay_clock(
    tmp_path: Path, generated: GeneratedSource
) -> None:
    data = tmp_path / "data"
    export(GeneratedSource(SEED, days=DAYS, pairs=["BTC/USDT"]), data, ["5m"])
    line = ["--data", str(data), "--clock", "replay", "--now", "2024-02-10", "--speed", "3600"]
    with running_sandbox(tmp_path, *line) as sandbox:
        first = sandbox.get("/api/v3/time")["serverTime"]
        rows = sandbox.get("/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=1000")
        time.sleep(0.3)
        assert sandbox.get("/api/v3/time")["serverTime"] - first > 3600 * 250
        with pytest.raises(urllib.error.HTTPError) as refusal:
            sandbox.get("/api/v3/klines?symbol=ETHUSDT&interval=1h")
        refusal.value.close()
    midnight = int(pd.Timestamp("2024-02-10", tz="UTC").timestamp() * 1000)
    assert midnight <= first < midnight + 48 * HOUR_MS
    expected = frame(generated, "BTC/USDT", "1h").set_index("date")["close"]
    for row in rows[:-1]:
        assert float(row[4]) == expected[pd.Timestamp(row[0], unit="ms", tz="UTC")]
