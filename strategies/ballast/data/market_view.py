"""The market view: candles of the traded pairs and of the leader, as guards look at them."""

import math
from collections.abc import Callable
from datetime import datetime

import pandas as pd

from ballast.core.columns import CandleColumns, ColumnsByPair
from ballast.core.cross_section import CrossSection, CrossSectionRow
from ballast.core.trust import DataQuality

MARKET = "market"
_NO_CANDLES = CandleColumns(pd.Series([], dtype="datetime64[ns, UTC]"), "1h", {})


class MarketView:
    """
    Sets the pairs side by side on one cross-section, which is made anew when any has new candles.

    Parameters
    ----------
    columns_by_pair : ColumnsByPair
        By pair; that of the market leader under `MARKET`.
    pairs : callable
        Pairs that are traded now.
    """

    def __init__(self, columns_by_pair: ColumnsByPair, pairs: Callable[[], list[str]]) -> None:
        self._columns_by_pair = columns_by_pair
        self._traded = pairs
        self._cross_section: CrossSection | None = None
        self._edition = -1
        # In a backtest it is one list all along.
        self._listed: list[str] = []
        self._pairs: tuple[str, ...] = ()

    @property
    def pairs(self) -> tuple[str, ...]:
        """Pairs that are traded now."""
        listed = self._traded()
        if listed is not self._listed:
            self._listed, self._pairs = listed, tuple(listed)
        return self._pairs

    def row(self, end: datetime) -> CrossSectionRow | None:
        """The candles of all pairs that ended at `end`; None where the leader's is missing."""
        axis = self._columns_by_pair.get(MARKET)
        if axis is None:
            return None
        pairs = self.pairs
        known = self._known(pairs)
        if known is None and 0 <= axis.newest_at(end) == len(axis) - 1:
            # A bot looks at its newest candle alone: those before have been looked at.
            alone = CandleColumns(axis.opened[-1:], axis.timeframe, {})
            return CrossSectionRow(CrossSection(alone, self._of(pairs)), 0)
        return (known or self._made(axis, pairs)).at(end)

    def cross_section(self) -> CrossSection | None:
        """All candles of all pairs, as far as known; None where the leader has none."""
        axis, pairs = self._columns_by_pair.get(MARKET), self.pairs
        return None if axis is None else self._known(pairs) or self._made(axis, pairs)

    def leader(self, end: datetime) -> tuple[int, float]:
        """Trust code and fall (ratio) of the leader's candle that ended at `end`."""
        columns = self._columns_by_pair.get(MARKET)
        position = columns.newest_at(end) if columns is not None else -1
        if columns is None or position < 0:
            return int(DataQuality.DISORDER), math.nan
        return int(columns.value("trust", position)), columns.value("fall", position)

    def all_arrived(self, end: datetime) -> bool:
        """Whether every pair and the leader have the candle that ended at `end`."""
        columns_by_pair = [self._columns_by_pair.get(name) for name in (MARKET, *self._traded())]
        return all(t is not None and t.newest_at(end) >= 0 for t in columns_by_pair)

    def is_last(self, end: datetime) -> bool:
        """Whether no candle of the leader is known that ends after `end`."""
        columns = self._columns_by_pair.get(MARKET)
        return columns is not None and columns.ends_by(end)

    def _known(self, pairs: tuple[str, ...]) -> CrossSection | None:
        """The cross-section, where it is that of the candles there are now."""
        known = self._cross_section
        same = self._edition == self._columns_by_pair.edition
        return known if known is not None and same and known.pairs == pairs else None

    def _made(self, axis: CandleColumns, pairs: tuple[str, ...]) -> CrossSection:
        made = self._cross_section = CrossSection(axis, self._of(pairs))
        self._edition = self._columns_by_pair.edition
        return made

    def _of(self, pairs: tuple[str, ...]) -> dict[str, CandleColumns]:
        return {pair: self._columns_by_pair.get(pair) or _NO_CANDLES for pair in pairs}
