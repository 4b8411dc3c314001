"""Candles from Freqtrade's data provider: the strategy's pair, its older history, the market.

Backtests read whole stored frames here; only indicator functions that look at the past may be
applied to them. Live, the same calls give the frames Freqtrade has just refreshed.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import OPTIMIZE_MODES, RunMode
from freqtrade.exchange import market_is_active

from ballast.core import frames
from ballast.core.aligned import slow_candles
from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.measured import MeasuredCandles
from ballast.core.windows import minutes
from ballast.data.kept_candles import KeptCandles
from ballast.data.older_history import OlderHistory

logger = logging.getLogger(__name__)

_NO_CANDLES = pd.DataFrame({name: [] for name in frames.PRICES}).astype(
    {"date": "datetime64[ns, UTC]"}
)
# Whose candles of which timeframe rules ask for: a pair's, or those of one of these.
AskedFrame = tuple[str, str]
TRADED, LEADER, BASKET = "every traded pair", "the leader", "the basket"
LIVE_MODES = (RunMode.LIVE, RunMode.DRY_RUN)


class Feeds:
    """
    Frames of a run.

    Parameters
    ----------
    dp : DataProvider
        Of the strategy.
    timeframe : str
        The strategy's.
    leader : str
        Pair that stands for the market.
    basket : sequence of str or None
        Pairs whose breadth is the market's; None for the whitelist, which also stands in where
        less than half of the basket has candles.
    """

    def __init__(
        self, dp: DataProvider, timeframe: str, leader: str, basket: Sequence[str] | None
    ) -> None:
        self._dp = dp
        # Whether candles come from an exchange now, paper trading included; a run has one mode.
        self.live = dp.runmode in LIVE_MODES
        self._timeframe = timeframe
        self.leader = leader
        self._basket = basket
        self._fine = minutes(timeframe) < minutes(frames.SLOW_TIMEFRAME)
        self._market: Market | None = None
        # What the market was made of: the leader's candles and those of the basket.
        self._seen: tuple[pd.DataFrame, dict[str, pd.DataFrame]] = (_NO_CANDLES, {})
        self._all_arrived = False
        self._stored: dict[tuple[str, str], pd.DataFrame] = {}
        self._kept = KeptCandles(timeframe)
        self._older = OlderHistory(timeframe)
        # By pair, candles that rules ask for beside their own.
        self._others: dict[str, tuple[pd.DataFrame, Candles]] = {}
        self._asked: frozenset[AskedFrame] = frozenset()
        self._told: list[str] = []
        self._whitelist: list[str] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Hyperopt sends the strategy to its workers at every epoch: frames are read there."""
        forgotten: dict[str, Any] = {
            "_market": None,
            "_others": {},
            "_stored": {},
            "_whitelist": None,
            "_seen": (_NO_CANDLES, {}),
        }
        return {**self.__dict__, **forgotten, "_kept": KeptCandles(self._timeframe)}

    @property
    def drawn(self) -> bool:
        """Whether somebody may look at charts of this run: not in backtests and their like."""
        return self._dp.runmode not in OPTIMIZE_MODES

    def is_listed(self, pair: str) -> bool:
        """Whether a pair can be asked for; in backtests its stored candles tell."""
        return not self.live or is_listed(self._dp, pair)

    def traded(self) -> list[str]:
        """
        Pairs of the whitelist that can be traded: Freqtrade adds those of open trades, of which the
        exchange may have delisted one.
        """
        if self.live:
            return [pair for pair in self._dp.current_whitelist() if self.is_listed(pair)]
        # A backtest has one whitelist, and asks for it at every candle.
        if self._whitelist is None:
            self._whitelist = self._dp.current_whitelist()
        return self._whitelist

    def wanted(self) -> list[tuple[str, str]]:
        """
        Frames, as (pair, timeframe), to be read beside the strategy's own: live longer ones only in
        loops in which they are due (see `OlderHistory`).
        """
        # Asking an exchange for a pair that it does not list is an error each time.
        leader = [self.leader] if self.is_listed(self.leader) else []
        market = list(dict.fromkeys([*leader, *self.basket_pairs()]))
        wanted = [(pair, self._timeframe) for pair in market]
        if self._fine:
            pairs = dict.fromkeys([*market, *self.traded()])
            wanted += [(pair, frames.SLOW_TIMEFRAME) for pair in pairs]
        asked = [(one, timeframe) for whose, timeframe in self._asked for one in self._of(whose)]
        every = dict.fromkeys([*wanted, *sorted(asked)])
        return [one for one in every if self._is_due(*one)] if self.live else list(every)

    def _is_due(self, pair: str, timeframe: str) -> bool:
        if timeframe == self._timeframe:
            return True
        older, own = self._frame(pair, timeframe), self._frame(pair, self._timeframe)
        return self._older.is_due(pair, timeframe, older, own, datetime.now(UTC))

    def ask_for(self, asked: frozenset[AskedFrame]) -> None:
        """
        Keep fresh what rules ask for, too.

        Raises
        ------
        ValueError
            Where rules ask for a basket, or a pair, that there is not.
        """
        if self._basket is None and any(whose == BASKET for whose, _ in asked):
            raise ValueError(
                "its rules compare pairs of a basket: name them in ballast.market.basket (the "
                "whitelist is what is traded, and may change)"
            )
        for whose, _ in sorted(asked):
            if whose not in (TRADED, LEADER, BASKET) and not self.is_listed(whose):
                raise ValueError(f"its rules ask for {whose}, which the exchange does not list")
        self._asked = asked

    def _of(self, whose: str) -> list[str]:
        """The pairs that are meant, as far as they can be asked for."""
        known = {TRADED: self.traded, BASKET: self.basket_pairs, LEADER: lambda: [self.leader]}
        return [pair for pair in known.get(whose, lambda: [whose])() if self.is_listed(pair)]

    def candles(self, pair: str, frame: pd.DataFrame) -> Candles:
        """What a strategy sees of `frame`, the pair's own candles."""
        own = self._own(pair, frame)
        slow = self._slow(pair, frame, own)
        return Candles(frame, self._timeframe, slow, self, pair, own)

    def of(self, pair: str) -> Candles:
        """Another pair's candles, on their own axis (see `candles.OtherCandles`)."""
        frame, known = self._frame(pair, self._timeframe), self._others.get(pair)
        if known is None or known[0] is not frame:
            self._others[pair] = known = (frame, self.candles(pair, frame))
        return known[1]

    def grouped(self, pair: str, candles: MeasuredCandles, to: str) -> MeasuredCandles:
        """A pair's candles in a coarser timeframe (see `candles.OtherCandles`)."""
        read = frames.read_in(self._timeframe, to)
        older = None if read == self._timeframe else self._frame(pair, read)
        if not self.live:
            made = frames.grouped(candles.frame, self._timeframe, to, older)
            return MeasuredCandles(made, to)
        return self._kept.grouped(pair, candles, to, older)

    @property
    def basket(self) -> Sequence[str]:
        """Pairs that are compared with one another: those of the settings, never the whitelist."""
        return self._basket or ()

    def own(self, pair: str) -> pd.DataFrame:
        """The pair's candles of the strategy's timeframe, as they are."""
        return self._frame(pair, self._timeframe)

    def market(self) -> Market:
        """
        The market: its leader's candles (an equal-weighted index of the basket where it has none)
        and the basket. Built once for each new candle of the leader, and live for each that comes
        later than the leader's.
        """
        frame = self._frame(self.leader, self._timeframe)
        known = self._market
        same = len(frame) and frame is self._seen[0]
        if known is not None and self._all_arrived and same:
            return known
        coins = self._with_candles(self.basket_pairs())
        if self._basket is not None and len(coins) < len(self._basket) / 2:
            coins |= self._with_candles(self.traded())
        seen = (frame, coins)
        if known is not None and _are_same(self._seen, seen):
            return known
        self._seen = seen
        self._tell_what_is_missing(coins, leader=bool(len(frame)))
        if not len(frame):
            frame = _index(coins)
        kept = {pair: self._own(pair, candles) for pair, candles in coins.items()}
        basket = {pair: self._slow(pair, coins[pair], own) for pair, own in kept.items()}
        own = self._own(self.leader, frame)
        slow = self._slow(self.leader, frame, own)
        self._market = Market(frame, self._timeframe, basket, slow, known, self, self.leader, own)
        self._kept.forget_but({self.leader, *coins, *self.traded(), *self._others})
        of_all = (own, *kept.values())
        self._all_arrived = len({one.opened[-1] for one in of_all if one}) <= 1
        return self._market

    def _tell_what_is_missing(self, own: Mapping[str, pd.DataFrame], *, leader: bool) -> None:
        """Say once by which pairs the market is judged where candles are missing or unreadable."""
        wanted = self._dp.current_whitelist() if self._basket is None else self._basket
        missing = [self._named(pair) for pair in wanted if pair not in own]
        if not leader:
            missing.insert(0, f"{self._named(self.leader)} as ballast.market.leader")
        if missing and missing != self._told:
            logger.warning(
                "no %s candles of %s: the market is judged by %s",
                self._timeframe,
                ", ".join(missing),
                ", ".join(own) or "nothing, and nothing is bought",
            )
            self._told = missing

    def _named(self, pair: str) -> str:
        return pair if self.is_listed(pair) else f"{pair} (not listed)"

    def _with_candles(self, pairs: Sequence[str]) -> dict[str, pd.DataFrame]:
        frames_by_pair = {pair: self._frame(pair, self._timeframe) for pair in pairs}
        return {pair: candles for pair, candles in frames_by_pair.items() if len(candles)}

    def basket_pairs(self) -> list[str]:
        """Pairs whose breadth is the market's."""
        if self._basket is None:
            return self.traded()
        return [pair for pair in self._basket if self.is_listed(pair)]

    def _slow(self, pair: str, frame: pd.DataFrame, own: MeasuredCandles | None) -> MeasuredCandles:
        """What windows are measured on: of candles that are kept (see `_own`), or of the frame."""
        older = self._frame(pair, frames.SLOW_TIMEFRAME) if self._fine else None
        if own is None:
            return slow_candles(frame, self._timeframe, older)
        return self._kept.grouped(pair, own, frames.SLOW_TIMEFRAME, older) if self._fine else own

    def _own(self, pair: str, frame: pd.DataFrame) -> MeasuredCandles | None:
        """The pair's own candles as they are kept live; a backtest sees each once."""
        return self._kept.own(pair, frame) if self.live else None

    def _frame(self, pair: str, timeframe: str) -> pd.DataFrame:
        if not self.is_listed(pair):
            return _NO_CANDLES
        if self.live:
            # Not copied: nothing here writes to it, and it is the same until there is a new candle.
            frame = self._dp.ohlcv(pair, timeframe, copy=False)
            return frame if len(frame) else _NO_CANDLES
        if (pair, timeframe) not in self._stored:
            self._stored[(pair, timeframe)] = self._dp.historic_ohlcv(pair, timeframe)
        return self._stored[(pair, timeframe)]


def is_listed(dp: DataProvider, pair: str) -> bool:
    """Whether the exchange lists a pair and has it traded, as it told when markets were read."""
    market = dp.market(pair)
    return market is not None and market_is_active(market)


def _index(basket: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Candles of an equally weighted basket, rebalanced each candle; the close starts at 100."""
    if not basket:
        return _NO_CANDLES
    closes = {pair: frame.set_index("date")["close"] for pair, frame in basket.items()}
    moves = np.log(pd.DataFrame(closes)).diff().mean(axis=1).fillna(0.0)
    close = 100 * np.exp(moves.cumsum()).to_numpy()
    opened = np.concatenate((close[:1], close[:-1]))
    return pd.DataFrame(
        {
            "date": moves.index,
            "open": opened,
            "high": np.maximum(opened, close),
            "low": np.minimum(opened, close),
            "close": close,
            "volume": 1.0,
        }
    )


def _are_same(
    one: tuple[pd.DataFrame, dict[str, pd.DataFrame]],
    other: tuple[pd.DataFrame, dict[str, pd.DataFrame]],
) -> bool:
    """Whether two pictures of the market are made of the very same frames."""
    if one[0] is not other[0] or one[1].keys() != other[1].keys():
        return False
    return all(one[1][pair] is candles for pair, candles in other[1].items())
