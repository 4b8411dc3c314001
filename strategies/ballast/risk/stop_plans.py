"""Stop plans under way, and how they outlive a restart.

A plan is the sum of all candles since the entry. Freqtrade has the last thousand of them at start,
and what else has moved a stop is in no candle: so each plan is written down in the bot's database
at every candle, and goes on from there.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from freqtrade.persistence import LocalTrade
from pydantic import BaseModel, ConfigDict, Field

from ballast.core import stops
from ballast.core.columns import CandleColumns
from ballast.core.guards.base import Memory
from ballast.core.stops import StopPlan, StopRules
from ballast.core.trails import ParabolicSar
from ballast.core.windows import minutes
from ballast.risk.state_store import StateStore

ROW = "StopPlans"


@dataclass
class ManagedStop:
    """
    The plan of one position.

    Parameters
    ----------
    setup : str
        Name of the setup that the position is managed by.
    opened_at : datetime
        Of the trade (UTC).
    filled_at : datetime
        When the entry filled (UTC): candles that ended later move the stop.
    as_of : int or None
        Candle up to which the plan has been advanced (opening time, nanoseconds since the epoch);
        None until the pair's candles are known.
    asked : datetime or None
        Moment that the plan answers for.
    moved_as_of : int
        Candle at which the stop moved last, as `as_of`.
    """

    pair: str
    plan: StopPlan
    setup: str
    opened_at: datetime
    filled_at: datetime
    as_of: int | None = None
    asked: datetime | None = None
    moved_as_of: int = -1

    def is_of(self, trade: LocalTrade) -> bool:
        """Whether this is the plan of a trade: numbers of deleted trades are given again."""
        same = self.pair == trade.pair and self.opened_at == trade.open_date_utc
        return same and math.isclose(self.plan.entry, trade.open_rate)

    def overdue(self, now: datetime) -> bool:
        """Whether the time stop has come."""
        return (due := self.time_is_up) is not None and now >= due

    @property
    def time_is_up(self) -> datetime | None:
        """When the time stop comes, if it may come."""
        due = self._due
        return None if due is None or self.plan.reached(1.0) else due

    @cached_property
    def _due(self) -> datetime | None:
        limit = self.plan.rules.time_stop
        return None if limit is None else stops.due(self.opened_at, minutes(limit))

    def candle(self, columns: CandleColumns) -> int:
        """Candle up to which the plan has been advanced, as `as_of`."""
        if self.as_of is None:
            position = columns.completed_at(self.filled_at)
            self.as_of = int(columns.opened[position]) if position >= 0 else ns(self.filled_at)
        return self.as_of


class KeptPlan(BaseModel):
    """A plan as it is written down; prices in quote currency, see `ManagedStop` and `StopPlan`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pair: str
    setup: str
    entry: float
    initial_stop: float
    stop: float
    highest_close: float
    chandelier: float
    closed_below: bool
    moved_by: str
    as_of: int | None
    # Level, highest high and acceleration; None in rows from before there were any.
    sar: tuple[float, float, float] | None = None

    @classmethod
    def of(cls, managed: ManagedStop) -> "KeptPlan":
        """What is written down of a plan."""
        plan = managed.plan
        return cls(
            pair=managed.pair,
            setup=managed.setup,
            entry=plan.entry,
            initial_stop=plan.initial_stop,
            stop=plan.stop,
            highest_close=plan.highest_close,
            chandelier=plan.chandelier,
            closed_below=plan.closed_below,
            moved_by=plan.moved_by,
            as_of=managed.as_of,
            sar=(plan.sar.level, plan.sar.highest, plan.sar.acceleration),
        )

    def is_of(self, trade: LocalTrade) -> bool:
        """Whether this is the plan of a trade: numbers of deleted trades are given again."""
        return self.pair == trade.pair and math.isclose(self.entry, trade.open_rate)

    def taken_up(self, trade: LocalTrade, rules: StopRules, cost_ratio: float) -> ManagedStop:
        """The plan, going on where it was written down."""
        plan = StopPlan(self.entry, self.initial_stop, rules, cost_ratio)
        plan.stop = self.stop
        plan.highest_close = self.highest_close
        plan.chandelier, plan.closed_below = self.chandelier, self.closed_below
        plan.moved_by = self.moved_by
        if self.sar is not None and rules.sar_step is not None:
            plan.sar = ParabolicSar(*self.sar)
        opened = trade.open_date_utc
        filled = trade.date_entry_fill_utc or opened
        return ManagedStop(self.pair, plan, self.setup, opened, filled, self.as_of)


class _Row(Memory):
    plans: dict[int, KeptPlan] = Field(default_factory=dict)


class StopPlanStore:
    """
    Plans of the open positions in the bot's database, by the number of their trade.

    Parameters
    ----------
    store : StateStore
        They are kept in a row of its table.
    """

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._plans = (store.read(ROW, _Row) or _Row()).plans

    def of(self, trade: LocalTrade) -> KeptPlan | None:
        """The plan of a trade as it was written down last, or None."""
        kept = self._plans.get(trade.id)
        return kept if kept is not None and kept.is_of(trade) else None

    def keep(
        self, managed: Mapping[int, ManagedStop], still_open: Collection[int] | None = None
    ) -> None:
        """Write down the plans given; forget those of trades that are no longer open, if told."""
        wanted = {**self._plans, **{number: KeptPlan.of(one) for number, one in managed.items()}}
        if still_open is not None:
            wanted = {number: plan for number, plan in wanted.items() if number in still_open}
        if wanted != self._plans:
            self._store.write(ROW, _Row(plans=wanted).model_dump_json(), "")
            self._plans = wanted


def ns(moment: datetime) -> int:
    """Nanoseconds since the epoch, of whole seconds."""
    return int(moment.timestamp()) * 1_000_000_000
