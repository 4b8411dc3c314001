"""The interface of a guard, and of its settings, which stand beside it."""

import math
import sys
from abc import ABC
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from ballast.core.cross_section import CrossSection
from ballast.core.reasons import Reason
from ballast.core.section import SettingsSection
from ballast.core.snapshot import Snapshot
from ballast.core.verdict import ALLOW, Verdict, compose


class Memory(BaseModel):
    """What must be remembered across a restart; times are seconds since the epoch (UTC)."""

    model_config = ConfigDict(extra="forbid")

    # Plainly: the guards alone set what they remember, at every candle that they are shown.
    __setattr__ = object.__setattr__


class Nothing(Memory):
    """Memory of a guard that needs none."""


class Calm(NamedTuple):
    """
    Where a guard that follows equity learns nothing but the latest and the highest figure: it
    remembers the same after one such candle as after many, and allows the same size all along.

    Parameters
    ----------
    above, up_to : float
        Equities, quote currency.
    until : float
        Seconds since the epoch.
    """

    above: float = 0.0
    up_to: float = sys.float_info.max
    until: float = math.inf

    def holds(self, equity: float, end: datetime) -> bool:
        """Whether a candle that ended with this equity is one of these."""
        return self.above < equity <= self.up_to and end.timestamp() < self.until


# At every candle there may be something to learn.
NOT_CALM = Calm(math.inf, -math.inf, -math.inf)


def all_of(several: Iterable[Calm]) -> Calm:
    """Where several guards learn nothing else."""
    above, up_to, until = zip(Calm(), *several, strict=True)
    return Calm(max(above), min(up_to), min(until))


class Guard(ABC):
    """
    One question about the account or the market.

    `observe` is called once for every completed candle, in order. The verdicts may be asked any
    number of times and change nothing. A guard overrides the one or both that it has an opinion in.
    """

    code: ClassVar[Reason]
    # Whether candles alone, equity alone, or trades that close can change what it says.
    follows_candles: ClassVar[bool] = True
    follows_equity: ClassVar[bool] = True
    follows_trades: ClassVar[bool] = True
    memory: Any = Nothing()

    def observe(self, snapshot: Snapshot) -> None:  # noqa: B027 - most guards only look
        """Take note of a completed candle."""

    def news(self, market: CrossSection) -> np.ndarray:
        """
        By candle of the axis, whether candles can make a guard that follows them say something else
        than at the one before: at others a backtest asks only those that follow equity.
        """
        return np.ones(len(market.axis), dtype=bool)

    def calm(self, snapshot: Snapshot) -> Calm:
        """
        At which equities a guard that follows them need not be asked, after the snapshot that it
        was shown last.
        """
        return NOT_CALM

    def market_verdict(self, snapshot: Snapshot) -> Verdict:
        """Whether, and at what size, anything may be entered."""
        return ALLOW

    def pair_verdicts(self, snapshot: Snapshot) -> Mapping[str, Verdict]:
        """By pair, further verdicts on single pairs; a pair that is allowed need not be there."""
        return {}

    def verdict(self, snapshot: Snapshot, pair: str) -> Verdict:
        """Whether, and at what size, `pair` may be entered."""
        own, common = self.pair_verdicts(snapshot).get(pair), self.market_verdict(snapshot)
        if own is None:
            return ALLOW if common.multiplier == 1 else common
        return compose((own, common))

    @property
    def floor(self) -> float | None:
        """
        Equity below which all open positions together may not bring the account at their stops,
        quote currency; None for a guard that limits none.
        """
        return None

    def flowed(self, factor: float) -> None:  # noqa: B027 - most guards remember no money
        """
        Money came or went: multiply what is remembered in quote currency (see `core.ledger.Flow`).
        """

    def rearm(self) -> None:
        """Forget what blocks or cuts sizes, because a person said so."""
        self.memory = type(self.memory)()

    def gauge(self) -> tuple[float, float] | None:
        """
        What is measured now and the next limit that it may reach, percent of equity; None for a
        guard that measures nothing of the account. For display.
        """
        return None

    @property
    def latched_at(self) -> datetime | None:
        """Since when nothing but a person ends what it blocks, where it says so."""
        return None

    @property
    def flattens(self) -> bool:
        """Whether open positions are to be closed as well."""
        return False


class GuardSection(SettingsSection):
    """Settings of one guard, by the names of its parameters."""

    guard: ClassVar[type[Guard]]

    @property
    def lacks(self) -> str:
        """What the guard waits for before it is on; empty where it has all it needs."""
        return ""

    def build(self, candle_minutes: float) -> Guard:
        """
        The guard.

        Parameters
        ----------
        candle_minutes : float
            Length of the strategy's candles.
        """
        return self.guard(**self.model_dump())
