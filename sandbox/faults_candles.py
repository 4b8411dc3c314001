"""Faults of candles: late, unfinished, out of order, frozen, absurd.

Each changes the rows of one answer to GET /api/v3/klines; what the exchange itself knows, matches
orders by and tells elsewhere stays right.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.bodies import amount, kline_rows
from sandbox.candles import TIMEFRAMES_MS
from sandbox.clock import FixedClock
from sandbox.faults import Kind
from sandbox.faults_plan import Asked, FaultPlan, Planned
from sandbox.market_data import MarketData

# Columns of Binance's rows: open time, open, high, low, close.
OPEN_MS, HIGH, LOW, CLOSE = 0, 2, 3, 4
FIRST_VALUE, LAST_VALUE = 1, 5
# So many of the newest candles come shuffled.
DISORDERED = 8

Rows = list[list[Any]]


class CandleFaults:
    """
    Spoils candles as a plan says.

    Parameters
    ----------
    market : what the exchange really knows; its history is asked what it looked like earlier.
    """

    def __init__(self, plan: FaultPlan, market: MarketData) -> None:
        self._plan = plan
        self._then = FixedClock(0)
        self._earlier = MarketData(market.source, self._then)
        # In this order: rows that are spoiled by several are, and disorder comes last.
        self._spoilers: dict[Kind, Callable[[Planned, Asked, int, Rows], Rows]] = {
            Kind.DELISTING: self._end,
            Kind.CANDLES_FROZEN: self._freeze,
            Kind.CANDLE_UNFINISHED: self._unfinish,
            Kind.BAD_TICK: self._spike,
            Kind.CANDLE_MISSING: self._withhold,
            Kind.CANDLES_DISORDERED: self._shuffle,
        }

    def change(self, asked: Asked, request: web.Request, rows: Rows) -> Rows | None:
        """The rows as the client gets them; None where nothing strikes."""
        timeframe_ms = TIMEFRAMES_MS[request.query["interval"]]
        spoiled: Rows | None = None
        for kind, spoil in self._spoilers.items():
            planned = self._plan.strike(kind, asked)
            if planned is not None:
                spoiled = spoil(planned, asked, timeframe_ms, rows if spoiled is None else spoiled)
        return spoiled

    def _end(self, planned: Planned, asked: Asked, timeframe_ms: int, rows: Rows) -> Rows:
        began_ms = self._began_ms(planned)
        return [row for row in rows if row[OPEN_MS] < began_ms]

    def _freeze(self, planned: Planned, asked: Asked, timeframe_ms: int, rows: Rows) -> Rows:
        """Rows that end after the fault began repeat the last one before it."""
        began_ms = self._began_ms(planned)
        sound = [row for row in rows if row[OPEN_MS] + timeframe_ms <= began_ms]
        later = rows[len(sound) :]
        if not sound:
            return rows
        values = sound[-1][FIRST_VALUE : LAST_VALUE + 1]
        return [*sound, *([row[0], *values, *row[LAST_VALUE + 1 :]] for row in later)]

    def _unfinish(self, planned: Planned, asked: Asked, timeframe_ms: int, rows: Rows) -> Rows:
        """The newest closed candle as it was some time before its end."""
        position = self._newest_closed(rows, timeframe_ms)
        numbers, now_ms = planned.fault.numbers, self._plan.clock.now_ms()
        if position is None:
            return rows
        open_ms = rows[position][OPEN_MS]
        end_ms = open_ms + timeframe_ms
        if now_ms - end_ms > 1000 * numbers["late_s"] or asked.symbol is None:
            return rows
        # A candle has existed for a moment at least.
        self._then.time_ms = max(open_ms + 1000, end_ms - round(1000 * numbers["early_s"]))
        interval = next(name for name, span in TIMEFRAMES_MS.items() if span == timeframe_ms)
        forming = self._earlier.klines(asked.symbol, interval, open_ms, open_ms, 1)
        return [*rows[:position], *kline_rows(forming), *rows[position + 1 :]]

    def _withhold(self, planned: Planned, asked: Asked, timeframe_ms: int, rows: Rows) -> Rows:
        """Without what ended too lately, and without what is still forming."""
        until_ms = self._plan.clock.now_ms() - round(1000 * planned.fault.numbers["late_s"])
        return [row for row in rows if row[OPEN_MS] + timeframe_ms <= until_ms]

    def _spike(self, planned: Planned, asked: Asked, timeframe_ms: int, rows: Rows) -> Rows:
        """The newest closed candle ends at an absurd price."""
        position = self._newest_closed(rows, timeframe_ms)
        if position is None:
            return rows
        row = list(rows[position])
        price = float(row[CLOSE]) * planned.fault.numbers["ratio"]
        row[CLOSE] = amount(price)
        row[HIGH] = amount(max(float(row[HIGH]), price))
        row[LOW] = amount(min(float(row[LOW]), price))
        return [*rows[:position], row, *rows[position + 1 :]]

    def _shuffle(self, planned: Planned, asked: Asked, timeframe_ms: int, rows: Rows) -> Rows:
        newest = rows[-DISORDERED:]
        # The same disorder at every request of a moment.
        order = random.Random(f"{self._plan.seed} {self._plan.clock.now_ms()}")  # noqa: S311
        shuffled = [*newest, *newest[:1]]
        order.shuffle(shuffled)
        return [*rows[:-DISORDERED], *shuffled]

    def _newest_closed(self, rows: Rows, timeframe_ms: int) -> int | None:
        """Position of the newest row whose candle has ended."""
        now_ms = self._plan.clock.now_ms()
        closed = [n for n, row in enumerate(rows) if row[OPEN_MS] + timeframe_ms <= now_ms]
        return closed[-1] if closed else None

    def _began_ms(self, planned: Planned) -> int:
        now_ms = self._plan.clock.now_ms()
        began_ms = planned.began_ms(now_ms)
        return now_ms if began_ms is None else began_ms
