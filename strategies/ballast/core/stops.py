"""Stops of a long position, as absolute prices decided from completed candles, never loosened.

A policy proposes a stop; the plan keeps the highest proposal. Freqtrade's relative form is made in
one place, `relative_to`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from numbers import Real

from ballast.core import windows
from ballast.core.quoting import quoted
from ballast.core.reasons import Reason
from ballast.core.trails import UNKNOWN, Extremes, ParabolicSar

# What is accepted, from and to. Nearer than half an hour's range is noise, and forty are further
# than any disaster stop.
RANGES: dict[str, tuple[float, float]] = {
    "initial_atr": (0.5, 20),
    "chandelier_atr": (0.5, 40),
    "chandelier_slack_atr": (0, 20),
    "trail_atr": (0.5, 40),
    "trail_pct": (0.2, 50),
    "sar_step": (0.002, 0.1),
    "break_even_r": (0.25, 10),
}
_NEEDED = {"initial_atr", "chandelier_slack_atr"}


@dataclass(frozen=True)
class StopRules:
    """
    Which stops a trade has. Distances are in hourly ATR (see `Candles.atr`), None switches one off.

    Of several that trail the highest holds; all move at completed candles, and only up.

    Parameters
    ----------
    initial_atr : float
        Distance of the first stop below the close of the signal candle, with the ATR of that candle
        (the Turtles' 2N is the model).
    chandelier_atr : float or None
        Trailing distance below the highest close since entry, with the ATR of each candle (LeBeau's
        chandelier exit, anchored at closes so that a spike does not move it). A close below it
        leaves at the market.
    chandelier_slack_atr : float
        How much further away the resting stop trails, so that a wick does not take out a position
        that its close would have kept. 0 rests the stop on the chandelier itself.
    trail_atr : float or None
        Trailing distance below each close, with its ATR.
    trail_pct : float or None
        Trailing distance below the highest close since entry, percent.
    sar_step : float or None
        Step of a parabolic SAR that begins at the first stop (Wilder's is 0.02; see
        `ParabolicSar`).
    swing_low : str or None
        The stop follows each swing low: one that no candle within this time before or after it
        undercuts, such as "6h".
    break_even_r : float or None
        Once a close stands this many R above the entry, the stop is at least the entry plus costs.
    time_stop : str or None
        A trade that has not closed one R above its entry within this time is left.
    """

    initial_atr: float
    chandelier_atr: float | None = None
    chandelier_slack_atr: float = 0.0
    trail_atr: float | None = None
    trail_pct: float | None = None
    sar_step: float | None = None
    swing_low: str | None = None
    break_even_r: float | None = None
    time_stop: str | None = None

    def faults(self) -> Iterator[str]:
        """What cannot be used, each as 'name is value: expected what is accepted'."""
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is None and name not in _NEEDED:
                continue
            is_number = isinstance(value, Real) and not isinstance(value, bool)
            if not (is_number and low <= float(value) <= high):
                yield f"{name} is {quoted(value)}: expected a number from {low:g} to {high:g}"
        for name in ("swing_low", "time_stop"):
            window = getattr(self, name)
            if window is None:
                continue
            try:
                windows.minutes(str(window))
            except ValueError as error:
                yield f"{name} is {quoted(window)}: expected {error}"

    def swing_candles(self, timeframe: str) -> int:
        """
        Candles on each side of a swing low; 0 where the stop follows none.

        Raises
        ------
        ValueError
            When the window is shorter than a candle.
        """
        if self.swing_low is None:
            return 0
        count = round(windows.minutes(self.swing_low) / windows.minutes(timeframe))
        if count < 1:
            raise ValueError(
                f"swing_low {quoted(self.swing_low)} is shorter than a candle of {timeframe}"
            )
        return count


@dataclass
class StopPlan:
    """
    The stop of one position and what is needed to move it.

    Parameters
    ----------
    entry : float
        Average price paid, quote currency.
    stop : float
        Present stop, quote currency. Only ever rises.
    rules : StopRules
    cost_ratio : float
        Round-trip cost, ratio of the price; the break-even stop covers it.
    highest_close : float
        Highest close of completed candles since the entry.
    chandelier : float
        Level that closes are judged by, quote currency. Only ever rises.
    closed_below : bool
        Whether the last close was below it.
    moved_by : str
        What raised the stop last.
    sar : ParabolicSar
        Advanced where the rules have one.
    """

    entry: float
    stop: float
    rules: StopRules
    cost_ratio: float
    initial_stop: float = field(init=False)
    highest_close: float = field(init=False)
    chandelier: float = field(init=False, default=0.0)
    closed_below: bool = field(init=False, default=False)
    moved_by: str = field(init=False, default="")
    sar: ParabolicSar = field(init=False)

    def __post_init__(self) -> None:
        self.initial_stop = self.stop
        self.highest_close = self.entry
        self.sar = ParabolicSar(self.stop, self.entry, self.rules.sar_step or 0.0)

    @property
    def risk(self) -> float:
        """One R of the position (see `one_r`)."""
        return one_r(self.entry, self.initial_stop)

    def advance(self, close: float, atr: float, extremes: Extremes = UNKNOWN) -> float:
        """
        Move the stop by one completed candle and return it.

        A candle without a finite close or a positive ATR moves nothing: the last good stop stays.
        """
        if not (math.isfinite(close) and math.isfinite(atr) and atr > 0):
            return self.stop
        self.highest_close = max(self.highest_close, close)
        if self.rules.chandelier_atr is not None:
            level = self.highest_close - self.rules.chandelier_atr * atr
            self.chandelier = max(self.chandelier, level)
            self.closed_below = close < self.chandelier
            self.tighten(level - self.rules.chandelier_slack_atr * atr, Reason.CHANDELIER)
        self._trail(close, atr, extremes)
        if self.rules.break_even_r is not None and self.reached(self.rules.break_even_r):
            self.tighten(self.entry * (1 + self.cost_ratio), Reason.BREAK_EVEN)
        return self.stop

    def _trail(self, close: float, atr: float, extremes: Extremes) -> None:
        rules = self.rules
        if rules.trail_atr is not None:
            self.tighten(close - rules.trail_atr * atr, Reason.ATR_TRAIL)
        if rules.trail_pct is not None:
            self.tighten(self.highest_close * (1 - rules.trail_pct / 100), Reason.PERCENT_TRAIL)
        if rules.sar_step is not None:
            level = self.sar.advance(extremes.high, extremes.low, rules.sar_step)
            self.tighten(level, Reason.PARABOLIC_SAR)
        if rules.swing_low is not None:
            self.tighten(extremes.swing_low, Reason.SWING_LOW)

    def tighten(self, stop: float, by: str = "") -> None:
        """Raise the stop to this price; a lower or missing one changes nothing."""
        if self.stop < stop < math.inf:
            self.stop = stop
            self.moved_by = by

    def reached(self, multiple: float) -> bool:
        """Whether some close since entry stood at least `multiple` R above the entry."""
        return self.highest_close >= self.entry + multiple * self.risk


def initial_stop(close: float, atr: float, rules: StopRules, disaster_ratio: float) -> float:
    """
    First stop of a trade, decided before the order is sent.

    Parameters
    ----------
    close, atr : float
        Of the signal candle, quote currency.
    disaster_ratio : float
        Depth of the disaster stop as a positive ratio of the price; it bounds the distance.

    Returns
    -------
    float
        Price in quote currency; NaN where close or ATR is missing, which sizes to no trade.
    """
    if not (math.isfinite(close) and math.isfinite(atr) and atr > 0):
        return math.nan
    return max(close - rules.initial_atr * atr, close * (1 - disaster_ratio))


def one_r(entry: float, first_stop: float) -> float:
    """
    One R: distance from entry to the first stop, quote currency per unit.

    A fill at or below its own stop is left at once; its R is taken as one percent of the entry.
    """
    distance = entry - first_stop
    return distance if distance > 0 else 0.01 * entry


def relative_to(price: float, stop: float) -> float | None:
    """
    Freqtrade's form of an absolute stop: its distance below `price` as a positive ratio.

    None ('leave the stop where it is') where the stop is not below the price: the position is left
    through an exit then, because Freqtrade takes a distance of zero for 'no change'.
    """
    if not (0 < stop < price < math.inf):
        return None
    return 1 - stop / price


def due(opened: datetime, minutes_allowed: float) -> datetime:
    """From when on a trade has been open for at least `minutes_allowed`."""
    return opened + timedelta(minutes=minutes_allowed)
