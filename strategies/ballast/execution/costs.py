"""Charges the cost model to the fills of a backtest.

Freqtrade tells `order_filled` of an order before it settles with it, and settles with the price
the order has afterwards. Stake, stop and guards have decided on the price asked by then, so that
costs change what a trade earns and not what is decided.
"""

import math
from collections.abc import Callable
from datetime import datetime

import numpy as np
from ccxt import TICK_SIZE
from freqtrade.enums import ExitType, RunMode
from freqtrade.exchange import price_to_precision
from freqtrade.persistence import LocalTrade, Order

from ballast.config.costs import CostSettings
from ballast.core.columns import CandleColumns
from ballast.core.costs import Conditions, CostModel
from ballast.core.spread import edge
from ballast.core.windows import minutes

ASKED = "asked"
_CHARGED_MODES = (RunMode.BACKTEST, RunMode.HYPEROPT)
_STOPS = (ExitType.STOP_LOSS.value, ExitType.TRAILING_STOP_LOSS.value, ExitType.LIQUIDATION.value)
_HOURS_A_DAY = 24
# On coarser candles, and from fewer of them, the estimate is noise: on real candles of an hour it
# lies anywhere within 10 bps of pairs whose spread is 1 bp, on 5 minutes within 2.
_EDGE_COARSEST_MINUTES = 5
_EDGE_SHORTEST, _EDGE_WINDOW = "1d", "7d"


class FillCosts:
    """
    Costs of the fills of one run.

    Parameters
    ----------
    model : CostModel
    columns_of : callable
        Gives a pair's columns, or None.
    timeframe : str
        Length of its candles.
    """

    def __init__(
        self, model: CostModel, columns_of: Callable[[str], CandleColumns | None], timeframe: str
    ) -> None:
        self._model = model
        self._columns_of = columns_of
        self._candle = minutes(timeframe)

    @classmethod
    def of(
        cls,
        settings: CostSettings,
        runmode: RunMode,
        columns_of: Callable[[str], CandleColumns | None],
        timeframe: str,
    ) -> "FillCosts | None":
        """The costs of a run; None where none are charged: switched off, or not a backtest."""
        if not settings.enabled or settings.level == "none" or runmode not in _CHARGED_MODES:
            return None
        return cls(settings.model(), columns_of, timeframe)

    def charge(self, trade: LocalTrade, order: Order, now: datetime, *, is_addition: bool) -> None:
        """
        Make the price of an order that has just filled worse by what the fill costs.

        The price asked is kept in the order's tag, which Freqtrade exports.
        """
        asked = float(order.safe_price)
        entry = order.ft_order_side == trade.entry_side
        stop = not entry and trade.exit_reason in _STOPS
        columns = self._columns_of(trade.pair)
        position = columns.completed_at(now) if columns is not None else -1
        tick = trade.price_precision if trade.precision_mode_price == TICK_SIZE else None
        seen = self._conditions(columns, position, within=stop, tick=(tick or 0.0) / asked)
        cost = self._model.of(float(order.safe_amount) * asked, seen)
        if entry:
            paid = cost.buy(asked)
        elif stop:
            paid = self._model.stop_fill(asked, _low(columns, position, now, asked), cost)
        else:
            paid = cost.sell(asked)
        order.average = order.price = settled = paid
        if entry:
            # Freqtrade rounds the trade's rate. The disaster stop hangs below it, as it would live;
            # an addition leaves it where it is.
            settled = price_to_precision(paid, trade.price_precision, trade.precision_mode_price)
            if not is_addition:
                trade.initial_stop_loss_pct = None
                trade.adjust_stop_loss(settled, trade.stop_loss_pct)
        order.ft_price = settled
        order.cost = (order.cost or 0.0) * paid / asked
        order.ft_order_tag = f"{order.ft_order_tag or ''} {ASKED}={asked}"

    def _conditions(
        self, columns: CandleColumns | None, position: int, *, within: bool, tick: float
    ) -> Conditions:
        """What is known of a pair; `within` the running candle too, where a stop fills."""
        if columns is None or position < 0:
            return Conditions(math.nan, math.nan, tick=tick)
        shock = columns.value("cooldown", position) > 0
        if within and position + 1 < len(columns):
            shock = shock or columns.value("cooldown", position + 1) > 0
        return Conditions(
            columns.value("volatility", position),
            _HOURS_A_DAY * columns.value("turnover", position),
            shock,
            self._spread(columns, position),
            tick,
        )

    def _spread(self, columns: CandleColumns, position: int) -> float:
        """The spread as the pair's own candles show it (ratio); NaN where they are too coarse."""
        if self._candle > _EDGE_COARSEST_MINUTES:
            return math.nan
        shortest, longest = (
            round(minutes(w) / self._candle) for w in (_EDGE_SHORTEST, _EDGE_WINDOW)
        )
        first = max(0, position + 1 - longest)
        if position + 1 - first < shortest:
            return math.nan
        window = slice(first, position + 1)
        return edge(
            *(np.asarray(columns[name][window]) for name in ("open", "high", "low", "close"))
        )


def _low(columns: CandleColumns | None, position: int, now: datetime, asked: float) -> float:
    """Low of the candle that a fill is in; the price asked where it is not known."""
    following = position + 1
    if columns is None or following >= len(columns):
        return asked
    begins = int(columns.opened[following])
    inside = begins <= int(now.timestamp()) * 1_000_000_000 < begins + columns.span
    return float(columns["low"][following]) if inside else asked
