"""`settings` shows what holds, where it comes from, what it may be; and what a whitelist means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ballast.__main__ import main
from ballast.config.described import described
from ballast.config.market import MarketSettings
from ballast.config.settings import Settings
from tests.engine import ROOT


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two files, the second over the first, and the environment over both."""
    below = {
        "stake_currency": "USDT",
        "exchange": {"pair_whitelist": ["BTC/USDT", "SOL/USDT"]},
        "ballast": {"risk": {"per_trade_pct": 0.4, "gap_pct": 1.0}},
    }
    above = {"ballast": {"risk": {"gap_pct": 2.0}, "market": {"basket": ["BTC/USDT"]}}}
    monkeypatch.setenv("FREQTRADE__BALLAST__GATE__SPREAD_BPS", "9.0")
    arguments = []
    for name, config in (("below.json", below), ("above.json", above)):
        (tmp_path / name).write_text(json.dumps(config), encoding="utf-8")
        arguments += ["-c", str(tmp_path / name)]
    return arguments


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["settings", *arguments]) == 0
    return capsys.readouterr().out


def test_each_setting_has_its_value_default_range_and_source(
    configs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(told(capsys, *configs, "--json"))
    assert {each.name for each in described(Settings(), Settings())} == found.keys()
    trade = found["risk.per_trade_pct"]
    assert (trade["value"], trade["default"]) == (0.4, 0.5)
    assert trade["accepted"] == "a number above 0 to 2"
    assert trade["source"] == str(tmp_path / "below.json")
    assert found["risk.gap_pct"]["value"] == 2.0
    assert found["risk.gap_pct"]["source"] == str(tmp_path / "above.json")
    assert (found["gate.spread_bps"]["value"], found["gate.spread_bps"]["source"]) == (
        9.0,
        "environment",
    )
    assert found["risk.fee_pct"]["source"] == "default"


def test_by_itself_it_shows_what_is_set_and_words_choose(
    configs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    names = [line for line in told(capsys, *configs).splitlines() if " = " in line]
    assert [name.partition(" = ")[0] for name in names] == [
        "risk.per_trade_pct",
        "risk.gap_pct",
        "market.basket",
        "gate.spread_bps",
    ]
    chosen = told(capsys, *configs, "DAILYLOSS")
    assert "guards.DailyLossLimit.reducing_pct = " in chosen
    assert "risk." not in chosen
    assert main(["settings", *configs, "nothing_like_it"]) == 2
    assert "is in no setting's name" in capsys.readouterr().err


def test_it_fits_eighty_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = told(capsys, "-c", str(ROOT / "config.json"), "risk", "guards")
    assert max(map(len, shown.splitlines())) <= 80


def test_a_long_value_goes_on_indented(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = told(capsys, "-c", str(ROOT / "config.json"), "basket").splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("market.basket = "))
    assert '"ETH/USDT"' in lines[first]
    assert lines[first + 1].startswith('    "')


def test_a_whitelist_of_other_pairs_than_the_basket_is_warned_of(
    configs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    said = " ".join(told(capsys, *configs).split())
    assert "warning: ballast.market.basket is not the whitelist: SOL/USDT traded and not" in said
    assert "leader BTC/USDT" in said
    # That of the repository is of one piece.
    assert "warning" not in told(capsys, "-c", str(ROOT / "config.json"))


@pytest.mark.parametrize(
    ("basket", "whitelist", "said"),
    [
        (None, ["A/USDT"], ""),
        (["A/USDT", "B/USDT"], ["B/USDT", "A/USDT"], ""),
        (["A/USDT"], ["A/USDT", "B/USDT"], "B/USDT traded and not in it"),
        (["A/USDT", "B/USDT"], ["A/USDT"], "B/USDT in it and not traded"),
    ],
)
def test_basket_and_whitelist_are_compared_as_sets(
    basket: list[str] | None, whitelist: list[str], said: str
) -> None:
    found = MarketSettings(basket=basket).unlike(whitelist)
    assert said in found
    assert bool(found) is bool(said)


def test_a_wrong_setting_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.json"
    path.write_text('{"ballast": {"risk": {"per_trade_pct": 50}}}', encoding="utf-8")
    assert main(["settings", "-c", str(path)]) == 2
    assert "ballast.risk.per_trade_pct is 50: expected" in capsys.readouterr().err
