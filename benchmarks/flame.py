"""`python -m benchmarks.flame`: where the time of a backtest's loop goes, as a flame graph.

The loop is looked at a thousand times a second of CPU time, or as often as the system's clock
allows. Each bar is a function, as wide as its share of the looks, on top of the one that called it;
those of the layer have a colour of their own.
"""

import argparse
import logging
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import patch

from freqtrade.optimize.backtesting import Backtesting

from benchmarks import ROOT, market
from benchmarks.loop import GUARDED
from benchmarks.worker import Job, measure

Stacks = Counter[tuple[tuple[str, bool], ...]]

_EVERY_S = 0.001
_WIDTH, _ROW, _LEAST = 1_200, 17, 0.0025
_OURS, _OTHERS = "#9ecae8", "#e8d3a2"


@contextmanager
def sampled() -> Iterator[Stacks]:
    """Stacks of functions, outermost first, each with whether it is the layer's."""
    stacks: Stacks = Counter()

    def look(_: int, frame: FrameType | None) -> None:
        stack = []
        while frame is not None:
            code = frame.f_code
            stack.append((code.co_qualname, "/strategies/ballast/" in code.co_filename))
            frame = frame.f_back
        stacks[tuple(reversed(stack))] += 1

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _EVERY_S, _EVERY_S)
    try:
        yield stacks
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def of_backtest(job: Job, root: str = "Backtesting.backtest") -> Stacks:
    """Stacks of a job's loop, from the function `root` on."""
    backtest: Callable[..., Any] = Backtesting.backtest
    found: Stacks = Counter()

    def looked_at(self: Backtesting, *given: Any, **named: Any) -> Any:
        with sampled() as stacks:
            result = backtest(self, *given, **named)
        for stack, looks in stacks.items():
            names = [name for name, _ in stack]
            if root in names:
                found[stack[names.index(root) :]] += looks
        return result

    with patch.object(Backtesting, "backtest", looked_at):
        measure(job)
    return found


def drawn(stacks: Stacks) -> str:
    """The flame graph as SVG, the outermost function at the bottom."""
    whole = stacks.total()
    bars = list(_bars(stacks, 0, 0.0, whole))
    height = _ROW * (1 + max((depth for depth, *_ in bars), default=0))
    parts = []
    for depth, left, share, name, ours in bars:
        x, width = _WIDTH * left, _WIDTH * share
        y = height - _ROW * (depth + 1)
        shown = escape(name[: int(width / 6.5)]) if width > 30 else ""
        parts.append(
            f'<g><title>{escape(name)}: {100 * share:.1f} %</title><rect x="{x:.1f}" y="{y}" '
            f'width="{max(width - 0.5, 0.5):.1f}" height="{_ROW - 1}" rx="2" '
            f'fill="{_OURS if ours else _OTHERS}"/>'
            f'<text x="{x + 3:.1f}" y="{y + 12}">{shown}</text></g>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="monospace" font-size="10.5" fill="#1f2933">\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _bars(
    stacks: Stacks, depth: int, left: float, whole: int
) -> Iterator[tuple[int, float, float, str, bool]]:
    """Depth, left border and share of the whole (0 to 1), name, and whether it is the layer's."""
    by_function: dict[tuple[str, bool], Stacks] = {}
    for stack, looks in stacks.items():
        if stack:
            by_function.setdefault(stack[0], Counter())[stack[1:]] += looks
    for (name, ours), inner in sorted(by_function.items()):
        share = inner.total() / whole
        if share >= _LEAST:
            yield depth, left, share, name, ours
            yield from _bars(inner, depth + 1, left, whole)
        left += share


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flame", description=__doc__)
    parser.add_argument("--strategy", default="RisingMarket", help="of the pack (%(default)s)")
    parser.add_argument("--days", type=int, default=548, help="of hourly candles (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of the market (%(default)s)")
    default = ROOT / "docs" / "figures" / "flame.svg"
    parser.add_argument("--to", type=Path, default=default, metavar="FILE", help="%(default)s")
    options = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    cache = ROOT / "user_data" / "data" / "benchmarks"
    candles = market.generated(cache, options.seed, options.days, ("1h",))
    job = Job.on(candles, f"strategies/{options.strategy}.py", settings=GUARDED)
    options.to.write_text(drawn(of_backtest(job)), encoding="utf-8")
    sys.stdout.write(f"Open {options.to}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
