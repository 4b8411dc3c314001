"""Pictures of how a backtest's cost grows, one for each thing that it grows with."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt

from benchmarks import scaling

_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "ballast",  # the same figures give the same bytes
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def growing(found: Mapping[str, Sequence[Mapping[str, float]]], folder: Path) -> None:
    """Write cost-by-WHAT.svg for each: seconds of the loop, without and with the layer."""
    folder.mkdir(parents=True, exist_ok=True)
    for what, rows in found.items():
        counts = [row["count"] for row in rows]
        with mpl.rc_context(_STYLE):
            figure, axis = plt.subplots(figsize=(6, 3.2), layout="constrained")
            for name, colour in ((scaling.BALLAST, "#2b6cb0"), (scaling.FLOOR, "#52606d")):
                axis.plot(counts, [row[name] for row in rows], "o-", color=colour, label=name)
            axis.set_xlabel(what)
            axis.set_ylabel("CPU seconds of the loop")
            axis.set_xlim(left=0)
            axis.set_ylim(bottom=0)
            axis.legend(frameon=False)
            axis.grid(alpha=0.3)
            target = folder / f"cost-by-{what.replace(' ', '-')}.svg"
            figure.savefig(target, metadata={"Date": None})
            plt.close(figure)
