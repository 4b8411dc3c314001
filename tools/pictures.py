"""Pictures of backtests: accounts side by side, moved values, and trades with their stops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import dates as mdates
from matplotlib import pyplot as plt

from ballast.research.report.drawdowns import max_drawdown, underwater
from ballast.research.report.sensitivity import Move

INK, MUTED, FAINT = "#1f2933", "#52606d", "#cbd2d9"
STOP, ENTRY, GOOD, BAD = "#c05621", "#2b6cb0", "#2f855a", "#c53030"
# Long enough to see several trades, short enough to see each stop.
STRETCH = pd.Timedelta(days=60)
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "ballast",  # the same figures give the same bytes
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


@contextmanager
def _figure(target: Path, *shape: int, **how: Any) -> Iterator[Any]:
    """A figure and its axes, written in the format of the target's suffix afterwards."""
    with mpl.rc_context(_STYLE):
        figure, axes = plt.subplots(*shape, layout="constrained", **how)
        yield figure, axes
        target.parent.mkdir(parents=True, exist_ok=True)
        metadata = {"Date": None} if target.suffix == ".svg" else None
        figure.savefig(target, metadata=metadata, dpi=110)
        plt.close(figure)


def accounts(equities: Mapping[str, pd.Series], target: Path) -> None:
    """The account of each strategy above, how far it was below its peak below."""
    shape = {"figsize": (10, 6), "sharex": True, "height_ratios": (2, 1)}
    with _figure(target, 2, 1, **shape) as (_, (above, below)):
        for name, equity in equities.items():
            gain, fall = 100 * (equity.iloc[-1] / equity.iloc[0] - 1), 100 * max_drawdown(equity)
            # A day is a pixel or less: its last value, and its deepest drawdown.
            last, low = equity.resample("1D").last(), underwater(equity).resample("1D").min()
            label = f"{name}: {gain:+.0f} %, drawdown {fall:.1f} %"
            above.plot(last.index, last, label=label, linewidth=1.2)
            below.plot(low.index, 100 * low, linewidth=1.0)
        above.set_ylabel("account value")
        above.legend(loc="upper left", frameon=False)
        below.set_ylabel("drawdown, percent")
        for axis in (above, below):
            axis.grid()


def sensitivity(name: str, moves: Sequence[Move], as_it_is: Move, target: Path) -> None:
    """Return over drawdown, and drawdown, with each value a quarter less and a quarter more."""
    names = list(dict.fromkeys(move.parameter for move in moves))
    shape = {"figsize": (10, 1.6 + 0.29 * len(names)), "sharey": True}
    with _figure(target, 1, 2, **shape) as (figure, (ratios, falls)):
        ratio, fall = as_it_is.ratio, 100 * as_it_is.drawdown
        _points(ratios, names, [(m.parameter, m.ratio) for m in moves], ratio)
        _points(falls, names, [(m.parameter, 100 * m.drawdown) for m in moves], fall)
        ratios.set_title("Return over drawdown", loc="left", fontsize=10.5)
        falls.set_title("Maximum drawdown, percent of the account", loc="left", fontsize=10.5)
        ratios.set_yticks(range(len(names)), names)
        ratios.invert_yaxis()
        title = f"{name}: each value moved by a quarter, the others as they are"
        figure.suptitle(title, x=0.01, ha="left", fontsize=13, weight="bold")


def _points(axis: Any, names: list[str], found: list[tuple[str, float]], base: float) -> None:
    rows = [names.index(name) for name, _ in found]
    values = [value for _, value in found]
    axis.axvline(base, color=INK, linewidth=1.0, zorder=1)
    axis.scatter(values, rows, color=ENTRY, s=34, zorder=3)
    if min(values) > 0:
        axis.set_xlim(0.0, 1.05 * max(*values, base))
    # Room above the first row for the number.
    axis.set_ylim(-1.0, len(names) - 0.5)
    axis.grid(axis="x")
    axis.tick_params(length=0)
    axis.annotate(
        f"{base:.1f}", (base, 1.0), xycoords=("data", "axes fraction"), xytext=(4, -2),
        textcoords="offset points", va="top", fontsize=9,
    )  # fmt: skip


def busiest(trades: pd.DataFrame, length: pd.Timedelta = STRETCH) -> tuple[str, pd.Timestamp]:
    """
    The pair and the start of the stretch of `length` in which most trades were opened.

    Nothing is chosen for its result; many trades in a short time are often short, losing ones.
    """
    best, found = 0, (str(trades["pair"].iloc[0]), trades["open_date"].iloc[0])
    for pair, own in trades.sort_values("open_date").groupby("pair", sort=True):
        opened = own["open_date"].reset_index(drop=True)
        ends = np.searchsorted(opened.to_numpy(), (opened + length).to_numpy(), side="right")
        counts = ends - np.arange(len(opened))
        if counts.max() > best:
            best, found = int(counts.max()), (str(pair), opened[int(counts.argmax())])
    return found


def trades(
    name: str,
    made: pd.DataFrame,
    candles: Mapping[str, pd.DataFrame],
    stops: pd.DataFrame,
    target: Path,
) -> None:
    """
    The busiest stretch of one pair: price, entries, exits and the way of each stop.

    Parameters
    ----------
    made : DataFrame
        Trades as in `RunResult`.
    candles : mapping of str to DataFrame
        By pair.
    stops : DataFrame
        As `recordings.stops_of` gives them.
    """
    pair, start = busiest(made)
    within = (made["pair"] == pair) & made["open_date"].between(start, start + STRETCH)
    shown, margin = made[within], pd.Timedelta(days=2)
    price = candles[pair]
    last = shown["close_date"].max()
    price = price[price["date"].between(start - margin, last + margin)]
    with _figure(target, figsize=(10, 4.6)) as (_, axis):
        axis.fill_between(price["date"], price["low"], price["high"], color=FAINT, linewidth=0)
        axis.plot(price["date"], price["close"], color=INK, linewidth=0.9, label="price")
        for _, trade in shown.iterrows():
            held = stops["date"].between(trade["open_date"], trade["close_date"])
            _draw_trade(axis, trade, stops[held & (stops["pair"] == pair)])
        _explain(axis, name, pair, shown)


def _draw_trade(axis: Any, trade: pd.Series, raised: pd.DataFrame) -> None:
    colour = GOOD if trade["profit_abs"] > 0 else BAD
    opened, closed = trade["open_date"], trade["close_date"]
    axis.axvspan(opened, closed, color=colour, alpha=0.07, linewidth=0)
    # The last stop holds until the trade is closed.
    levels = [trade["initial_stop"], *raised["stop"]]
    times = [opened, *raised["date"], closed]
    axis.step(times, [*levels, levels[-1]], where="post", color=STOP, linewidth=1.5)
    axis.scatter(opened, trade["open_rate"], marker="^", color=ENTRY, s=46, zorder=4)
    axis.scatter(closed, trade["close_rate"], marker="v", color=colour, s=46, zorder=4)


def _explain(axis: Any, name: str, pair: str, shown: pd.DataFrame) -> None:
    axis.scatter([], [], marker="^", color=ENTRY, label="entry")
    axis.scatter([], [], marker="v", color=GOOD, label="exit with a profit")
    axis.scatter([], [], marker="v", color=BAD, label="exit with a loss")
    axis.plot([], [], color=STOP, linewidth=1.5, label="stop")
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=5, frameon=False)
    axis.set_title(f"{name} on {pair}", loc="left", fontsize=13, weight="bold", pad=20)
    won = int((shown["profit_abs"] > 0).sum())
    text = f"the most trades of a pair in {STRETCH.days} days: {len(shown)}, {won} with a profit"
    axis.text(0, 1.02, text, transform=axis.transAxes, color=MUTED)
    axis.set_ylabel(f"price, {pair.split('/')[1]}")
    axis.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axis.xaxis.get_major_locator()))
    axis.grid(axis="y")
    axis.margins(x=0.01)
