"""RegimeSwitch answers for RisingMarket for one release: same trades, its own parameter file."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pytest
from freqtrade.resolvers import StrategyResolver

from tests.behaviour.market import candles, source
from tests.engine import ROOT, run_backtest
from tools.run_backtest import find_strategies

FORMER, NAME = "RegimeSwitch", "RisingMarket"
PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")


def test_the_former_name_makes_the_trades_of_the_present_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    market = source(60, PAIRS)
    frames = {pair: candles(market, pair, "1h") for pair in PAIRS}
    prices = {"price_side": "other", "use_order_book": False}
    config = {"entry_pricing": prices, "exit_pricing": prices}
    present = run_backtest(f"strategies/{NAME}.py", frames, config=config)
    with caplog.at_level(logging.WARNING):
        former = run_backtest(f"strategies/{FORMER}.py", frames, config=config)
    assert len(present.trades) > 0
    assert former.trades.equals(present.trades)
    assert f"{FORMER} is now called {NAME}" in caplog.text


def test_the_parameter_file_of_the_former_name_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "strategies"
    shutil.copytree(ROOT / "strategies", folder, ignore=shutil.ignore_patterns("__pycache__"))
    values = {"strategy_name": FORMER, "params": {"buy": {"channel_days": 9}}}
    (folder / f"{FORMER}.json").write_text(json.dumps(values), encoding="utf-8")
    config = {"strategy": FORMER, "strategy_path": str(folder), "user_data_dir": tmp_path}
    strategy = StrategyResolver.load_strategy({**config, "stake_currency": "USDT"})
    strategy.ft_load_hyper_params(False)
    assert strategy.channel_days.value == 9


def test_make_backtest_runs_it_once() -> None:
    names = find_strategies(ROOT / "strategies")
    assert NAME in names
    assert FORMER not in names
