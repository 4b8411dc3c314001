"""What guards see of the market is made of the candles that there are, and of no more."""

from unittest.mock import patch

import numpy as np
import pytest

from ballast.core.columns import CandleColumns, ColumnsByPair
from ballast.core.cross_section import CrossSection
from ballast.core.trust import DataQuality
from ballast.data import market_view
from ballast.data.market_view import MARKET, MarketView
from tests.unit.ballast.core.made import dates, moment

COUNT = 20


def columns(seed: int, count: int = COUNT) -> CandleColumns:
    """Candles of a pair in which anything may be found; the same, however many there are."""
    random = np.random.default_rng(seed)
    values = {
        "trust": random.integers(0, 3, COUNT)[:count],
        "cooldown": random.integers(0, 2, COUNT)[:count].astype(float),
        "intensity": random.uniform(0, 2, COUNT)[:count],
        "fall": random.uniform(0, 0.1, COUNT)[:count],
    }
    return CandleColumns(dates(count, "1h"), "1h", values)


def pairs_of(count: int) -> ColumnsByPair:
    """Three pairs with `count` candles, a fourth that is one behind, and a fifth without any."""
    by_pair = ColumnsByPair()
    lengths = {MARKET: count, "A": count, "B": count, "C": count, "LATE": count - 1}
    for seed, (pair, length) in enumerate(lengths.items()):
        by_pair[pair] = columns(seed, length)
    return by_pair


def view(by_pair: ColumnsByPair) -> MarketView:
    return MarketView(by_pair, lambda: ["A", "B", "C", "LATE", "NONE"])


@pytest.mark.parametrize("count", [1, 2, 11, COUNT])
def test_of_its_newest_candle_a_bot_sees_what_all_candles_show(count: int) -> None:
    by_pair = pairs_of(count)
    whole = view(by_pair)
    assert whole.cross_section() is not None
    one, other = (each.row(moment(count)) for each in (view(by_pair), whole))
    assert one is not None
    assert other is not None
    assert one.untrusted_count == other.untrusted_count
    assert one.untrusted() == other.untrusted()
    assert one.untrusted()["NONE"] == DataQuality.DISORDER
    assert one.cooling() == other.cooling()
    for by in (0.02, 0.05, 0.09):
        assert one.share_fallen(by) == other.share_fallen(by)


def test_a_bot_works_out_no_candle_but_its_newest() -> None:
    by_pair, lengths = pairs_of(COUNT - 1), []

    def made(axis: CandleColumns, of: dict[str, CandleColumns]) -> CrossSection:
        lengths.append(len(axis))
        return CrossSection(axis, of)

    shown = view(by_pair)
    with patch.object(market_view, "CrossSection", made):
        for count in (COUNT - 1, COUNT):
            by_pair.update(pairs_of(count))
            by_pair[MARKET] = columns(0, count)
            assert shown.row(moment(count)) is not None
    assert lengths == [1, 1]


def test_an_older_candle_is_still_to_be_had_and_one_that_is_missing_is_none() -> None:
    shown = view(pairs_of(COUNT))
    assert shown.row(moment(5)) is not None
    assert shown.row(moment(COUNT + 1)) is None
    assert view(pairs_of(COUNT)).row(moment(COUNT + 1)) is None
    assert view(ColumnsByPair()).row(moment(5)) is None
