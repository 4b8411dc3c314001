"""Falls of a value from its peak, and its changes by day and month."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Fall:
    """
    One way down from a peak and back.

    Parameters
    ----------
    depth : float
        Positive ratio of the peak.
    back : datetime or None
        When the peak was reached again; None if it was not.
    end : datetime
        `back`, or the end of the series.
    """

    peak: datetime
    low: datetime
    back: datetime | None
    end: datetime
    depth: float

    @property
    def days_down(self) -> float:
        """From the peak to the low."""
        return (self.low - self.peak).total_seconds() / 86_400

    @property
    def days(self) -> float:
        """From the peak until it was reached again, or to the end."""
        return (self.end - self.peak).total_seconds() / 86_400


def underwater(values: pd.Series) -> pd.Series:
    """Distance below the highest value so far, zero or negative (ratio)."""
    return values / values.cummax() - 1


def max_drawdown(values: pd.Series) -> float:
    """Largest fall from a previous peak as a positive ratio of it; 0 of an empty series."""
    return float(abs(underwater(values).min())) if len(values) else 0.0


def falls(values: pd.Series) -> list[Fall]:
    """Every fall from a peak, the deepest first."""
    below = (underwater(values) < 0).to_numpy()
    edges = np.flatnonzero(np.diff(np.concatenate(([False], below, [False])).astype(np.int8)))
    found = []
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        part = values.iloc[first:after]
        low = int(np.argmin(part.to_numpy()))
        peak = values.iloc[first - 1]
        back = values.index[after] if after < len(values) else None
        found.append(
            Fall(
                peak=values.index[first - 1].to_pydatetime(),
                low=part.index[low].to_pydatetime(),
                back=back.to_pydatetime() if back is not None else None,
                end=(back if back is not None else values.index[-1]).to_pydatetime(),
                depth=float(1 - part.iloc[low] / peak),
            )
        )
    return sorted(found, key=lambda fall: -fall.depth)


def borders(values: pd.Series, rule: str) -> pd.Series:
    """First value of every period of a pandas rule such as '1D', and the very last value."""
    if len(values) < 2:
        return values.astype(np.float64)
    opens = values.iloc[:-1].resample(rule).first().dropna()
    return pd.concat([opens, values.iloc[-1:]]).astype(np.float64)


def changes(values: pd.Series, rule: str) -> pd.Series:
    """
    Change over every period (ratio), indexed by its beginning.

    A period runs from its first value to the next period's; the last ends with the series.
    """
    values = borders(values, rule)
    return pd.Series(values.to_numpy()[1:] / values.to_numpy()[:-1] - 1, index=values.index[:-1])
