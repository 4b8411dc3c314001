"""The frames of a strategy that knows nothing of the layer: asked, checked, read and drawn."""

import logging
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

import pandas as pd
from freqtrade.exceptions import FreqtradeException, OperationalException, StrategyError
from freqtrade.strategy import IStrategy, interface

from ballast.charts import beside
from ballast.core.candles import Candles
from ballast.core.frames import prices_of, with_columns
from ballast.core.market import Market
from ballast.core.setups import Setup
from ballast.core.signals import columns_of, state_columns
from ballast.core.windows import calibrated, minutes
from ballast.strategy import foreign_signals
from ballast.strategy.foreign_signals import FrameRefused
from ballast.strategy.raised import raised
from ballast.strategy.state import LayerState
from ballast.strategy.warm_up import checked_startup

logger = logging.getLogger(__name__)

ATR_WINDOW = "1d"


class _Needs:
    """What the layer itself needs of candles, for the warm-up."""

    def __init__(self, timeframe: str) -> None:
        self.timeframe = timeframe
        self.atr_window = calibrated(ATR_WINDOW, timeframe)

    def setups(self, pair: Candles, market: Market) -> list[Setup]:
        return []

    def lines(self, pair: Candles, market: Market) -> dict[str, pd.Series]:
        return {}


def _asks_for_columns(error: Exception) -> bool:
    """Whether Freqtrade has stumbled over what theirs returned, which it asks for its columns."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return getattr(error, "name", "") == "columns" and last.filename == interface.__file__


class ForeignFrames(IStrategy):
    """The part of the layer that stands between theirs and what is traded on."""

    __module__ = "ballast.strategy.foreign_frames"  # see `strategy/__init__.py`

    _own: ClassVar[type[IStrategy]]

    _ballast: LayerState
    _behind: Callable[[], Any]

    def _ballast_needed_candles(self, config: dict[str, Any]) -> int:
        return checked_startup(_Needs(config.get("timeframe") or self.timeframe))

    def analyze_ticker(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Live: analyse; where that fails Freqtrade keeps the old frame, and nothing is bought."""
        pair = metadata["pair"]
        self._ballast.unanalysed.add(pair)
        try:
            analysed = super().analyze_ticker(dataframe, metadata)
        except Exception as error:
            self._ballast.incident("populate_indicators", error)
            raise
        self._ballast.unanalysed.discard(pair)
        return analysed

    def advise_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Their indicators, on candles that Freqtrade can hold against those it gave."""
        frame = self._ballast_made(
            "populate_indicators", super().advise_indicators, dataframe, metadata
        )
        for name in ("date", "close"):
            if name not in frame.columns:
                where = f"{self._own.__name__}, {metadata['pair']}"
                raise OperationalException(f"{where}: the column {name!r} is gone")
        return frame

    def advise_all_indicators(self, data: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        """In a backtest: Freqtrade's check of their candles names no strategy."""
        try:
            return super().advise_all_indicators(data)
        except StrategyError as error:
            where = f"{self._own.__name__}: populate_indicators"
            raise OperationalException(f"{where}: {error}") from error

    def advise_entry(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Their entry signals, beside what the layer sees of the pair's own candles."""
        self._ballast_see(metadata["pair"])
        return self._ballast_made("populate_entry_trend", super().advise_entry, dataframe, metadata)

    def advise_exit(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Their exit signals; then their frame is checked, and read for journal and charts."""
        ask = super().advise_exit
        frame = self._ballast_made("populate_exit_trend", ask, dataframe, metadata)
        pair, state = metadata["pair"], self._ballast
        session, (_, own) = state.decisions.connected, state.seen
        name = self._own.__name__
        try:
            frame, changed = foreign_signals.checked(frame, own)
        except FrameRefused as error:
            raise OperationalException(f"{name}, {pair}: {error}") from None
        if changed and not state.told_prices:
            state.told_prices = True
            text = "%s changes %s of the candles: its signals are taken, trades are at the market's"
            logger.warning(text, name, ", ".join(changed))
        if state.shorts:
            frame = foreign_signals.without_both_ways(frame)
        if session.rulebooks is not None:
            hours = minutes(self.timeframe) / 60
            session.rulebooks[pair] = foreign_signals.rulebook(name, frame, own, hours)
        if session.feeds.drawn:
            setup = Setup(name, {}, state.stops)
            account = session.account_columns(frame["date"])
            frame = beside.add_columns(frame, own, setup, state.disaster_ratio(), account)
        return frame

    def _ballast_made(
        self, name: str, ask: Callable[..., Any], frame: pd.DataFrame, metadata: dict
    ) -> pd.DataFrame:
        """What theirs makes of a frame; a failure in one sentence, which ends a backtest."""
        pair = metadata["pair"]
        where = f"{self._own.__name__}, {pair}: {name}"
        try:
            made = ask(frame, metadata)
        except FreqtradeException:
            raise
        except Exception as error:
            if not _asks_for_columns(error):
                raise OperationalException(f"{where} {raised(error)}") from error
            made = getattr(error, "obj", None)
        finally:
            # Freqtrade hands on one dictionary, and reads nothing in it that theirs may have set.
            metadata["pair"] = pair
        if not isinstance(made, pd.DataFrame):
            raise OperationalException(f"{where} returned {type(made).__name__}: expected a frame")
        return foreign_signals.single_columns(made)

    def _ballast_see(self, pair: str) -> None:
        """Work out what callbacks look up, from the candles as they are, whatever theirs change."""
        state = self._ballast
        session = state.decisions.connected
        limits = state.settings.trust.limits(state.warmup)
        frame = session.feeds.own(pair)
        seen, market = state.views.of(session, pair, frame, limits)
        atr_window = calibrated(ATR_WINDOW, self.timeframe)
        columns = state_columns(seen, market, limits, atr_window)
        session.columns_by_pair[pair] = columns_of(seen, columns, [])
        state.seen = (pair, with_columns(prices_of(frame), columns))

    @property
    def plot_config(self) -> dict[str, Any]:
        """Theirs, with ours beside it (see `charts.beside`)."""
        set_by_theirs = self._ballast.set_by_theirs
        drawn = set_by_theirs.get("plot_config", self._behind().plot_config)
        return beside.plot_config(drawn, account=self._ballast.draws_account)

    @plot_config.setter
    def plot_config(self, drawn: dict[str, Any]) -> None:
        self._ballast.set_by_theirs["plot_config"] = drawn

    def plot_annotations(
        self,
        pair: str,
        start_date: datetime,
        end_date: datetime,
        dataframe: pd.DataFrame,
        **kwargs: Any,
    ) -> list[dict[str, Any]]:
        """Theirs, and regimes, cooldowns and halts; a chart without one of them beats none."""
        marks: list[dict[str, Any]] = []
        try:
            marks += super().plot_annotations(
                pair=pair, start_date=start_date, end_date=end_date, dataframe=dataframe, **kwargs
            )
        except Exception as error:
            self._ballast.incident("plot_annotations", error)
        return marks + self._ballast.annotated(pair, lambda: beside.ours(dataframe))
