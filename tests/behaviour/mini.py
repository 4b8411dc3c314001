"""Stories of a few candles, told to Freqtrade's backtester after a long quiet beginning.

A story is a list of rows ``(open, high, low, close)`` as in `tests.engine`. Before it lie
`WARM_UP` hourly candles around 100 with a true range of 1, so that an ATR is 1 and every window is
settled; beside it the market leader stays quiet unless it has a story of its own. Row 0 of a story
opens at `FIRST`, a Friday at midnight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
from freqtrade.persistence import LocalTrade

from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.rules import Rule, above
from ballast.core.stops import StopRules
from ballast.strategy.guarded import GuardedStrategy
from tests.engine import START, BacktestOutcome, Row, run_backtest

LEADER, PAIR, OTHER = "BTC/USDT", "ETH/USDT", "SOL/USDT"
WARM_UP = 600
FIRST = START + timedelta(hours=WARM_UP)
VOLUME = 1_000_000.0
FEE = 0.001
# Fees and slippage of both sides and the gap allowance, as Ballast counts them.
COSTS = 2 * (FEE + 0.0005) + 0.005

Story = Sequence[Row]


class Mini(GuardedStrategy):
    """Buys a close above 100.5, which no quiet candle has."""

    timeframe = "1h"
    stops = StopRules(initial_atr=4)

    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        return {"high": above(pair.close, 100.5)}


def quiet(count: int, price: float = 100.0) -> list[Row]:
    """Candles that close a little above and below the price in turn."""
    step = price / 1000
    return [
        (price - step, price + 4.9 * step, price - 5 * step, price + step)
        if number % 2
        else (price + step, price + 5.1 * step, price - 5 * step, price - step)
        for number in range(count)
    ]


def signal(close: float = 100.9) -> Row:
    """A candle that closes high enough to be bought."""
    return (100.1, close + 0.1, 99.9, close)


def at(row: int) -> datetime:
    """When a row of a story opens."""
    return FIRST + timedelta(hours=row)


def play(
    story: Story | Mapping[str, Story],
    strategy: type[GuardedStrategy] | Path = Mini,
    *,
    ballast: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    **settings: Any,
) -> BacktestOutcome:
    """
    Trade a story.

    Parameters
    ----------
    story : rows of `PAIR`, or rows by pair; those of the shorter stories end quietly.
    ballast : the section of settings.
    config : further settings of Freqtrade.
    settings : further arguments of `run_backtest`.
    """
    stories = dict(story) if isinstance(story, Mapping) else {PAIR: story}
    stories.setdefault(LEADER, [])
    length = max(len(rows) for rows in stories.values())
    tables = {pair: told(rows, length) for pair, rows in sorted(stories.items())}
    full = {
        "stake_amount": "unlimited",
        "entry_pricing": {"price_side": "other", "use_order_book": False},
        "exit_pricing": {"price_side": "other", "use_order_book": False},
        # Fills at the price asked, so that stories keep their round numbers (costs: test_costs.py).
        "ballast": {"costs": {"enabled": False}, **(ballast or {})},
        **(config or {}),
    }
    settings.setdefault("protections", True)
    settings.setdefault("fee", FEE)
    return run_backtest(strategy, tables, config=full, **settings)


def told(story: Story, length: int) -> list[Row]:
    """A story with its beginning and, if it is shorter than `length`, its end."""
    rows = [*quiet(WARM_UP), *story, *quiet(length - len(story))]
    return [row if row is None or len(row) == 5 else (*row, VOLUME) for row in rows]


def seen(outcome: BacktestOutcome, row: int, pair: str = PAIR) -> pd.Series:
    """What the strategy knew of a row of the story."""
    frame = outcome.frames[pair]
    (found,) = frame[frame["date"] == at(row)].iloc
    return found


def reasons(outcome: BacktestOutcome) -> list[str]:
    """Exit reasons, without what was still open at the end."""
    return [reason for reason in outcome.reasons if reason != "force_exit"]


@contextmanager
def stops_watched() -> Iterator[list[tuple[float, float]]]:
    """Every move of a trade's stop after its first: before and after."""
    moves: list[tuple[float, float]] = []
    adjust = LocalTrade.adjust_stop_loss

    def adjusting(self: LocalTrade, *args: Any, **kwargs: Any) -> None:
        before = self.stop_loss
        adjust(self, *args, **kwargs)
        if before:
            moves.append((before, self.stop_loss))

    with patch.object(LocalTrade, "adjust_stop_loss", adjusting):
        yield moves
