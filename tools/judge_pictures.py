"""Pictures of a judgement: what moved values do, and trades with the path of their stops."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import dates as mdates
from matplotlib import pyplot as plt

from tools.judge_plans import MOVES, Moved
from tools.judge_report import Verdict, knob_label
from tools.judge_runs import Job, JudgeError, Result

INK, MUTED, FAINT = "#1f2933", "#52606d", "#cbd2d9"
LESS, MORE, GOOD, BAD = "#2b6cb0", "#c05621", "#2f855a", "#c53030"
# Long enough to see several trades, short enough to see each stop.
STRETCH = pd.Timedelta(days=60)
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "ballast",  # the same figures give the same bytes
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": INK,
    "grid.color": FAINT,
    "grid.alpha": 0.6,
    "path.simplify_threshold": 0.5,
}


def draw_sensitivity(job: Job, verdict: Verdict, target: Path) -> None:
    """Return over drawdown and maximum drawdown with each value moved 25 % either way."""
    with mpl.rc_context(_STYLE):
        rows = len(verdict.moved)
        figure, panels = plt.subplots(
            1, 2, figsize=(10, 1.9 + 0.29 * rows), sharey=True, layout="constrained"
        )
        labels = [knob_label(moved.knob) for moved in verdict.moved]
        figures = ("return_over_drawdown", "max_drawdown")
        titles = ("Return over drawdown", "Maximum drawdown, percent of the account")
        for axis, figure_name, title in zip(panels, figures, titles, strict=True):
            scale = 100.0 if figure_name == "max_drawdown" else 1.0
            base = scale * getattr(verdict.figures, figure_name)
            _draw_moves(axis, verdict.moved, figure_name, scale, base)
            axis.set_title(title, loc="left", fontsize=10.5, color=INK)
        panels[0].set_yticks(range(rows), labels)
        panels[0].invert_yaxis()
        figure.suptitle(
            f"{job.strategy}: each value moved by a quarter, the others as they are",
            x=0.01, ha="left", fontsize=13, weight="bold",
        )  # fmt: skip
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(
            handles, names, loc="outside lower left", ncols=3, frameon=False, labelcolor=MUTED
        )
        figure.supxlabel(
            f"{job.timeframe} candles of {len(job.pairs)} pairs, {job.timerange or 'all of them'}",
            x=0.99, ha="right", fontsize=9.5, color=MUTED,
        )  # fmt: skip
        _save(figure, target)


def _draw_moves(axis: Any, moves: Sequence[Moved], figure: str, scale: float, base: float) -> None:
    rows = np.arange(len(moves))
    less, more = (
        scale * np.array([getattr(moved.moves[move], figure) for moved in moves]) for move in MOVES
    )
    axis.axvline(base, color=INK, linewidth=1.0, label="as it is", zorder=1)
    axis.hlines(rows, np.fmin(less, more), np.fmax(less, more), color=FAINT, linewidth=3, zorder=2)
    axis.scatter(less, rows, color=LESS, s=34, zorder=3, label="a quarter less")
    axis.scatter(more, rows, color=MORE, s=34, marker="D", zorder=3, label="a quarter more")
    lowest = float(np.nanmin([less, more]))
    if lowest > 0:
        axis.set_xlim(left=0.0)
    # Room above the first row for the number.
    axis.set_ylim(-1.0, len(rows) - 0.5)
    axis.grid(axis="x")
    axis.tick_params(length=0)
    axis.spines["left"].set_visible(False)
    axis.annotate(
        f"{base:.1f}", (base, 1.0), xycoords=("data", "axes fraction"), xytext=(4, -2),
        textcoords="offset points", va="top", color=INK, fontsize=9,
    )  # fmt: skip


def draw_trades(name: str, result: Result, target: Path) -> None:
    """The busiest stretch of one pair: price, entries, exits and the stop's path."""
    pair, start = busiest(result.trades, STRETCH)
    trades = result.trades
    shown = trades[(trades["pair"] == pair) & (trades["open_date"].between(start, start + STRETCH))]
    last, margin = shown["close_date"].max(), pd.Timedelta(days=2)
    candles = result.candles[pair]
    candles = candles[candles["date"].between(start - margin, last + margin)]
    with mpl.rc_context(_STYLE):
        figure, axis = plt.subplots(figsize=(10, 4.6), layout="constrained")
        axis.fill_between(
            candles["date"], candles["low"], candles["high"], color=FAINT, linewidth=0, alpha=0.8
        )
        axis.plot(candles["date"], candles["close"], color=INK, linewidth=0.9, label="price")
        for _, trade in shown.iterrows():
            stops = result.stops.get((pair, trade["open_date"].to_pydatetime()), [])
            _draw_trade(axis, trade, stops)
        _finish_trades(axis, name, pair, shown)
        _save(figure, target)


def busiest(trades: pd.DataFrame, length: pd.Timedelta) -> tuple[str, pd.Timestamp]:
    """
    The pair and the start of the stretch of `length` in which most trades were opened.

    Nothing is chosen for its result; many trades in a short time are often short, losing ones.

    Raises
    ------
    JudgeError
        When there is no trade.
    """
    if trades.empty:
        raise JudgeError("--trade-pictures: a strategy made no trade that could be drawn.")
    best, found = 0, (str(trades["pair"].iloc[0]), trades["open_date"].iloc[0])
    for pair, own in trades.sort_values("open_date").groupby("pair", sort=True):
        opened = own["open_date"].reset_index(drop=True)
        ends = np.searchsorted(opened.to_numpy(), (opened + length).to_numpy(), side="right")
        counts = ends - np.arange(len(opened))
        if counts.max() > best:
            best, found = int(counts.max()), (str(pair), opened[int(counts.argmax())])
    return found


def _draw_trade(axis: Any, trade: pd.Series, stops: list[tuple[datetime, float]]) -> None:
    colour = GOOD if trade["profit_abs"] > 0 else BAD
    axis.axvspan(trade["open_date"], trade["close_date"], color=colour, alpha=0.07, linewidth=0)
    axis.plot(
        [trade["open_date"], trade["close_date"]], [trade["open_rate"], trade["close_rate"]],
        color=colour, linewidth=1.0, linestyle=(0, (1, 1.5)),
    )  # fmt: skip
    if stops:
        times, prices = zip(*stops, strict=True)
        # The last one holds until the trade is closed.
        axis.step(
            [*times, trade["close_date"]], [*prices, prices[-1]],
            where="post", color=MORE, linewidth=1.5,
        )  # fmt: skip
    axis.scatter(trade["open_date"], trade["open_rate"], marker="^", color=LESS, s=46, zorder=4)
    axis.scatter(trade["close_date"], trade["close_rate"], marker="v", color=colour, s=46, zorder=4)


def _finish_trades(axis: Any, name: str, pair: str, shown: pd.DataFrame) -> None:
    axis.scatter([], [], marker="^", color=LESS, label="entry")
    axis.scatter([], [], marker="v", color=GOOD, label="exit with a profit")
    axis.scatter([], [], marker="v", color=BAD, label="exit with a loss")
    axis.plot([], [], color=MORE, linewidth=1.5, label="stop")
    axis.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=5, frameon=False, labelcolor=MUTED
    )
    won = int((shown["profit_abs"] > 0).sum())
    count = f"{len(shown)}, {won} with a profit after fees"
    axis.set_title(f"{name} on {pair}", loc="left", fontsize=13, weight="bold", color=INK, pad=20)
    axis.text(
        0, 1.02, f"the most trades of a pair in {STRETCH.days} days: {count}",
        transform=axis.transAxes, color=MUTED,
    )  # fmt: skip
    axis.set_ylabel(f"price, {pair.split('/')[1]}")
    axis.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axis.xaxis.get_major_locator()))
    axis.grid(axis="y")
    axis.margins(x=0.01)


def _save(figure: Any, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, metadata={"Date": None} if target.suffix == ".svg" else None, dpi=110)
    plt.close(figure)
