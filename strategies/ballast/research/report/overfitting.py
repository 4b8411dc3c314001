"""Is it skill, or the best of many tries? Sharpe ratios that allow for length, shape and trials.

All Sharpe ratios here are per period (a day's, if the returns are daily), not annualised, and
kurtosis is raw: 3 for a normal distribution.
"""

import itertools
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

_NORMAL = NormalDist()
_EULER_MASCHERONI = 0.577_215_664_901_532_9
DAYS_A_YEAR = 365.25


@dataclass(frozen=True)
class Moments:
    """Sharpe ratio per period, skewness and raw kurtosis of n returns."""

    sharpe: float
    skew: float
    kurtosis: float
    n: int

    @property
    def deviation(self) -> float:
        """
        Standard deviation of the Sharpe ratio times the root of n - 1 (Mertens, 2002):
        ``sqrt(1 - skew SR + (kurtosis - 1) / 4 SR^2)``.
        """
        spread = 1 - self.skew * self.sharpe + (self.kurtosis - 1) / 4 * self.sharpe**2
        return math.sqrt(spread) if spread > 0 else math.nan


def moments(returns: np.ndarray) -> Moments:
    """Moments of returns (ratios); all NaN where they do not vary."""
    x = np.asarray(returns, dtype=float)
    if len(x) < 3 or not np.ptp(x) > 0:
        return Moments(math.nan, math.nan, math.nan, len(x))
    standard = (x - x.mean()) / x.std()
    return Moments(
        sharpe=float(x.mean() / x.std(ddof=1)),
        skew=float((standard**3).mean()),
        kurtosis=float((standard**4).mean()),
        n=len(x),
    )


def probabilistic_sharpe(found: Moments, benchmark: float = 0.0) -> float:
    """
    Probability that the true Sharpe ratio is above `benchmark`, given the one found.

    ``Phi((SR - SR*) sqrt(n - 1) / deviation)``: Bailey and Lopez de Prado (2012), 'The Sharpe Ratio
    Efficient Frontier', Journal of Risk 15.
    """
    z = (found.sharpe - benchmark) * math.sqrt(max(found.n - 1, 0)) / found.deviation
    return math.nan if math.isnan(z) else _NORMAL.cdf(z)


def expected_maximum(variance: float, trials: int) -> float:
    """
    Sharpe ratio that the best of so many trials without any skill is expected to show.

    ``sqrt(V) ((1 - g) Z(1 - 1/N) + g Z(1 - 1/(N e)))`` with Euler's g: Bailey and Lopez de Prado
    (2014), 'The Deflated Sharpe Ratio', Journal of Portfolio Management 40.

    Parameters
    ----------
    variance : float
        Of the trials' Sharpe ratios.
    trials : int
        Independent ones; the count of all tried is the careful choice.
    """
    if trials < 2:
        return 0.0
    z = _NORMAL.inv_cdf
    bracket = (1 - _EULER_MASCHERONI) * z(1 - 1 / trials)
    bracket += _EULER_MASCHERONI * z(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * bracket


def deflated_sharpe(found: Moments, variance: float, trials: int) -> float:
    """Probability that the Sharpe ratio found is more than the luck of the best of the trials."""
    return probabilistic_sharpe(found, expected_maximum(variance, trials))


def minimum_track_record(found: Moments, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """
    Number of returns needed to say with this confidence that the Sharpe ratio beats `benchmark`.

    ``1 + deviation^2 (z / (SR - SR*))^2``: Bailey and Lopez de Prado (2012). Infinite where the
    Sharpe ratio found is not above the benchmark.
    """
    if math.isnan(found.sharpe):
        return math.nan
    if found.sharpe <= benchmark:
        return math.inf
    distance = _NORMAL.inv_cdf(confidence) / (found.sharpe - benchmark)
    return 1 + found.deviation**2 * distance**2


@dataclass(frozen=True)
class Overfitting:
    """
    What CSCV found.

    Parameters
    ----------
    probability : float
        Share of the splits in which the configuration that was best on one half was no better than
        the median of all on the other.
    loss : float
        Share of the splits in which it lost money on the other half.
    in_sample, out_of_sample : float
        Median Sharpe ratio (per period) of the chosen one on either half.
    """

    probability: float
    loss: float
    in_sample: float
    out_of_sample: float
    configurations: int
    splits: int


def backtest_overfitting(returns: np.ndarray, blocks: int = 16) -> Overfitting | None:
    """
    Probability of backtest overfitting by combinatorially symmetric cross-validation.

    Bailey, Borwein, Lopez de Prado and Zhu (2017), 'The Probability of Backtest Overfitting',
    Journal of Computational Finance 20. The rows are cut into blocks; for each way to take half of
    them, the configuration with the highest Sharpe ratio there is ranked on the other half.

    Parameters
    ----------
    returns : ndarray, shape (periods, configurations)
        Of every configuration that was tried. Rows beyond a multiple of `blocks` are left out.
    blocks : int
        An even number.

    Returns
    -------
    Overfitting or None
        None with fewer than two configurations or two rows a block: nothing can be ranked.

    Raises
    ------
    ValueError
        When `blocks` is odd or below two.
    """
    if blocks < 2 or blocks % 2:
        raise ValueError(f"blocks is {blocks}: expected an even number from 2")
    table = np.asarray(returns, dtype=float)
    length, configurations = len(table) // blocks, table.shape[1]
    if configurations < 2 or length < 2:
        return None
    seen, unseen = _on_both_halves(table[: length * blocks], blocks)
    best = seen.argmax(axis=1)
    at = np.arange(len(best))
    picked = unseen[at, best]
    below = (unseen < picked[:, None]).sum(axis=1)
    ties = (unseen == picked[:, None]).sum(axis=1)
    # Ranks from 1, the mean of those that tie; half the way up is the median.
    rank = (below + (ties + 1) / 2) / (configurations + 1)
    return Overfitting(
        probability=float((rank <= 0.5).mean()),
        loss=float((picked < 0).mean()),
        in_sample=float(np.median(seen[at, best])),
        out_of_sample=float(np.median(picked)),
        configurations=configurations,
        splits=len(best),
    )


def _on_both_halves(table: np.ndarray, blocks: int) -> tuple[np.ndarray, np.ndarray]:
    """Sharpe ratios on the blocks chosen and on the others, of shape (splits, configurations)."""
    cut = table.reshape(blocks, -1, table.shape[1])
    sums, squares = cut.sum(axis=1), (cut**2).sum(axis=1)
    chosen = np.array(list(itertools.combinations(range(blocks), blocks // 2)))
    inside = np.zeros((len(chosen), blocks))
    np.put_along_axis(inside, chosen, 1.0, axis=1)
    rows = len(table) // 2
    return (
        _sharpes(inside @ sums, inside @ squares, rows),
        _sharpes((1 - inside) @ sums, (1 - inside) @ squares, rows),
    )


def _sharpes(sums: np.ndarray, squares: np.ndarray, n: int) -> np.ndarray:
    """Sharpe ratios from sums and sums of squares of n returns; 0 where they do not vary."""
    mean = sums / n
    variance = np.maximum(squares / n - mean**2, 0.0) * n / (n - 1)
    varies = variance > 1e-18
    return np.where(varies, mean / np.sqrt(np.where(varies, variance, 1.0)), 0.0)
