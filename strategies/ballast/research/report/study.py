"""Everything that is worked out about one strategy, before it is judged or shown."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ballast.research.report import (
    bootstrap,
    candles,
    drawdowns,
    guard_times,
    holding,
    regimes,
    trials,
)
from ballast.research.report import trades as trade_figures
from ballast.research.report.bootstrap import BootstrapResult
from ballast.research.report.crises import Crisis, crises
from ballast.research.report.guard_times import Active, Price
from ballast.research.report.holding import Holding
from ballast.research.report.overfitting import DAYS_A_YEAR
from ballast.research.report.regimes import RegimeResult
from ballast.research.report.results import RunResult
from ballast.research.report.selection import Selection
from ballast.research.report.trials import Doubt


@dataclass(frozen=True)
class Options:
    """
    What the user decides.

    Parameters
    ----------
    datadir : Path or None
        Freqtrade's candles; None for the usual place.
    drawdown_limit : float
        Drawdown whose chance is asked (positive ratio).
    hyperopt : Path
        Freqtrade's folder of hyperopt results.
    added_trials : int
        Trials of which nothing is left.
    draws, seed : int
        Of the bootstrap.
    """

    datadir: Path | None = None
    drawdown_limit: float = 0.12
    hyperopt: Path = trials.HYPEROPT_FOLDER
    added_trials: int = 0
    draws: int = bootstrap.DRAWS
    seed: int = 1


@dataclass(frozen=True)
class Study:
    """
    Figures of one strategy; shares and returns are ratios.

    Parameters
    ----------
    trades : DataFrame
        Of the base run, from `trades.in_r`.
    daily : Series
        Change of the account by day.
    outcomes, trade_outcomes : BootstrapResult or None
        Bootstrap of days and of trades; None where there are too few.
    exposure, heat : Series on the times of the account's history
    regimes, crises : list
        Empty where there are no candles.
    candles : mapping of str to DataFrame
        By pair, as far as there are any (see `candles.load`).
    notices : list of str
        What could not be done, a sentence each.
    """

    name: str
    runs: Selection
    trades: pd.DataFrame
    daily: pd.Series
    outcomes: BootstrapResult | None
    trade_outcomes: BootstrapResult | None
    drawdown_limit: float
    exposure: pd.Series
    heat: pd.Series
    regimes: list[RegimeResult]
    crises: list[Crisis]
    holding: Holding | None
    pair_changes: dict[str, float]
    guards: list[Active]
    prices: list[Price]
    doubt: Doubt
    candles: Mapping[str, pd.DataFrame]
    notices: list[str]

    @property
    def base(self) -> RunResult:
        """The run that stands for the strategy."""
        return self.runs.base

    @property
    def years(self) -> float:
        """Length of the base run."""
        return (self.base.end - self.base.start).total_seconds() / 86_400 / DAYS_A_YEAR

    @property
    def yearly(self) -> float:
        """Total return as a yearly rate; NaN for less than a quarter of a year."""
        if self.years < 0.25:
            return math.nan
        return float((1 + self.base.total_return) ** (1 / self.years) - 1)

    @property
    def sharpe(self) -> float:
        """Of daily changes, annualised."""
        return self.doubt.found.sharpe * math.sqrt(DAYS_A_YEAR)

    @property
    def max_drawdown(self) -> float:
        """Of the account at every candle."""
        return drawdowns.max_drawdown(self.base.equity)

    @property
    def months(self) -> pd.Series:
        """Change of the account by calendar month."""
        return drawdowns.changes(self.base.equity, "1MS")

    @property
    def profit_factor(self) -> float:
        """Profits of winning trades over losses of losing ones; NaN without a losing one."""
        profits = self.trades["profit_abs"]
        lost = -float(profits[profits < 0].sum())
        return float(profits[profits > 0].sum()) / lost if lost > 0 else math.nan


def study(name: str, runs: Selection, options: Options, others: Sequence[RunResult] = ()) -> Study:
    """
    Work everything out for one strategy.

    Parameters
    ----------
    others : sequence of RunResult
        The base runs of other strategies that were tried beside it.
    """
    base = runs.base
    table = trade_figures.in_r(base.trades)
    daily = drawdowns.changes(base.equity, "1D")
    exposure = base.invested / base.equity
    known = candles.load(base, options.datadir)
    leader = candles.leader(base)
    held = holding.hold(base, known, leader, float(exposure.mean()))
    hyperopt = trials.read_hyperopt(options.hyperopt, name)
    how: dict[str, Any] = {
        "limit": options.drawdown_limit,
        "seed": options.seed,
        "draws": options.draws,
    }
    return Study(
        name=name,
        runs=runs,
        trades=table,
        daily=daily,
        outcomes=bootstrap.outcomes(daily, **how),
        trade_outcomes=bootstrap.outcomes(
            trade_figures.contributions(table, base.equity),
            **how,
            least_block=bootstrap.LEAST_TRADES_IN_BLOCK,
        ),
        drawdown_limit=options.drawdown_limit,
        exposure=exposure,
        heat=trade_figures.heat(table, base.equity, base.stop_costs),
        regimes=_regimes(base, known, leader, daily, table),
        crises=_crises(base, held, table, real=candles.are_real(base, options.datadir)),
        holding=held,
        pair_changes={p: holding.pair_change(known[p], base) for p in base.pairs if p in known},
        guards=guard_times.activity(base),
        prices=guard_times.prices(base, runs.without_guard),
        doubt=trials.doubt(base, runs.trials, hyperopt, options.added_trials, others),
        candles=known,
        notices=_lock_alerts(base, known, options.datadir),
    )


def _crises(
    base: RunResult, held: Holding | None, table: pd.DataFrame, *, real: bool
) -> list[Crisis]:
    if held is None:
        return []
    return crises(base.equity, held.pairs, table, known=real)


def _regimes(
    base: RunResult, known: dict[str, Any], leader: str, daily: pd.Series, table: pd.DataFrame
) -> list[RegimeResult]:
    if leader not in known:
        return []
    labels = regimes.labels(known, leader, base.pairs, base.timeframe)
    return regimes.table(labels, daily, table)


def _lock_alerts(base: RunResult, known: dict[str, Any], datadir: Path | None) -> list[str]:
    where = f"in {datadir}" if datadir else "in the usual place"
    lacking = candles.missing(base, known)
    notices = []
    if len(lacking) == len(base.pairs):
        notices.append(
            f"There are no {base.timeframe} candles of these pairs {where}: no regimes, crises or "
            "comparison with holding (--datadir says where they are)."
        )
    elif lacking:
        notices.append(
            f"There are no {base.timeframe} candles of {_listed(lacking)} {where}: holding and "
            "regimes are those of the other pairs."
        )
    if not base.has_stops and len(base.trades):
        notices.append(
            "This result does not tell the first stops of its trades: R is Freqtrade's own initial "
            "stop, which makes every R look small."
        )
    return notices


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
