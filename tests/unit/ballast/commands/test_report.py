"""`python -m ballast report`: a page, figures and findings from results, or one sentence."""

from __future__ import annotations

import html
import json
import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ballast.__main__ import main
from tests.html_page import Shown
from tests.unit.ballast.research.report.made import START, trade, write_zip

PAIRS = ("BTC/USDT", "ETH/USDT")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_candles(folder: Path, *pairs: str, days: int = 700) -> Path:
    """Daily candles from 300 days before the results until their end."""
    datadir = folder / "candles"
    datadir.mkdir(exist_ok=True)
    for number, pair in enumerate(pairs):
        moves = 0.03 * np.random.default_rng(number).standard_normal(days)
        close = 100 * np.exp(np.cumsum(moves))
        dates = pd.date_range(START - pd.Timedelta(days=300), periods=days, freq="1D")
        frame = pd.DataFrame({"date": dates, "open": close, "high": close * 1.01})
        frame = frame.assign(low=close * 0.99, close=close, volume=10.0)
        frame.to_feather(datadir / f"{pair.replace('/', '_')}-1d.feather")
    return datadir


def equity(days: int = 400, seed: int = 1, mean: float = 0.001) -> list[float]:
    noise = np.random.default_rng(seed).standard_normal(days)
    return list(1e4 * np.cumprod(1 + mean + 0.005 * noise))


def trades(count: int = 60) -> list[dict[str, Any]]:
    chance = np.random.default_rng(3)
    return [
        trade(
            float(4 * chance.standard_normal() + 1),
            day=float(6 * n),
            days=3,
            pair=PAIRS[n % 2],
            exit_reason="stop_loss" if n % 3 else "chandelier_exit",
        )
        for n in range(count)
    ]


def stress(folder: Path) -> Path:
    """A folder with levels of costs, a guard off and parameters moved."""
    out = folder / "stress"
    out.mkdir()
    runs: list[dict[str, Any]] = [{"costs": level} for level in ("none", "base", "stressed")]
    runs += [{"costs": "base", "without_guard": "DailyLossLimit"}]
    runs += [{"costs": "base", "parameters": {"days": n}} for n in range(3, 12)]
    lock = {
        "pair": "*",
        "lock_timestamp": int((START + pd.Timedelta(days=3)).timestamp() * 1000),
        "lock_end_timestamp": int((START + pd.Timedelta(days=5)).timestamp() * 1000),
        "reason": "DAILY_LOSS value=2 limit=1.5",
    }
    for number, entry in enumerate(runs):
        entry |= {"file": f"{number}.zip", "strategy": "Made", "timerange": "x", "pairs": PAIRS}
        write_zip(out / entry["file"], trades(), equity(seed=number), locks=[lock])
    (out / "index.json").write_text(json.dumps(runs), encoding="utf-8")
    return out


def test_one_result_gives_a_page_figures_and_findings(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = write_zip(folder / "a.zip", trades(), equity())
    candles = write_candles(folder, *PAIRS)
    assert main(["report", str(result), "-d", str(candles), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)["Made"]
    assert main(["report", str(result), "-d", str(candles)]) == 0
    out = capsys.readouterr().out
    assert "warning  Only 60 trades were made" in out
    assert "The whole report: report.html" in out
    page = (folder / "report.html").read_text(encoding="utf-8")
    for title in ("Findings", "Regimes", "Crises", "Against holding", "Luck", "Overfitting"):
        assert f"<h2>{title}</h2>" in page
    assert page.index("<h2>Findings</h2>") < page.index("<h2>Key figures</h2>")
    assert "What this cannot tell" in page
    assert data["run"]["trades"] == 60
    order = ("alarm", "warning", "note", "fine")
    ranks = [order.index(finding["severity"]) for finding in data["findings"]]
    assert ranks == sorted(ranks)
    assert sum(cell["days"] for cell in data["regimes"]) == 400
    assert data["holding"]["pairs"]["max_drawdown"] > 0


def test_every_trade_is_listed_and_drawn_on_its_candles(folder: Path) -> None:
    made = trades(60)
    result = write_zip(folder / "a.zip", made, equity())
    candles = write_candles(folder, *PAIRS)
    assert main(["report", str(result), "-d", str(candles)]) == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("<li><details>") == 60
    drawn = [c for c in Shown(page).charts if any(t["type"] == "candlestick" for t in c["data"])]
    assert len(drawn) == 60
    bars, first, last, bought, sold = drawn[0]["data"]
    opened, closed = (pd.Timestamp(made[0][name]) for name in ("open_date", "close_date"))
    assert bought["x"] == [f"{opened:%Y-%m-%d %H:%M}"] == first["x"][:1]
    assert sold["x"] == [f"{closed:%Y-%m-%d %H:%M}"]
    assert (bought["y"], first["y"], last["y"]) == ([100], [95, 95], [90, 90])
    assert bars["x"][0] < bought["x"][0] < sold["x"][0] < bars["x"][-1]
    kept = pd.read_feather(candles / "BTC_USDT-1d.feather").set_index("date")
    shown = kept.loc[bars["x"][0] : bars["x"][-1]]
    assert bars["high"] == pytest.approx(shown["high"].tolist(), rel=1e-4)


def test_a_long_trade_is_drawn_in_few_candles_that_leave_nothing_out(folder: Path) -> None:
    result = write_zip(folder / "a.zip", [trade(5.0, day=5, days=200)], equity())
    candles = write_candles(folder, *PAIRS)
    assert main(["report", str(result), "-d", str(candles)]) == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    (bars,) = (t for c in Shown(page).charts for t in c["data"] if t["type"] == "candlestick")
    assert 40 <= len(bars["x"]) <= 48
    kept = pd.read_feather(candles / "BTC_USDT-1d.feather").set_index("date")
    times = [pd.Timestamp(moment, tz="UTC") for moment in bars["x"]]
    for number, (begin, end) in enumerate(pairwise(times)):
        within = kept[(kept.index >= begin) & (kept.index < end)]
        assert len(within) > 1
        drawn = [bars[name][number] for name in ("open", "high", "low", "close")]
        told = (within["open"].iloc[0], within["high"].max(), within["low"].min())
        assert drawn == pytest.approx([*told, within["close"].iloc[-1]], rel=1e-4)


def test_contents_lead_to_every_part_of_a_report(folder: Path) -> None:
    one = write_zip(folder / "a.zip", trades(), equity())
    other = write_zip(folder / "b.zip", trades(20), equity(seed=9), strategy="Other")
    assert main(["report", str(one), str(other)]) == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    for name in ("Made", "Other"):
        linked = re.findall(rf'<li><a href="#({name}\.\d+)">', page)
        assert len(linked) > 8
        assert [page.count(f'id="{anchor}"') for anchor in linked] == [1] * len(linked)


def test_the_settings_that_made_it_are_told(folder: Path) -> None:
    config = {"max_open_trades": 7, "ballast": {"risk": {"per_trade_pct": 0.25}}}
    result = write_zip(folder / "a.zip", trades(), equity(), config=config)
    assert main(["report", str(result)]) == 0
    text = Shown((folder / "report.html").read_text(encoding="utf-8")).text
    told = text.partition("The settings that made it")[2].rpartition("What this cannot")[0]
    told = told.rpartition("The settings that made it")[2]
    assert re.search(r"max_open_trades\s*7", told)
    assert re.search(r"ballast\.risk\.per_trade_pct\s*0\.25\s*0\.5", told)


def test_settings_of_another_version_are_said_to_be_so(folder: Path) -> None:
    config = {"ballast": {"risk": {"gone": 1}}}
    result = write_zip(folder / "a.zip", trades(), equity(), config=config)
    assert main(["report", str(result)]) == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "ballast.risk.gone is not a setting" in page


def test_a_folder_of_runs_adds_costs_guards_and_parameters(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    candles = write_candles(folder, *PAIRS)
    arguments = ["report", str(stress(folder)), "-d", str(candles), "--trials", "90"]
    assert main([*arguments, "--html", "out/page.html"]) == 0
    assert "not only the best of 100 trials" in capsys.readouterr().out
    assert main([*arguments, "--html", "out/page.html", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)["Made"]
    page = (folder / "out" / "page.html").read_text(encoding="utf-8")
    for title in ("Costs", "Guards", "Walk-forward", "Sensitivity"):
        assert f"<h2>{title}</h2>" in page
    assert [run["costs"] for run in data["costs"]] == ["none", "base", "stressed"]
    assert data["doubt"]["trials"] == 100
    assert data["doubt"]["overfitting"]["configurations"] == 10
    assert [price["guard"] for price in data["guards"]["prices"]] == ["DailyLossLimit"]
    assert [active["name"] for active in data["guards"]["active"]] == ["DailyLossLimit"]
    assert len(data["sensitivity"]) == 9


def test_several_strategies_get_a_page_each_and_an_overview(folder: Path) -> None:
    one = write_zip(folder / "a.zip", trades(), equity())
    other = write_zip(folder / "b.zip", trades(20), equity(seed=9), strategy="Other")
    assert main(["report", str(one), str(other)]) == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert [f'<a href="#{anchor}">' in page for anchor in ("all", "Made", "Other")] == [True] * 3
    assert "<h2>Side by side</h2>" in page


def test_names_are_shown_as_they_are_and_not_as_markup(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_zip(folder / "a.zip", trades(), equity())
    write_zip(folder / "b.zip", trades(), equity(mean=-0.001))
    entry = {"file": "a.zip", "strategy": "Made", "costs": "[red]"}
    moved = {**entry, "file": "b.zip", "parameters": {"[bold]<b>": 3}}
    (folder / "index.json").write_text(json.dumps([entry, moved]), encoding="utf-8")
    assert main(["report", "."]) == 0
    out = capsys.readouterr().out
    assert "[red]" in out
    assert "With [bold]<b> at 3 it keeps" in out
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "With [bold]&lt;b&gt; at 3 it keeps" in page


def test_names_run_nothing_and_are_text_wherever_they_are_shown(folder: Path) -> None:
    def evil(name: str) -> str:
        return f"<script>alert('{name}')</script>"

    made = [
        {**each, "pair": evil("pair"), "exit_reason": evil("exit"), "enter_tag": f"{evil(tag)}: x"}
        for each, tag in zip(trades(), ("one", "other") * 30, strict=True)
    ]
    lock = {
        "pair": evil("pair"),
        "lock_timestamp": int(START.timestamp() * 1000),
        "lock_end_timestamp": int((START + pd.Timedelta(days=5)).timestamp() * 1000),
        "reason": evil("lock"),
    }
    changes: list[dict[str, Any]] = [
        {},
        {"costs": evil("worse")},
        {"without_guard": evil("guard")},
        {"parameters": {evil("parameter"): evil("value")}},
    ]
    index = []
    for number, change in enumerate(changes):
        entry = {"file": f"{number}.zip", "strategy": evil("strategy"), "costs": evil("costs")}
        index.append({**entry, **change})
        write_zip(
            folder / f"{number}.zip",
            made,
            equity(seed=number),
            strategy=evil("strategy"),
            pairlist=[evil("pair"), evil("idle")],
            stake_currency=evil("coin"),
            locks=[lock],
        )
    write_zip(folder / "second.zip", made, equity(), strategy=evil("second"))
    index.append({"file": "second.zip", "strategy": evil("second"), "costs": evil("costs")})
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    assert main(["report", "."]) == 0
    shown = Shown((folder / "report.html").read_text(encoding="utf-8"))
    told = ("strategy", "second", "pair", "idle", "coin", "costs", "worse", "exit", "one", "other")
    for name in (*told, "lock", "guard", "parameter", "value"):
        assert evil(name) in shown.text, name
    assert shown.allowed == shown.digests
    assert shown.handlers == []
    # What plotly would read as a tag.
    assert "<" not in json.dumps(shown.charts)
    assert html.escape(evil("lock"), quote=False) in json.dumps(shown.charts)


def test_two_reports_on_the_same_results_are_the_same(folder: Path) -> None:
    result = write_zip(folder / "a.zip", trades(), equity())
    for name in ("one.html", "two.html"):
        assert main(["report", str(result), "--html", name]) == 0
    assert (folder / "one.html").read_bytes() == (folder / "two.html").read_bytes()


@pytest.mark.parametrize(
    ("count", "sentence"),
    [(0, "No trade was made: nothing can be said"), (1, "One trade was made: it is an anecdote")],
)
def test_no_trade_and_one_trade_are_said_in_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], count: int, sentence: str
) -> None:
    result = write_zip(folder / "a.zip", trades(count), equity() if count else None)
    candles = write_candles(folder, *PAIRS)
    assert main(["report", str(result), "-d", str(candles)]) == 0
    assert sentence in capsys.readouterr().out
    assert sentence in (folder / "report.html").read_text(encoding="utf-8")


def test_a_pair_without_candles_is_said_in_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = write_zip(folder / "a.zip", trades(), equity())
    candles = write_candles(folder, "BTC/USDT")
    assert main(["report", str(result), "-d", str(candles)]) == 0
    sentence = "There are no 1d candles of ETH/USDT in"
    out, err = capsys.readouterr()
    assert out.count(sentence) == 1
    assert err == ""
    assert sentence in (folder / "report.html").read_text(encoding="utf-8")


def test_without_any_candles_the_rest_is_there_all_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(write_zip(folder / "a.zip", trades(), equity()))]) == 0
    assert "no regimes, crises or comparison with holding" in capsys.readouterr().out
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<h2>Regimes</h2>" not in page
    assert "<h2>Luck</h2>" in page


def test_without_plotly_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = write_zip(folder / "a.zip")
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    assert main(["report", str(result)]) == 2
    assert capsys.readouterr().err == (
        "ballast: plotly, which draws the report, is not installed: pip install plotly\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["none.zip"], "none.zip is not there: expected the zip of a backtest"),
        (["bad.zip"], "bad.zip is no readable backtest result"),
        (["empty.zip"], "empty.zip covers no time with Made: nothing can be said about it"),
        (["."], "has no index.json"),
        (["a.zip", "--drawdown-limit", "0"], "--drawdown-limit is 0: expected percent"),
        (["a.zip", "--trials", "-1"], "--trials is -1: expected a whole number from 0"),
        (["a.zip", "-d", "none"], "--datadir none is not a folder"),
        (["a.zip", "--html", "a.zip/b.html"], "a.zip/b.html cannot be written"),
        ([], "has no newest result: expected RESULT"),
    ],
)
def test_what_cannot_be_used_is_refused_with_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    write_zip(folder / "a.zip")
    write_zip(folder / "empty.zip", equity=[1e4])
    (folder / "bad.zip").write_bytes(b"PK\x03\x04 cut short")
    assert main(["report", *arguments]) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert err.startswith("ballast: ")
    assert err.count("\n") == 1


def test_without_a_result_the_newest_is_taken_with_its_candles(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `make backtest` leaves it: candles of a sandbox lie apart from those of its exchange."""
    made_up = {"public": "http://127.0.0.1:8099/api/v3"}
    config = {"exchange": {"name": "binance", "ccxt_config": {"urls": {"api": made_up}}}}
    results = folder / "user_data" / "backtest_results"
    results.mkdir(parents=True)
    write_zip(results / "older.zip", trades(20), equity(), config=config)
    write_zip(results / "newer.zip", trades(), equity(), config=config)
    (results / ".last_result.json").write_text('{"latest_backtest": "newer.zip"}')
    candles = write_candles(folder, *PAIRS)
    (folder / "user_data" / "data").mkdir()
    candles.rename(folder / "user_data" / "data" / "sandbox")
    assert main(["report"]) == 0
    out = capsys.readouterr().out
    assert "Only 60 trades" in out
    assert "There are no 1d candles" not in out


def test_without_any_result_it_is_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report"]) == 2
    assert "user_data/backtest_results has no newest result" in capsys.readouterr().err
