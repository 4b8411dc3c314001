"""Settings have their last word, and only then are they judged: in backtests, hyperopt and trading.

What `python -m ballast preflight` fails of the settings, `freqtrade trade` refuses in its words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from freqtrade.data.dataprovider import DataProvider
from freqtrade.exceptions import OperationalException
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.resolvers import StrategyResolver

from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.rules import Rule
from ballast.core.uptrend import leads_rising_market
from ballast.ops.preflight import inspect
from ballast.ops.preflight.check import Bot, Level
from ballast.strategy.guarded import GuardedStrategy
from tests.behaviour.mini import LEADER, PAIR, Mini, at, play, quiet, signal, told
from tests.behaviour.paper import paper
from tests.behaviour.wishes import Wishes, held
from tests.engine import candle_frame, resolvable

BOUGHT = [*quiet(2), signal(), (101, 101.4, 100.8, 101.2), *quiet(3, 101)]
SOURCE = """
from ballast import GuardedStrategy, StopRules, above


class Tuned(GuardedStrategy):
    timeframe = "1h"
    stops = StopRules(initial_atr=4)

    def entry_rules(self, pair, market):
        return {"high": above(pair.close, 100.5)}
"""


def tuned(folder: Path, **params: Any) -> Path:
    """A strategy, and beside it the file in which hyperopt leaves what it found."""
    path = folder / "Tuned.py"
    path.write_text(SOURCE, encoding="utf-8")
    found = {"strategy_name": "Tuned", "params": params}
    path.with_suffix(".json").write_text(json.dumps(found), encoding="utf-8")
    return path


@contextmanager
def on_paper(strategy: Any, folder: Path, **settings: Any) -> Iterator[Any]:
    frames = {pair: candle_frame(told([], 3), "1h") for pair in (LEADER, PAIR)}
    (folder / "bot").mkdir(exist_ok=True)
    with paper(strategy, frames, folder / "bot", at(0), **settings) as bot:
        yield bot


PARAMETERS = [
    ({"stoploss": {"stoploss": -0.99}}, "stoploss is -0.99: expected a disaster stop"),
    ({"trailing": {"trailing_stop": True}}, "trailing_stop is True: expected False"),
    ({"roi": {"0": 0.02, "60": 0}}, "minimal_roi is {0: 0.02, 60: 0}: expected"),
]


@pytest.mark.parametrize(("params", "sentence"), PARAMETERS)
def test_what_hyperopt_has_left_beside_a_strategy_is_judged_in_a_backtest(
    params: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    """-0.99 was traded silently, and the worst trade lost a quarter."""
    with pytest.raises(OperationalException, match=sentence):
        play(BOUGHT, tuned(tmp_path, **params))


@pytest.mark.parametrize(("params", "sentence"), PARAMETERS)
def test_and_before_a_bot_trades(params: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with (
        pytest.raises(OperationalException, match=sentence),
        on_paper(tuned(tmp_path, **params), tmp_path),
    ):
        pass


def test_what_changes_nothing_that_is_safe_is_taken(tmp_path: Path) -> None:
    """Such a file holds all four, whatever hyperopt was asked for."""
    params = {
        "roi": {"0": 10},
        "stoploss": {"stoploss": -0.1},
        "trailing": {"trailing_stop": False, "trailing_stop_positive": None},
        "max_open_trades": {"max_open_trades": 3},
    }
    assert len(play(BOUGHT, tuned(tmp_path, **params)).trades) == 1


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"minimal_roi": {"0": 0.01}}, r"minimal_roi is {0: 0\.01}: expected {'0': 10}"),
        ({"trailing_stop": True}, "trailing_stop is True"),
        ({"stoploss": -0.5}, "stoploss is -0.5"),
        ({"disable_dataframe_checks": True}, "disable_dataframe_checks is True"),
    ],
)
def test_the_configuration_is_judged_in_backtests_as_in_trading(
    setting: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(OperationalException, match=sentence):
        play(BOUGHT, config=setting)
    with pytest.raises(OperationalException, match=sentence), on_paper(Mini, tmp_path, **setting):
        pass


@pytest.mark.parametrize(
    ("name", "value"), [("stoploss", -0.99), ("trailing_stop", True), ("minimal_roi", {0: 0.01})]
)
def test_values_that_are_set_by_epoch_are_judged_at_every_epoch(name: str, value: Any) -> None:
    """Hyperopt starts the strategy once, and then sets them before each backtest."""
    backtest = Backtesting.backtest

    def epoch(self: Backtesting, *args: Any, **kwargs: Any) -> Any:
        setattr(self.strategy, name, value)
        return backtest(self, *args, **kwargs)

    with (
        patch.object(Backtesting, "backtest", epoch),
        pytest.raises(OperationalException, match=f"{name} is "),
    ):
        play(BOUGHT)


class Late(Mini):
    """Its class is sound, and so it is when it is made."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.confirm_trade_exit = lambda **_: False


def test_a_veto_that_was_hung_on_the_instance_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(OperationalException, match="Late redefines confirm_trade_exit"):
        play(BOUGHT, Late)
    with (
        pytest.raises(OperationalException, match="Late redefines confirm_trade_exit"),
        on_paper(Late, tmp_path),
    ):
        pass


SAME_FILE = """
from freqtrade.strategy import IStrategy

from ballast import guarded


class Theirs(IStrategy):
    timeframe = "1h"
    stoploss = -0.1
    minimal_roi = {"0": 10}
    startup_candle_count = 10

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe.loc[dataframe["close"] > 100.5, "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe


class Both(guarded(Theirs)): ...
"""


def test_the_two_lines_may_stand_in_the_strategys_own_file(tmp_path: Path) -> None:
    """Freqtrade imports the file under no name, so that theirs has none to look beside."""
    path = tmp_path / "Both.py"
    path.write_text(SAME_FILE, encoding="utf-8")
    assert len(play(BOUGHT, path).trades) == 1


@pytest.mark.parametrize(
    ("protections", "sentence"),
    [
        (
            property(lambda self: self.missing),
            "Odd: protections raised AttributeError: .*'missing'",
        ),
        ({"method": "CooldownPeriod"}, "protections of Odd are {'method': 'CooldownPeriod'}: exp"),
        (["CooldownPeriod"], r"protections of Odd are \['CooldownPeriod'\]: expected a list"),
    ],
)
def test_protections_of_theirs_that_are_none_are_told_in_one_sentence(
    protections: Any, sentence: str
) -> None:
    odd = type("Odd", (Wishes,), {"protections": protections})
    with pytest.raises(OperationalException, match=sentence) as refused:
        play(BOUGHT, held(odd))
    assert "\n" not in str(refused.value)


STRONG = {
    "enabled": True,
    "listen_ip_address": "127.0.0.1",
    "listen_port": 8080,
    "username": "me",
    "password": "tR8-kq2-Xw5-bn",
    "jwt_secret_key": "k3J9-xQ2_vT7m-Zp4-Lw8-Rb6-Hd1-Yc5",
}
NO_STOP = {**GuardedStrategy.order_types, "stoploss_on_exchange": False}


@pytest.mark.parametrize(
    "settings",
    [
        {"trading_mode": "futures"},
        {"order_types": NO_STOP},
        {"cancel_open_orders_on_exit": False},
        {"exchange": {"name": "bybit"}},
        {"max_open_trades": -1, "stake_amount": 100},
        {"ignore_buying_expired_candle_after": 7200},
        {"stoploss": -0.5},
        {"minimal_roi": {"0": 0.01}},
        {"api_server": {**STRONG, "password": "freqtrader"}},
        {"api_server": {**STRONG, "jwt_secret_key": "a" * 32}},
        {"telegram": {"enabled": True, "token": "mine", "chat_id": "1"}},
    ],
    ids=lambda settings: ",".join(settings),
)
def test_what_preflight_fails_a_bot_refuses_in_the_same_words(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    with (
        pytest.raises(OperationalException) as refused,
        on_paper(Mini, tmp_path, **settings),
    ):
        pass
    sentence = str(refused.value)
    assert sentence in {*failures(settings), str(loading_refused(settings))}


def failures(settings: dict[str, Any]) -> set[str]:
    """What preflight fails of the settings; what it would have to ask elsewhere is left out."""
    asked = {"stops", "exits", "positions", "protections", "old signals", "API", "Telegram"}
    try:
        strategy = loaded(settings)
    except OperationalException:
        return set()
    found = inspect(Bot(strategy.config, strategy))
    failed = [f for name, f in found if name in asked and f.level is Level.FAIL]
    return {f"{finding.what}: {finding.todo}" for finding in failed}


def loading_refused(settings: dict[str, Any]) -> OperationalException | None:
    """What preflight says where the strategy cannot even be loaded."""
    try:
        loaded(settings)
    except OperationalException as refusal:
        return refusal
    return None


def loaded(settings: dict[str, Any]) -> Any:
    with resolvable(Mini) as names:
        base = {"dry_run": True, "stake_currency": "USDT", "exchange": {"name": "binance"}}
        base["cancel_open_orders_on_exit"] = True
        return StrategyResolver.load_strategy({**base, "max_open_trades": 3, **settings, **names})


class Leader(Mini):
    """Asks for what a pair alone cannot be."""

    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        return leads_rising_market(pair, market)


NEVER = "can never be met (Leader: leads): name more pairs in ballast.market.basket"


def test_rules_that_cannot_be_met_are_named_at_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A whitelist of one pair never bought, and nothing said why."""
    frames = {LEADER: candle_frame(told([], 3), "1h")}
    sent: list[str] = []
    with (
        patch.object(DataProvider, "send_msg", lambda _, text, **__: sent.append(text)),
        paper(Leader, frames, tmp_path, at(0)),
    ):
        pass
    assert NEVER in caplog.text
    assert any(NEVER in text for text in sent)
    caplog.clear()
    play({LEADER: BOUGHT}, Leader)
    assert NEVER in caplog.text
    caplog.clear()
    play({LEADER: BOUGHT, PAIR: BOUGHT}, Leader)
    assert NEVER not in caplog.text
