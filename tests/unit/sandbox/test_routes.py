"""The HTTP side answers in Binance's form: fields, texts, error codes."""

import asyncio
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from sandbox.candles import DAY_MS, HOUR_MS
from sandbox.clock import FixedClock
from sandbox.market_data import MarketData
from sandbox.regimes import find_labels
from sandbox.server import build_app
from sandbox.sources import GeneratedSource, span_ms

SOURCE = GeneratedSource(7, days=45)
START_MS, END_MS = span_ms(SOURCE)


def get(path: str, now_ms: int = END_MS) -> tuple[int, Any]:
    """Status and JSON body of a GET against the application."""

    async def ask() -> tuple[int, Any]:
        app = build_app(MarketData(SOURCE, FixedClock(now_ms)))
        async with TestClient(TestServer(app)) as client, client.get(path) as response:
            return response.status, await response.json()

    return asyncio.run(ask())


def test_ping_and_time() -> None:
    assert get("/api/v3/ping") == (200, {})
    assert get("/api/v3/time") == (200, {"serverTime": END_MS})


def test_a_kline_has_twelve_fields_with_prices_as_text() -> None:
    status, rows = get(f"/api/v3/klines?symbol=BTCUSDT&interval=1h&startTime={START_MS}&limit=2")
    assert status == 200
    assert [row[0] for row in rows] == [START_MS, START_MS + HOUR_MS]
    first = rows[0]
    assert len(first) == 12
    assert first[6] == START_MS + HOUR_MS - 1
    assert all(isinstance(first[column], str) for column in (1, 2, 3, 4, 5, 7, 9, 10, 11))
    low, high = float(first[3]), float(first[2])
    assert low <= float(first[1]) <= high
    assert low <= float(first[7]) / float(first[5]) <= high


def test_no_more_than_a_thousand_klines_come() -> None:
    assert len(get("/api/v3/klines?symbol=BTCUSDT&interval=5m&limit=5000")[1]) == 1000
    assert len(get("/api/v3/klines?symbol=BTCUSDT&interval=5m")[1]) == 500


@pytest.mark.parametrize(
    ("path", "code", "text"),
    [
        ("/api/v3/klines?symbol=FOOUSDT&interval=5m", -1121, "Invalid symbol."),
        ("/api/v3/klines?symbol=BTCUSDT&interval=7m", -1120, "Invalid interval."),
        ("/api/v3/klines?interval=5m", -1102, "Mandatory parameter 'symbol' was not sent"),
        ("/api/v3/klines?symbol=BTCUSDT", -1102, "Mandatory parameter 'interval' was not sent"),
        ("/api/v3/klines?symbol=BTCUSDT&interval=5m&limit=x", -1100, "parameter 'limit'"),
        ("/api/v3/klines?symbol=BTCUSDT&interval=5m&startTime=-1", -1100, "'startTime'"),
        (f"/api/v3/klines?symbol=BTCUSDT&interval=5m&startTime={10**19}", -1100, "'startTime'"),
        ("/api/v3/ticker/24hr?symbol=FOOUSDT", -1121, "Invalid symbol."),
        ("/api/v3/ticker/24hr?symbols=nonsense", -1100, "'symbols'"),
        ("/api/v3/ticker/price?symbol=BTCUSDT&symbols=[]", -1128, "Combination"),
        ("/api/v3/exchangeInfo?symbol=FOOUSDT", -1121, "Invalid symbol."),
        ("/api/v3/depth", -1102, "'symbol'"),
        ("/api/v3/aggTrades", -1102, "'symbol'"),
    ],
)
def test_a_refusal_has_binances_code_and_status_400(path: str, code: int, text: str) -> None:
    status, body = get(path)
    assert status == 400
    assert body["code"] == code
    assert text in body["msg"]


@pytest.mark.parametrize(
    "path",
    [
        f"/api/v3/klines?symbol=BTCUSDT&interval=5m&startTime={10**17}",
        f"/api/v3/klines?symbol=BTCUSDT&interval=5m&startTime={END_MS}&endTime={START_MS}",
        "/api/v3/klines?symbol=BTCUSDT&interval=5m&endTime=0",
        f"/api/v3/aggTrades?symbol=BTCUSDT&fromId={10**17}",
        f"/api/v3/aggTrades?symbol=BTCUSDT&startTime={10**17}",
        "/api/v3/aggTrades?symbol=BTCUSDT&startTime=0&endTime=1",
        f"/api/v3/historicalTrades?symbol=BTCUSDT&fromId={10**17}",
    ],
)
def test_a_range_without_anything_in_it_gives_an_empty_list(path: str) -> None:
    assert get(path) == (200, [])


def test_an_unknown_path_is_a_404_that_names_it() -> None:
    status, body = get("/fapi/v1/exchangeInfo")
    assert status == 404
    assert "/fapi/v1/exchangeInfo" in body["msg"]


def test_exchange_info_has_the_filters_orders_are_checked_against() -> None:
    status, body = get("/api/v3/exchangeInfo")
    assert status == 200
    by_symbol = {symbol["symbol"]: symbol for symbol in body["symbols"]}
    btc = {rule["filterType"]: rule for rule in by_symbol["BTCUSDT"]["filters"]}
    assert btc["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert btc["LOT_SIZE"]["stepSize"] == "0.00001000"
    assert btc["NOTIONAL"]["minNotional"] == "5.00000000"
    assert by_symbol["BTCUSDT"]["status"] == "TRADING"


def test_status_and_listing_follow_the_clock() -> None:
    (listing,) = find_labels(SOURCE.labels(), "listing")
    (delisting,) = find_labels(SOURCE.labels(), "delisting")

    def status(symbol: str, now_ms: int) -> str | None:
        symbols = get("/api/v3/exchangeInfo", now_ms)[1]["symbols"]
        return next((entry["status"] for entry in symbols if entry["symbol"] == symbol), None)

    assert status("SUIUSDT", listing.start_ms - 1) is None
    assert status("SUIUSDT", listing.start_ms) == "TRADING"
    assert status("XMRUSDT", delisting.end_ms - 1) == "TRADING"
    assert status("XMRUSDT", delisting.end_ms) == "BREAK"


def test_the_delisting_schedule_shows_what_is_announced() -> None:
    (label,) = find_labels(SOURCE.labels(), "delisting")
    path = "/sapi/v1/spot/delist-schedule"
    assert get(path, label.start_ms - 1)[1] == []
    assert get(path, label.start_ms)[1] == [{"delistTime": label.end_ms, "symbols": ["XMRUSDT"]}]


@pytest.mark.parametrize("path", ["24hr", "price", "bookTicker"])
def test_tickers_come_for_one_some_or_all_symbols(path: str) -> None:
    one = get(f"/api/v3/ticker/{path}?symbol=BTCUSDT")[1]
    some = get(f'/api/v3/ticker/{path}?symbols=["BTCUSDT","ETHUSDT"]')[1]
    everything = get(f"/api/v3/ticker/{path}")[1]
    assert one == some[0] == everything[0]
    assert [body["symbol"] for body in some] == ["BTCUSDT", "ETHUSDT"]
    assert len(everything) == 10


def test_the_day_ticker_is_consistent_in_itself() -> None:
    body = get("/api/v3/ticker/24hr?symbol=ETHUSDT")[1]
    number = {key: float(value) for key, value in body.items() if key != "symbol"}
    assert number["lastPrice"] - number["openPrice"] == pytest.approx(number["priceChange"])
    assert number["lowPrice"] <= number["weightedAvgPrice"] <= number["highPrice"]
    assert number["bidPrice"] <= number["lastPrice"] <= number["askPrice"]
    assert number["closeTime"] - number["openTime"] == DAY_MS
    assert number["lastId"] - number["firstId"] + 1 == number["count"]


def test_depth_gives_as_many_levels_as_asked_for() -> None:
    book = get("/api/v3/depth?symbol=BTCUSDT&limit=5")[1]
    assert len(book["bids"]) == len(book["asks"]) == 5
    assert float(book["bids"][0][0]) < float(book["asks"][0][0])
    assert len(get("/api/v3/depth?symbol=BTCUSDT")[1]["bids"]) == 100


def test_the_three_kinds_of_trades_tell_the_same() -> None:
    aggregated = get("/api/v3/aggTrades?symbol=BTCUSDT&limit=3")[1]
    recent = get("/api/v3/trades?symbol=BTCUSDT&limit=3")[1]
    first = aggregated[0]["a"]
    historical = get(f"/api/v3/historicalTrades?symbol=BTCUSDT&limit=3&fromId={first}")[1]
    assert historical == recent
    assert [trade["p"] for trade in aggregated] == [trade["price"] for trade in recent]
    by_id = get(f"/api/v3/aggTrades?symbol=BTCUSDT&limit=3&fromId={first}")[1]
    by_time = get(f"/api/v3/aggTrades?symbol=BTCUSDT&startTime={aggregated[0]['T']}")[1]
    assert by_id == aggregated == by_time


def test_labels_can_be_read_over_http() -> None:
    labels = get("/sandbox/labels")[1]
    crash = next(label for label in labels if label["name"] == "flash_crash")
    assert set(crash) == {"name", "start", "end", "start_ms", "end_ms", "pairs"}
    assert crash["start"].endswith("+00:00")
    assert len(labels) == len(SOURCE.labels())
    assert get("/sandbox/clock")[1] == {"now_ms": END_MS}
