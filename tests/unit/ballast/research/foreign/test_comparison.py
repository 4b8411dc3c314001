"""Two runs side by side: what came of each, and what made the difference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from ballast.core.guards.market_shock_halt import MarketShockHalt
from ballast.research.foreign import pairing, wording
from ballast.research.foreign.comparison import Side, StrategyComparison, compare, guard_effects
from ballast.research.foreign.page import page
from ballast.research.recordings import EntryCounts
from ballast.research.report import holding
from ballast.research.report.crises import crises
from ballast.research.report.limits import gaps_in_drawdown
from ballast.research.report.results import RunResult, read_zip
from tests.html_page import Shown
from tests.unit.ballast.research.report.made import START, trade, write_zip

ALONE = [10_000.0, 10_500, 7_000, 7_500, 8_000, 8_100]
UNDER = [10_000.0, 10_100, 9_900, 10_000, 10_050, 10_100]
ENTRIES = EntryCounts({"RISK_AT_STOP": 6, "LIQUIDITY": 2}, {"NO_SIZE": 3}, {"DRAWDOWN": 5})


def lock(pair: str, first: float, last: float, code: str) -> dict[str, Any]:
    begin, end = (START + pd.Timedelta(days=day) for day in (first, last))
    stamps = {
        "lock_timestamp": int(begin.timestamp() * 1000),
        "lock_end_timestamp": int(end.timestamp() * 1000),
    }
    return {"pair": pair, "reason": f"{code} value=1 limit=0", **stamps}


def run(path: Path, **what: Any) -> RunResult:
    (found,) = read_zip(write_zip(path, **what))
    return found


def side(result: RunResult, crash: int = 2, fall: float = 0.3) -> Side:
    """With a market that falls at once, on a day."""
    days = pd.date_range(START, result.end, freq="1D")
    market = pd.Series([1.0 if day < crash else 1 - fall for day in range(len(days))], days)
    return Side(result, crises(result.equity, market, result.trades))


@pytest.fixture
def found(tmp_path: Path) -> StrategyComparison:
    trades = [trade(-500, 1), trade(100, 3, pair="ETH/USDT"), trade(50, 3.5)]
    locks = [lock("*", 0.5, 1.5, MarketShockHalt.code), lock("ETH/USDT", 3, 4, "VOLATILITY")]
    alone = run(tmp_path / "alone.zip", trades=trades, equity=ALONE)
    under = run(tmp_path / "under.zip", trades=trades[2:], equity=UNDER, locks=locks)
    return compare("<b>Some</b>", side(alone), side(under), ENTRIES)


def test_locks_would_have_taken_what_began_in_them_on_their_pair(found: StrategyComparison) -> None:
    effects = {effect.name: effect for effect in found.guards}
    assert set(effects) == {"MarketShockHalt", "VolatilityCooldown"}
    shock, cooldown = effects["MarketShockHalt"], effects["VolatilityCooldown"]
    assert (shock.taken, cooldown.taken) == (1, 1)
    assert shock.came_to == pytest.approx(-500 / 10_500)
    assert cooldown.came_to == pytest.approx(100 / 7_500)


def test_trade_at_the_end_of_a_lock_is_free(tmp_path: Path) -> None:
    alone = run(tmp_path / "alone.zip", trades=[trade(1, 1), trade(1, 2)], equity=ALONE)
    locks = [lock("BTC/USDT", 1, 2, "VOLATILITY")]
    under = run(tmp_path / "under.zip", equity=UNDER, locks=locks)
    (effect,) = guard_effects(alone, under)
    assert effect.taken == 1


def test_figures_say_which_side_is_better(found: StrategyComparison) -> None:
    figures = {figure.name: figure for figure in wording.figures(found)}
    assert figures["return"].alone == "-19.0 %"
    assert figures["return"].under == "+1.0 %"
    assert figures["largest drawdown"].alone == "33.3 %"
    assert figures["worst day"].alone == "-33.3 %, 2 Jan 2021"
    assert figures["trades"].alone == "3"
    for name in ("return", "largest drawdown", "worst day"):
        assert figures[name].better > 0, name
    swapped = compare("Some", found.under, found.alone, ENTRIES)
    assert all(figure.better <= 0 for figure in wording.figures(swapped))


def test_date_of_the_latch_and_what_gaps_took_are_told_apart(tmp_path: Path) -> None:
    """Trades of 1 BTC at 100 whose last stop was at 90."""
    fell = [*(trade(profit, 1, 0.5) for profit in (-25, -30, -10)), trade(-80, 4, 0.5)]
    locks = [lock("*", 1, 2, "DRAWDOWN_LIMIT"), lock("*", 2, 3650, "DRAWDOWN_LIMIT")]
    locks.append(lock("*", 0, 3650, "OTHER"))
    values = [10_000.0, 10_000, 9_935, 9_936, 9_936, 9_936]
    alone = side(run(tmp_path / "alone.zip", trades=fell[:1], equity=ALONE))
    under = side(run(tmp_path / "under.zip", trades=fell, equity=values, locks=locks))
    both = compare("Some", alone, under, ENTRIES)
    figures = {figure.name: figure for figure in wording.figures(both)}
    # 15 and 20 below the stop; at the stop there is no gap, and what closed later is no part of it.
    assert both.under.gaps_in_drawdown == pytest.approx(35 / 10_000)
    assert figures["of it, below the stops"].under == "0.4 %"
    assert figures["no entries from"].under == "3 Jan 2021"
    assert next(wording.differences(both)).startswith("DrawdownLimit ended all entries on 3 Jan")
    never = wording.figures(compare("Some", alone, alone, ENTRIES))
    assert "no entries from" not in {figure.name for figure in never}


def test_of_a_trade_that_sold_in_parts_only_the_rest_can_fall_through_its_stop(
    tmp_path: Path,
) -> None:
    """Half was sold above: the other half lost 20 below the stop at 90."""
    orders = [
        {"ft_is_entry": True, "amount": 1.0, "order_filled_timestamp": 1, "ft_order_tag": ""},
        {"ft_is_entry": False, "amount": 0.5, "order_filled_timestamp": 2, "ft_order_tag": ""},
        {"ft_is_entry": False, "amount": 0.5, "order_filled_timestamp": 3, "ft_order_tag": ""},
    ]
    sold = trade(-30, 1, 0.5, amount=0.5, orders=orders)
    values = [10_000.0, 10_000, 9_985, 9_985, 9_985, 9_985]
    found = gaps_in_drawdown(run(tmp_path / "parts.zip", trades=[sold], equity=values))
    assert found == pytest.approx(10 / 10_000)


# In the middle of May 2021, and in March.
@pytest.mark.parametrize(("crash", "shown"), [(140, "May 2021"), (80, "Week of")])
def test_known_crash_is_shown_where_the_pairs_fell_in_it_and_else_their_worst_weeks(
    tmp_path: Path, crash: int, shown: str
) -> None:
    """A generated market has dates, and none of their crashes."""
    equity = [10_000.0] * crash + [9_000.0] * (170 - crash)
    result = run(tmp_path / "long.zip", equity=equity)
    both = side(result, crash)
    names = [f.name for f in wording.crash_windows(compare("Some", both, both, ENTRIES))]
    assert names
    assert all(name.startswith(f"drawdown in: {shown}") for name in names)


@pytest.mark.parametrize(("folder", "named"), [("binance", True), ("sandbox", False)])
def test_on_candles_of_the_generated_market_no_crash_of_the_real_one_is_named(
    tmp_path: Path, folder: str, named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exchange of the configuration is a real one where only the candles are made up."""
    equity = [10_000.0] * 140 + [9_000.0] * 30
    zips = [write_zip(tmp_path / f"{name}.zip", equity=equity) for name in ("alone", "under")]
    days = pd.date_range(START, run(tmp_path / "long.zip", equity=equity).end, freq="1D")
    held = pd.Series([1.0 if day < 140 else 0.7 for day in range(len(days))], days)
    monkeypatch.setattr(holding, "hold", lambda *_: SimpleNamespace(pairs=held))
    monkeypatch.setattr(pairing, "entries_of", lambda _: ENTRIES)
    job: Any = SimpleNamespace(level="", without_guard="")
    both = pairing.Pairing("Some", "1h", (job, job))
    found = pairing.compared(both, zips, tmp_path / folder)
    names = {figure.name for figure in wording.crash_windows(found)}
    assert ("drawdown in: May 2021" in names) is named
    assert names


def test_differences_name_cap_guard_and_refusal(found: StrategyComparison) -> None:
    told = list(wording.differences(found))
    assert told[0] == (
        "8 entries got a size under the layer, some a smaller one because of guards: DRAWDOWN 5; "
        "they were bound by RISK_AT_STOP 75 %, LIQUIDITY 25 %."
    )
    assert told[1] == "3 entries were refused: NO_SIZE 3."
    assert any("MarketShockHalt locked a pair" in each and "-4.8 %" in each for each in told)


def test_run_without_a_guard_says_what_the_guard_made(
    tmp_path: Path, found: StrategyComparison
) -> None:
    fallen = [10_000.0, 9_000, 8_000, 8_000, 8_000, 8_000]
    without = [
        replace(run(tmp_path / f"{name}.zip", equity=equity), without_guard=name)
        for name, equity in (("DrawdownLadder", fallen), ("EdgeDecay", UNDER))
    ]
    told = list(wording.differences(compare("S", found.alone, found.under, ENTRIES, without)))
    assert told[-1] == "DrawdownLadder: +21.0 % return, -18.0 % drawdown, against a run without it."
    assert not any("EdgeDecay" in each for each in told)


def test_page_shows_both_and_lets_no_name_be_markup(found: StrategyComparison) -> None:
    other = compare("Other", found.alone, found.under, EntryCounts())
    shown = Shown(page([found, other]).html())
    assert "<b>Some</b>" in shown.text
    for word in ("RISK_AT_STOP", "NO_SIZE", "MarketShockHalt", "Other, under the layer"):
        assert word in shown.text
    assert len(shown.charts) == 2
    assert len(shown.charts[0]["data"]) == 4


def test_page_says_what_costs_both_paid_and_what_its_windows_are(tmp_path: Path) -> None:
    equity = [10_000.0] * 140 + [9_000.0] * 30
    result = replace(run(tmp_path / "long.zip", equity=equity), costs="stress")
    both = side(result, 140)
    text = Shown(page([compare("Some", both, both, EntryCounts())]).html()).text
    assert "costs on both: stress" in text
    assert "Known crashes within the run, and the worst weeks of its market." in text
    assert "No entry was asked for under the layer." in text
    made = Side(result, [crisis for crisis in both.crises if crisis.name.startswith("Week of")])
    text = Shown(page([compare("Some", made, made, EntryCounts())]).html()).text
    assert "The worst weeks of the run's market." in text
    assert "Known crashes" not in text
