"""What the exchange says at a moment agrees with its candles and never shows a later one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.candles import DAY_MS, HOUR_MS, MINUTE_MS, TIMEFRAMES_MS, Candles, aggregate
from sandbox.clock import FixedClock, ReplayClock
from sandbox.errors import ApiError
from sandbox.market_data import MarketData
from sandbox.regimes import find_labels
from sandbox.sources import GeneratedSource, span_ms

SOURCE = GeneratedSource(7, days=60)
START_MS, END_MS = span_ms(SOURCE)
BTC = SOURCE.candles("BTC/USDT")


def exchange_at(time_ms: int) -> MarketData:
    return MarketData(SOURCE, FixedClock(time_ms))


def opens(candles: Candles) -> list[int]:
    return candles.open_ms.tolist()


@settings(max_examples=30)
@given(st.sampled_from(["5m", "1h", "1d"]), st.integers(1, 1000))
def test_paging_by_start_time_gives_every_candle_once(interval: str, limit: int) -> None:
    exchange = exchange_at(END_MS)
    seen: list[int] = []
    start = START_MS
    # Two days at the outage, where candles are missing.
    if interval == "5m":
        start = find_labels(SOURCE.labels(), "outage")[0].start_ms - DAY_MS
        limit = max(limit, 20)
    end = min(END_MS, start + 2 * DAY_MS) if interval == "5m" else END_MS
    while page := opens(exchange.klines("BTCUSDT", interval, start, end - 1, limit)):
        assert len(page) <= limit
        seen += page
        start = page[-1] + 1
    whole = aggregate(BTC, TIMEFRAMES_MS[interval])
    assert seen == opens(whole.between(whole.open_ms[0] if not seen else seen[0], end))


def test_without_a_start_the_last_candles_come() -> None:
    page = exchange_at(END_MS).klines("BTCUSDT", "5m", limit=3)
    assert opens(page) == opens(BTC)[-3:]


def test_with_only_an_end_the_last_candles_up_to_it_come() -> None:
    end = START_MS + 10 * HOUR_MS
    page = exchange_at(END_MS).klines("BTCUSDT", "1h", end_ms=end, limit=4)
    assert opens(page) == [end - 3 * HOUR_MS, end - 2 * HOUR_MS, end - HOUR_MS, end]


def test_start_and_end_include_the_candles_that_open_on_them() -> None:
    start = START_MS + HOUR_MS
    page = exchange_at(END_MS).klines("BTCUSDT", "1h", start, start + HOUR_MS)
    assert opens(page) == [start, start + HOUR_MS]


@pytest.mark.parametrize("interval", ["5m", "15m", "1h", "1d", "1w"])
def test_the_forming_candle_comes_last_and_is_made_of_the_past_alone(interval: str) -> None:
    now = START_MS + 20 * DAY_MS + 7 * HOUR_MS + 13 * MINUTE_MS + 20_000
    page = exchange_at(now).klines("BTCUSDT", interval, limit=5)
    whole = aggregate(BTC, TIMEFRAMES_MS[interval])
    *_, last = opens(page)
    assert last <= now < last + TIMEFRAMES_MS[interval]
    finished = whole.between(last, last + 1)
    assert page.open[-1] == finished.open[0]
    assert page.high[-1] <= finished.high[0]
    assert page.volume[-1] < finished.volume[0]
    assert page.close[-1] == exchange_at(now).last_price("BTCUSDT")
    earlier = whole.between(0, last).rows(slice(-len(page) + 1, None))
    assert page.close[:-1].tolist() == earlier.close.tolist()


@settings(max_examples=40)
@given(st.integers(START_MS + DAY_MS, END_MS - 1), st.integers(1, 10 * DAY_MS))
def test_finished_candles_do_not_change_when_time_goes_on(now: int, wait: int) -> None:
    early = exchange_at(now).klines("BTCUSDT", "1h", START_MS, limit=1000)
    late = exchange_at(now + wait).klines("BTCUSDT", "1h", START_MS, limit=1000)
    finished = int((early.open_ms + HOUR_MS <= now).sum())
    assert opens(early)[:finished] == opens(late)[:finished]
    assert early.close[:finished].tolist() == late.close[:finished].tolist()


def test_no_candle_opens_after_now() -> None:
    now = START_MS + 5 * DAY_MS
    page = exchange_at(now).klines("BTCUSDT", "5m", now - HOUR_MS, now + DAY_MS)
    assert opens(page)[-1] == now
    assert page.volume[-1] == 0


def test_during_an_outage_the_last_candle_is_from_before_it() -> None:
    label = find_labels(SOURCE.labels(), "outage")[0]
    page = exchange_at(label.start_ms + HOUR_MS).klines("BTCUSDT", "5m", limit=2)
    assert opens(page)[-1] == label.start_ms - 5 * MINUTE_MS


@pytest.mark.parametrize("interval", ["1m", "7m", "", "1M"])
def test_an_interval_that_cannot_be_served_is_1120(interval: str) -> None:
    with pytest.raises(ApiError) as refusal:
        exchange_at(END_MS).klines("BTCUSDT", interval)
    assert refusal.value.code == -1120


def test_a_late_pair_is_unknown_before_its_listing() -> None:
    (label,) = find_labels(SOURCE.labels(), "listing")
    before, after = exchange_at(label.start_ms - 1), exchange_at(label.start_ms)
    assert "SUIUSDT" not in [market.symbol for market in before.markets()]
    with pytest.raises(ApiError) as refusal:
        before.klines("SUIUSDT", "5m")
    assert refusal.value.code == -1121
    assert "SUIUSDT" in [market.symbol for market in after.markets()]


def test_a_delisted_pair_stops_trading_but_keeps_its_history() -> None:
    (label,) = find_labels(SOURCE.labels(), "delisting")
    before, after = exchange_at(label.end_ms - 1), exchange_at(label.end_ms)
    assert before.market("XMRUSDT").is_trading(label.end_ms - 1)
    assert not after.market("XMRUSDT").is_trading(label.end_ms)
    assert before.delistings() == [(label.end_ms, ["XMRUSDT"])]
    assert after.delistings() == []
    assert len(after.klines("XMRUSDT", "5m", label.start_ms)) == 500
    assert after.book("XMRUSDT", 5).bids == []


def test_the_day_ticker_sums_the_candles_of_the_day() -> None:
    now = START_MS + 10 * DAY_MS
    ticker, day = exchange_at(now).ticker("ETHUSDT"), SOURCE.candles("ETH/USDT")
    day = day.between(now - DAY_MS + 1, now)
    assert ticker.volume == pytest.approx(day.volume.sum())
    assert ticker.quote_volume == pytest.approx(day.quote_volume.sum())
    assert (ticker.high, ticker.low) == (day.high.max(), day.low.min())
    assert ticker.open == day.open[0]


def test_a_day_without_trades_has_no_volume_and_keeps_the_last_price() -> None:
    ticker = exchange_at(END_MS).ticker("XMRUSDT")
    assert ticker.volume == 0
    assert ticker.last == SOURCE.candles("XMR/USDT").close[-1]
    assert ticker.trade_count == 0


@settings(max_examples=40)
@given(
    st.integers(START_MS + DAY_MS, END_MS - 1), st.sampled_from(["BTCUSDT", "WANUSDT", "BNBUSDT"])
)
def test_the_book_stands_around_the_last_price_on_ticks(now: int, symbol: str) -> None:
    exchange = exchange_at(now)
    book, last, market = exchange.book(symbol, 20), exchange.last_price(symbol), None
    market = exchange.market(symbol)
    bids, asks = [price for price, _ in book.bids], [price for price, _ in book.asks]
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    half_tick = market.tick_size / 2
    assert bids[0] - half_tick <= last <= asks[0] + half_tick
    assert bids[0] < asks[0]
    assert all(amount > 0 for _, amount in book.bids + book.asks)


def test_the_thin_pair_has_a_wide_spread_and_the_large_one_a_narrow_one() -> None:
    exchange = exchange_at(END_MS)
    wide, narrow = exchange.ticker("WANUSDT"), exchange.ticker("BTCUSDT")
    assert 1 - wide.bid[0] / wide.ask[0] > 0.005
    assert 1 - narrow.bid[0] / narrow.ask[0] < 0.0001


@pytest.mark.parametrize("symbol", ["BTCUSDT", "WANUSDT"])
def test_trades_add_up_to_the_candles_they_come_from(symbol: str) -> None:
    exchange = exchange_at(END_MS)
    candles = SOURCE.candles(exchange.market(symbol).pair)
    end = int(candles.open_ms[120])
    trades = exchange.trades_between(symbol, START_MS, end - 1, 1000)
    for row in range(120):
        opened = candles.open_ms[row]
        mine = (trades.time_ms >= opened) & (trades.time_ms < opened + candles.timeframe_ms)
        if not candles.volume[row]:
            assert not mine.any()
            continue
        prices = trades.price[mine]
        assert prices[[0, -1]].tolist() == [candles.open[row], candles.close[row]]
        assert (prices.max(), prices.min()) == (candles.high[row], candles.low[row])
        assert trades.amount[mine].sum() == pytest.approx(candles.volume[row])


def test_paging_by_trade_id_gives_every_trade_once_and_in_order() -> None:
    exchange = exchange_at(END_MS)
    first = exchange.trades_between("WANUSDT", START_MS + DAY_MS, END_MS, 7)
    ids, times = first.ids.tolist(), first.time_ms.tolist()
    for _ in range(40):
        page = exchange.trades_from("WANUSDT", ids[-1] + 1, 37)
        ids += page.ids.tolist()
        times += page.time_ms.tolist()
    assert ids == list(range(ids[0], ids[0] + 7 + 40 * 37))
    assert times == sorted(times)


def test_the_last_trades_are_the_newest_before_now() -> None:
    now = START_MS + 3 * DAY_MS + 61_000
    exchange = exchange_at(now)
    trades = exchange.trades_latest("BTCUSDT", 50)
    assert len(trades) == 50
    assert trades.time_ms[-1] <= now
    following = exchange_at(END_MS).trades_from("BTCUSDT", int(trades.ids[-1]) + 1, 1)
    assert following.time_ms[0] > now
    assert len(exchange.trades_from("BTCUSDT", int(trades.ids[-1]) + 1, 10)) == 0


def test_a_replay_clock_runs_from_its_moment_at_its_speed() -> None:
    real = FixedClock(1_000_000)
    clock = ReplayClock(START_MS, 60.0, real.now_ms)
    assert clock.now_ms() == START_MS
    real.time_ms += 2_000
    assert clock.now_ms() == START_MS + 2 * MINUTE_MS


def test_trade_ids_of_a_day_match_the_ticker() -> None:
    exchange = exchange_at(START_MS + 10 * DAY_MS)
    ticker = exchange.ticker("BTCUSDT")
    trades = exchange.trades_from("BTCUSDT", ticker.first_id, 1)
    assert trades.time_ms[0] >= START_MS + 9 * DAY_MS
    last = exchange.trades_latest("BTCUSDT", 1)
    assert abs(ticker.first_id + ticker.trade_count - 1 - int(last.ids[0])) <= 8
    assert np.isfinite(ticker.quote_volume)
