"""Guards that are shown only candles with news say and know the same as those shown every one."""

import numpy as np
import pytest

from ballast.core.columns import CandleColumns, ColumnsByPair
from ballast.core.guard_set import GuardSet
from ballast.core.guards.base import Guard
from ballast.core.guards.data_outage_halt import DataOutageHalt
from ballast.core.guards.market_shock_halt import MarketShockHalt
from ballast.core.guards.volatility_cooldown import VolatilityCooldown
from ballast.core.snapshot import Snapshot
from ballast.core.trust import DataQuality
from ballast.data.market_view import MARKET, MarketView
from ballast.risk.candle_news import CandleNews
from tests.unit.ballast.core.made import dates, moment

COUNT = 400
PAIRS = ("A/USDT", "B/USDT", "C/USDT")
BUILT = {
    "DataOutageHalt": lambda: DataOutageHalt(api_errors=10, untrusted_share_pct=60.0),
    "MarketShockHalt": lambda: MarketShockHalt(6.0, 6.0, 60.0, 12.0, "halt"),
    "VolatilityCooldown": lambda: VolatilityCooldown(60),
}


def columns(random: np.random.Generator, lacking: float) -> CandleColumns:
    """
    Spells of everything, some of whose figures are not known.

    Parameters
    ----------
    lacking : float
        Share of the candles that are not there.
    """
    there = random.random(COUNT) >= lacking
    spells = np.repeat(random.random((4, COUNT // 4)), 4, axis=1)
    shaken = np.where(random.random(COUNT) < 0.4, np.nan, 1 + random.random(COUNT))
    codes = random.choice([int(DataQuality.BAD_BAR), int(DataQuality.ABSURD_BAR)], COUNT)
    values = {
        "trust": np.where(spells[0] < 0.1, codes, int(DataQuality.OK)),
        "cooldown": np.where(spells[1] < 0.3, 3.0, 0.0),
        "intensity": np.where(spells[1] < 0.3, shaken, 0.2),
        "fall": np.where(spells[2] < 0.2, 0.06 + 0.02 * random.random(COUNT), 0.01),
    }
    values["fall"][spells[3] < 0.1] = np.nan
    known = {name: column[there] for name, column in values.items()}
    return CandleColumns(dates(COUNT, "1h")[there].reset_index(drop=True), "1h", known)


def market(seed: int) -> MarketView:
    random, known = np.random.default_rng(seed), ColumnsByPair()
    known[MARKET] = columns(random, 0.02)
    for pair in PAIRS:
        known[pair] = columns(random, 0.05)
    return MarketView(known, lambda: list(PAIRS))


def guard_set(name: str) -> GuardSet:
    guard: Guard = BUILT[name]()
    return GuardSet({name: guard})


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", BUILT)
def test_guards_shown_the_news_alone_say_and_know_the_same(name: str, seed: int) -> None:
    view, every, some = market(seed), guard_set(name), guard_set(name)
    candle_news, shown = CandleNews(some, view), 0
    for at in range(COUNT):
        now = moment(at + 1)
        trust, fall = view.leader(now)
        row = view.row(now)
        snapshot = Snapshot(now, 1.0, (), row, PAIRS, trust, fall)
        asked = candle_news.at(now, has_closed=False)
        expected = every.observe(snapshot)
        changes = some.observe(snapshot) if asked is None else some.follow(snapshot, asked)
        assert sorted(map(str, changes)) == sorted(map(str, expected))
        assert set(some.lifted) == set(every.lifted)
        assert some.beginnings == every.beginnings
        assert str(some.said(PAIRS)) == str(every.said(PAIRS))
        assert some.guards[name].memory == every.guards[name].memory
        shown += asked is None or bool(asked)
    assert shown < 0.75 * COUNT
