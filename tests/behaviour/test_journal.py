"""The journal accounts for every closed candle of every pair, and `why` answers the same both ways.

A month of a generated market is backtested with the journal on; a few days are traded on paper.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pandas as pd
import pytest
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType

from ballast.__main__ import main
from ballast.commands.recompute import load_config, recomputed
from ballast.core.account import State
from ballast.core.decision import Outcome
from ballast.core.status import GAUGES
from ballast.journal.reader import Reader, Row, stop_moves
from ballast.journal.rows import as_stored
from tests.behaviour.market import candles, source
from tests.engine import ROOT, BacktestOutcome, run_backtest

# Start-up, and a month.
DAYS = 58
PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT", "SUI/USDT", "XMR/USDT")
HOUR = timedelta(hours=1)
# Easily alarmed, so that signals are refused.
GUARDS = {"MarketShockHalt": {"leader_fall_pct": 2.0, "pause_hours": 24.0}}
STRATEGY = "strategies/RisingMarket.py"


@dataclass
class Month:
    """A month that was backtested, its journal, and a bot's folder with its candles."""

    outcome: BacktestOutcome
    journal: Path
    folder: Path

    @property
    def rows(self) -> pd.DataFrame:
        """All rows, with candles as UTC times."""
        with sqlite3.connect(self.journal) as connection:
            rows = pd.read_sql("SELECT * FROM decisions", connection)
        return rows.assign(candle=pd.to_datetime(rows["candle"], utc=True))


def backtest(frames: dict[str, pd.DataFrame], journal: Path, *, keep: bool) -> BacktestOutcome:
    prices = {"price_side": "other", "use_order_book": False}
    settings = {
        "stake_amount": "unlimited",
        "entry_pricing": prices,
        "exit_pricing": prices,
        "ballast": {"guards": GUARDS, "journal": {"backtest": keep}},
    }
    with patch("ballast.runtime.journal.journal_path", lambda *_args, **_settings: journal):
        return run_backtest(
            STRATEGY, frames, timeframe="1h", config=settings, fee=0.001, protections=True
        )


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    market = source(DAYS, PAIRS)

    return {pair: candles(market, pair, "1h") for pair in sorted(PAIRS)}


@pytest.fixture(scope="module")
def month(frames: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Month:
    folder = tmp_path_factory.mktemp("bot")
    store(frames, folder)
    journal = folder / "user_data" / "ballast_journal.backtest.sqlite"
    return Month(backtest(frames, journal, keep=True), journal, folder)


def store(frames: dict[str, pd.DataFrame], folder: Path) -> None:
    """A bot's folder: its configuration, and candles as Freqtrade stores them."""
    data = folder / "user_data" / "data" / "binance"
    data.mkdir(parents=True)
    handler = get_datahandler(data, "feather")
    for pair, frame in frames.items():
        handler.ohlcv_store(pair, "1h", frame, CandleType.SPOT)
    config = json.loads((ROOT / "config.json").read_text())
    config |= {"user_data_dir": str(folder / "user_data"), "strategy": "RisingMarket"}
    config |= {"strategy_path": str(ROOT / "strategies"), "ballast": {"guards": GUARDS}}
    config["exchange"]["pair_whitelist"] = list(frames)
    (folder / "config.json").write_text(json.dumps(config))


def test_every_pair_has_one_row_for_every_closed_candle(month: Month) -> None:
    rows, frames = month.rows, month.outcome.frames
    # A backtest ends at the open of its last candle, which has not closed then.
    expected = sorted({date for frame in frames.values() for date in frame["date"]})[:-1]
    assert len(expected) > 24 * 30
    for pair, frame in frames.items():
        own = rows[rows["pair"] == pair].sort_values("candle")
        assert own["candle"].tolist() == expected, pair
        listed = own["candle"].between(frame["date"].iloc[0], frame["date"].iloc[-1])
        assert not own[listed]["outcome"].eq("UNSEEN").any(), pair
    assert len(rows) == len(expected) * len(frames)
    assert not month.outcome.strategy.incidents.counts


def test_each_trade_is_found_from_its_row_and_back(month: Month) -> None:
    rows, trades = month.rows, month.outcome.closed_trades
    assert len(trades) > 5
    entered = rows[rows["outcome"] == "ENTERED"].set_index("trade_id")
    assert sorted(entered.index) == sorted(trade.id for trade in trades)
    for trade in trades:
        row = entered.loc[trade.id]
        assert (row["pair"], row["candle"]) == (trade.pair, trade.open_date_utc - HOUR)
        held = rows[(rows["trade_id"] == trade.id) & (rows["outcome"] != "ENTERED")]
        inside = (trade.close_date_utc - trade.open_date_utc) / HOUR
        assert len(held) == inside
        if inside and trade.exit_reason != "force_exit":
            last = held.sort_values("candle").iloc[-1]
            assert (last["outcome"], last["code"]) == ("LEFT", trade.exit_reason)


def test_rows_say_what_the_frames_say(month: Month) -> None:
    rows = month.rows
    for pair, frame in month.outcome.frames.items():
        own = rows[(rows["pair"] == pair) & rows["trade_id"].isna()]
        seen = own.merge(frame, left_on="candle", right_on="date", suffixes=("", "_frame"))
        signalled = seen["outcome"].isin(["SIGNAL", "REFUSED", "ORDERED"])
        assert (signalled == (seen["enter_long"] == 1)).all(), pair
        assert (seen["outcome"].eq("UNTRUSTED") == seen["trust_frame"].ne(0)).all(), pair


def test_a_month_holds_something_of_everything(month: Month) -> None:
    """An accounting of nothing would always add up."""
    assert set(month.rows["outcome"]) >= {
        "ENTERED",
        "HOLDING",
        "LEFT",
        "NO_SIGNAL",
        "REFUSED",
        "UNTRUSTED",
    }


def test_a_journal_changes_nothing(month: Month, frames: dict, tmp_path: Path) -> None:
    without = backtest(frames, tmp_path / "none.sqlite", keep=False)
    assert not (tmp_path / "none.sqlite").exists()
    columns = ["pair", "open_date", "close_date", "stake_amount", "profit_abs", "exit_reason"]
    pd.testing.assert_frame_equal(
        without.trades[columns], month.outcome.trades[columns], check_exact=True
    )


def both_ways(month: Month, pair: str, moment: datetime) -> tuple[Row, Row]:
    """The row of the candle that ended at a moment, read and worked out."""
    reader = Reader(month.journal, "RisingMarket")
    read = reader.row(pair, moment - HOUR)
    reader.close()
    config = load_config({"config": [str(month.folder / "config.json")]})
    assert read is not None
    return read, recomputed(config, pair, moment)


def sample(rows: pd.DataFrame, outcome: str, count: int) -> list[tuple[str, datetime]]:
    """Some rows of an outcome, whatever the seed of anything."""
    chosen = rows[rows["outcome"] == outcome].sort_values(["candle", "pair"])
    step = max(1, len(chosen) // count)
    return [
        (row.pair, row.candle.to_pydatetime() + HOUR)
        for row in chosen.iloc[::step].head(count).itertuples()
    ]


@pytest.mark.parametrize("outcome", ["NO_SIGNAL", "UNTRUSTED", "REFUSED"])
def test_why_gives_the_same_answer_from_the_journal_and_from_candles(
    month: Month, outcome: str
) -> None:
    rows = month.rows
    # Other refusals follow from the account, which candles do not hold.
    of_candles = rows["code"].isin(["VOLATILITY", "MARKET_SHOCK", "DATA_OUTAGE"])
    chosen = sample(rows[of_candles | (rows["outcome"] != "REFUSED")], outcome, 3)
    assert chosen
    for pair, moment in chosen:
        read, worked_out = both_ways(month, pair, moment)
        one, other = read.decision, as_stored(worked_out.decision)
        assert (one.outcome, one.code, one.setup) == (other.outcome, other.code, other.setup)
        assert one.value == pytest.approx(other.value, rel=1e-6)
        assert one.limit == pytest.approx(other.limit, rel=1e-6)
        assert one.unmet().keys() == other.unmet().keys()
        for name, reading in one.rules.items():
            assert reading.met == other.rules[name].met, name
            assert reading.value == pytest.approx(other.rules[name].value, rel=1e-6, nan_ok=True), (
                name
            )
        assert (read.strategy, read.timeframe) == (worked_out.strategy, worked_out.timeframe)


def test_of_an_entry_candles_tell_the_signal_and_the_rules(month: Month) -> None:
    """Size and slots depend on the account, which candles do not hold."""
    pair, moment = sample(month.rows, "ENTERED", 1)[0]
    read, worked_out = both_ways(month, pair, moment)
    assert worked_out.decision.outcome is Outcome.SIGNAL
    assert worked_out.decision.setup == read.decision.setup
    assert {n: r.met for n, r in worked_out.decision.rules.items()} == {
        n: r.met for n, r in read.decision.rules.items()
    }


def test_the_account_is_written_once_a_candle_and_agrees_with_what_is_held(month: Month) -> None:
    """What heat, R and limits are is worked out once, by what decides; every screen reads it."""
    with closing(Reader(month.journal)) as reader:
        accounts = {account.candle: account for account in reader.accounts()}
    held = month.rows[month.rows["outcome"].isin(["HOLDING", "LEFT"])]
    assert sorted(accounts) == sorted(month.rows["candle"].unique())
    trades = {trade.id: trade for trade in month.outcome.closed_trades}
    first = {
        trade: moves[0].value for trade, moves in stop_moves(month.journal, list(trades)).items()
    }
    compared = 0
    for candle, rows in held.groupby("candle"):
        account = accounts[candle]
        assert {each.pair for each in account.positions} == set(rows["pair"])
        for each in account.positions:
            row = rows[rows["pair"] == each.pair].iloc[0]
            trade = trades[each.trade_id]
            assert each.close == pytest.approx(row["close"])
            assert each.stop == pytest.approx(row["stop"])
            assert each.entry == trade.open_rate
            assert each.risk > each.value - trade.amount * each.stop
            at_risk = trade.open_rate - first[each.trade_id]
            assert each.r == pytest.approx(
                (each.close - trade.open_rate) / at_risk, abs=0.1, rel=0.05
            )
            compared += 1
        heat = 100 * sum(each.risk for each in account.positions) / account.equity
        assert account.gauges["PORTFOLIO_HEAT"].value == pytest.approx(heat)
        value = 100 * sum(each.value for each in account.positions) / account.equity
        assert account.gauges["EXPOSURE_CAP"].value == pytest.approx(value)
    assert compared > 100
    smallest = min(account.multiplier for account in accounts.values())
    assert smallest == 0
    halted = [account for account in accounts.values() if account.multiplier == 0]
    assert {account.state for account in halted} == {State.HALTED}
    assert all("MarketShockHalt" in account.guards for account in halted)


def test_status_shows_limits_positions_and_what_is_nearest_on_one_screen(
    month: Month, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(month.folder)
    monkeypatch.setenv("COLUMNS", "80")
    assert main(("status", "--backtest")) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("RisingMarket 1h  ")
    assert shown[1].startswith("by the candle that ended 2024-02-27 23:00 UTC; the next ends in 60")
    for name in GAUGES.values():
        assert sum(line.startswith(name) for line in shown) == 1, name
    assert any("rules unmet" in line for line in shown)
    assert len(shown) < 40
    assert max(map(len, shown)) <= 80
