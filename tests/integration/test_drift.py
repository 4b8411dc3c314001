"""`python -m ballast drift`: a paper run without a fault is clean, and each fault put in is named.

The paper bot is Freqtrade's own (see `tests.behaviour.paper`); its trades and its journal are
files, and the command replays them as a real backtest.
"""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing, redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest

from ballast import __main__ as commands
from ballast.commands import backtest_options
from tests.behaviour.mini import LEADER, OTHER, PAIR, WARM_UP, at, quiet, signal, told
from tests.behaviour.paper import Paper, paper, stops_at_their_level
from tests.engine import base_config, candle_frame, offline_exchange

STRATEGY = '''
from ballast import GuardedStrategy, StopRules, above, below


class Drifting(GuardedStrategy):
    """Buys a close above 100.5 and leaves below 100."""

    timeframe = "1h"
    stops = StopRules(initial_atr=4)

    def entry_rules(self, pair, market):
        return {"high": above(pair.close, 100.5)}

    def exit_rules(self, pair, market):
        return {"low": below(pair.close, 100.0)}
'''
STORIES = {
    LEADER: [],
    # Bought at row 1, left by rule at row 5; bought at row 8, stopped at row 10.
    PAIR: [
        signal(),
        *quiet(3, 100.3),
        (100.2, 100.3, 99.4, 99.6),
        *quiet(2, 99.8),
        signal(),
        (100.9, 101.0, 100.2, 100.4),
        (100.4, 100.5, 100.1, 100.2),
        (100.2, 100.3, 92.0, 92.5),
        *quiet(4, 92.5),
    ],
    OTHER: [],
}
LENGTH = len(STORIES[PAIR])
BEGIN = -3
SIGNAL, LEAVING = 1, 5


@dataclass
class Faults:
    """What goes wrong in a paper run."""

    late_row: int | None = None
    worse_bids: float = 0.0
    missing_row: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)


def frames() -> dict[str, pd.DataFrame]:
    return {p: candle_frame(told(s, LENGTH), "1h") for p, s in sorted(STORIES.items())}


def ran_on_paper(folder: Path, faults: Faults) -> None:
    """Leaves trades.sqlite and the journal in the folder."""
    shown = frames()
    if faults.missing_row is not None:
        shown[PAIR] = shown[PAIR].drop(index=WARM_UP + faults.missing_row).reset_index(drop=True)
    settings: dict[str, Any] = {
        "db_url": f"sqlite:///{folder / 'trades.sqlite'}",
        "ballast": faults.settings,
    }
    with (
        stops_at_their_level() as stops,
        paper(folder / "Drifting.py", shown, folder, at(BEGIN), **settings, **stops) as bot,
    ):
        worse = _worse_bids(bot, faults.worse_bids)
        with patch.object(bot.bot.exchange, "fetch_l2_order_book", worse):
            for row in range(BEGIN + 1, LENGTH):
                _hour(bot, row, late=row == faults.late_row)
        assert not bot.bot.strategy.incidents.counts


def _hour(bot: Paper, row: int, *, late: bool) -> None:
    if late:
        bot.deliver(at(row))
        bot.prices[PAIR] = 1.002 * float(bot.frames[PAIR]["open"].iloc[WARM_UP + row])
        bot.loop(at(row) + timedelta(seconds=90))
    else:
        bot.step(at(row))
    bot.loop(at(row) + timedelta(seconds=100))
    for trade in [trade for trade in bot.trades if trade.is_open]:
        now = bot.frames[trade.pair].set_index("date")["low"].get(at(row))
        if now is not None and now <= trade.stop_loss:
            bot.prices[trade.pair] = trade.stop_loss
    bot.loop(at(row) + timedelta(minutes=30))


def _worse_bids(bot: Paper, share: float) -> Any:
    def book(pair: str, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        price = bot.prices[pair]
        return {"bids": [[price * (1 - share), 1e9]], "asks": [[price, 1e9]]}

    return book


def drifted(folder: Path, *arguments: str, level: str = "none") -> tuple[int, dict[str, Any]]:
    """Exit code and figures of the command."""
    with redirect_stdout(io.StringIO()) as printed:
        code = told_of(folder, "drift", "--json", *arguments, level=level)
    return code, json.loads(printed.getvalue() or "{}")


def told_of(folder: Path, command: str, *arguments: str, level: str) -> int:
    """Exit code of a command about the bot whose files are in the folder."""
    full = {
        **base_config(folder, sorted(STORIES)),
        "strategy_path": str(folder),
        "stake_amount": "unlimited",
        "entry_pricing": {"price_side": "other", "use_order_book": False},
        "exit_pricing": {"price_side": "other", "use_order_book": False},
        "enable_protections": True,
        "ballast": {},
    }
    kept = {name: value for name, value in full.items() if name not in ("runmode", "datadir")}
    (folder / "config.json").write_text(json.dumps(kept, default=str))
    data = folder / "candles"
    data.mkdir(exist_ok=True)
    for pair, frame in frames().items():
        frame.to_feather(data / f"{pair.replace('/', '_')}-1h.feather")
    exchange = offline_exchange(base_config(folder, sorted(STORIES)), sorted(STORIES))
    markets = dict(exchange.markets)
    exchange.close()
    given = [command, "-c", str(folder / "config.json"), "--datadir", str(data), "--level", level]
    given += ["--db-url", f"sqlite:///{folder / 'trades.sqlite'}"]
    with patch.object(backtest_options, "markets_of", lambda *_: markets):
        return commands.main([*given, *arguments])


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    (tmp_path / "Drifting.py").write_text(STRATEGY)
    return tmp_path


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean")
    (folder / "Drifting.py").write_text(STRATEGY)
    ran_on_paper(folder, Faults())
    return folder


def test_a_run_without_a_fault_is_clean(clean: Path) -> None:
    code, found = drifted(clean)
    assert found["differences"] == []
    assert found["signal_match"] == 1.0
    assert found["candles"] > 3 * LENGTH
    assert found["trades"] == {"both": 2, "missed": 0, "extra": 0}
    assert code == 0


def test_orders_that_were_late_are_named(bot: Path) -> None:
    ran_on_paper(bot, Faults(late_row=SIGNAL))
    code, found = drifted(bot)
    ((layer, pair, _, what, have, _),) = found["differences"]
    assert (code, layer, pair, what) == (1, "fills", PAIR, "late entry")
    assert have.startswith("90 s after, +20.0 bps")
    assert found["signal_match"] == 1.0
    assert found["shortfall_bps"]["delay"] > 5
    assert abs(found["shortfall_bps"]["execution"]) < 1


def test_fills_that_were_worse_are_named(bot: Path) -> None:
    ran_on_paper(bot, Faults(worse_bids=0.0015))
    code, found = drifted(bot, level="base")
    fills = {(layer, what) for layer, _, _, what, _, _ in found["differences"]}
    assert code == 1
    # The stop's is no worse than the model's, which knows the low of its candle.
    assert fills == {("fills", "worse exit fill")}
    assert found["signal_match"] == 1.0
    assert found["shortfall_bps"]["execution"] == pytest.approx(15, abs=1)


def test_a_candle_that_the_bot_missed_is_named(bot: Path) -> None:
    ran_on_paper(bot, Faults(missing_row=3))
    code, found = drifted(bot)
    layer, pair, moment, *_ = found["differences"][0]
    assert code == 1
    assert (layer, pair, moment) == ("candles", PAIR, f"{at(3):%Y-%m-%d %H:%M}")
    assert {name for name, count in found["layers"].items() if count} == {"candles"}
    assert found["signal_match"] < 1


def test_settings_that_were_changed_are_named(bot: Path) -> None:
    ran_on_paper(bot, Faults(settings={"risk": {"per_trade_pct": 0.25}}))
    code, found = drifted(bot)
    assert code == 1
    assert found["differences"][0] == [
        "settings",
        "all",
        "all",
        "risk.per_trade_pct",
        "0.25",
        "0.5",
    ]


def test_the_cost_model_is_held_against_recorded_fills(
    clean: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Paper fills at the price asked cost nothing; the model charges both sides and the stop."""
    assert told_of(clean, "costs", level="base") == 0
    shown = capsys.readouterr().out
    assert "entry, all pairs" in shown
    assert "stop, all pairs" in shown


def test_a_page_and_a_few_sentences_say_it(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = clean / "drift.html"
    told_of(clean, "drift", "--html", str(page), level="none")
    assert "Signal match 100 %" in capsys.readouterr().out
    text = page.read_text("utf-8")
    assert "Drift of Drifting" in text
    assert "Signal match 100" in text
    assert "http://" not in text.replace("http://www.w3.org", "").split("<script>", 1)[0]


def copied(folder: Path, to: Path) -> Path:
    """The database of a bot that may still have it open."""
    path = to / "other.sqlite"
    with (
        closing(sqlite3.connect(folder / "trades.sqlite")) as one,
        closing(sqlite3.connect(path)) as two,
    ):
        one.backup(two)
    return path


def _change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_the_database_of_another_bot_is_refused(
    clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = copied(clean, tmp_path)
    _change(other, "DELETE FROM trades")
    code, _ = drifted(clean, "--db-url", f"sqlite:///{other}")
    assert code == 2
    assert "has no trade of Drifting, and the journal tells of 2" in capsys.readouterr().err


def test_the_database_of_another_strategy_is_refused(
    clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = copied(clean, tmp_path)
    _change(other, "UPDATE trades SET strategy = 'Another'")
    code, _ = drifted(clean, "--db-url", f"sqlite:///{other}")
    assert code == 2
    assert "is another strategy's: Another, not Drifting" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--journal", "nowhere"],
            "there is no journal nowhere: expected that of a bot",
        ),
        (["--db-url", "sqlite:///nowhere"], "there is no such database"),
        (["--strategy", "Nobody"], "has decisions of Drifting: Nobody is not among them"),
        (["--late", "-1"], "--late is -1: expected seconds from 0"),
        (["--datadir", "nowhere"], "--datadir nowhere is not a folder"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_one_sentence(
    clean: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    code, _ = drifted(clean, *arguments)
    said = capsys.readouterr().err
    assert code == 2
    assert said.startswith("ballast: ")
    assert sentence in said
    assert said.count("\n") == 1
