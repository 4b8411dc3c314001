"""At a candle that is no news to it, a guard that follows candles says what it said before."""

import numpy as np
import pytest

from ballast.core.columns import CandleColumns
from ballast.core.cross_section import CrossSection, CrossSectionRow
from ballast.core.guard_set import GuardSet
from ballast.core.guards.base import Guard
from ballast.core.guards.data_outage_halt import DataOutageHalt
from ballast.core.guards.market_shock_halt import MarketShockHalt
from ballast.core.guards.volatility_cooldown import VolatilityCooldown
from ballast.core.snapshot import Snapshot
from ballast.core.trust import DataQuality
from tests.unit.ballast.core.made import dates, moment

PAIRS = ("A/USDT", "B/USDT", "C/USDT")
COUNT = 400
GUARDS = {
    "outage": lambda: DataOutageHalt(api_errors=10, untrusted_share_pct=60.0),
    "shock": lambda: MarketShockHalt(6.0, 6.0, 60.0, 12.0, "halt"),
    "cooldown": lambda: VolatilityCooldown(60),
}


def columns(random: np.random.Generator) -> CandleColumns:
    """Mostly quiet candles, with spells of everything."""
    spells = np.repeat(random.random((4, COUNT // 4)), 4, axis=1)
    bad = int(DataQuality.BAD_BAR)
    return CandleColumns(
        dates(COUNT, "1h"),
        "1h",
        {
            "trust": np.where(spells[0] < 0.1, bad, int(DataQuality.OK)),
            "cooldown": np.where(spells[1] < 0.2, 3.0, 0.0),
            "intensity": np.where(spells[1] < 0.2, 1.5, 0.2),
            "fall": np.where(spells[2] < 0.2, 0.07, np.where(spells[3] < 0.1, np.nan, 0.01)),
        },
    )


def blocks(guard: Guard, snapshot: Snapshot) -> set[str]:
    if guard.market_verdict(snapshot).blocks:
        return {"*"}
    return {pair for pair, said in guard.pair_verdicts(snapshot).items() if said.blocks}


@pytest.mark.parametrize("name", GUARDS)
def test_what_is_no_news_changes_no_block_before_its_announced_end(name: str) -> None:
    random = np.random.default_rng(3)
    leader, by_pair = columns(random), {pair: columns(random) for pair in PAIRS}
    market, guard, asked = CrossSection(leader, by_pair), GUARDS[name](), GUARDS[name]()
    news = guard.news(market)
    before: set[str] = set()
    quiet, changed = 0, 0
    for at in range(COUNT):
        now = moment(at + 1)
        trust, fall = int(leader["trust"][at]), float(leader["fall"][at])
        row = CrossSectionRow(market, at)
        snapshot = Snapshot(now, 1.0, row=row, pairs=PAIRS, leader_trust=trust, leader_fall=fall)
        guard.observe(snapshot)
        said = blocks(guard, snapshot)
        ended = guard.memory.blocked_until == snapshot.epoch if name == "shock" else False
        if news[at]:
            asked.observe(snapshot)
        elif not ended:
            quiet += 1
            assert said == before, at
        # Shown the news alone, another one knows the same.
        assert not news[at] or blocks(asked, snapshot) == said
        assert asked.memory == guard.memory
        changed += said != before
        before = said
    assert quiet > COUNT / 5
    assert changed > 10
    assert GuardSet({"it": guard}).news(market)["it"].sum() == news.sum()
