"""Ballast: the layer of risk controls under every strategy of this pack.

What a strategy is written with is imported from here: `from ballast import GuardedStrategy, above`.
Names are loaded when they are first asked for, so that a command that only reads a journal starts
without pandas and Freqtrade.
"""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ballast.core.combinations import (
        all_of,
        any_of,
        between,
        crossed_above,
        crossed_below,
        for_at_least,
        hours,
        negated,
        weekdays,
        within,
    )
    from ballast.core.exits import sell
    from ballast.core.patterns import deepest_dip, tightest_range, zscore
    from ballast.core.rules import Rule, above, at_least, at_most, below, holds
    from ballast.core.setups import Setup
    from ballast.core.stops import StopRules
    from ballast.core.uptrend import leads_rising_market, rising_market, trend_gap
    from ballast.strategy.foreign import guarded
    from ballast.strategy.guarded import GuardedStrategy
    from ballast.version import __version__

__all__ = [
    "GuardedStrategy",
    "Rule",
    "Setup",
    "StopRules",
    "__version__",
    "above",
    "all_of",
    "any_of",
    "at_least",
    "at_most",
    "below",
    "between",
    "crossed_above",
    "crossed_below",
    "deepest_dip",
    "for_at_least",
    "guarded",
    "holds",
    "hours",
    "leads_rising_market",
    "negated",
    "rising_market",
    "sell",
    "tightest_range",
    "trend_gap",
    "weekdays",
    "within",
    "zscore",
]

# Where each name of `__all__` lives.
_HOMES = {
    "ballast.core.combinations": (
        "all_of",
        "any_of",
        "between",
        "crossed_above",
        "crossed_below",
        "for_at_least",
        "hours",
        "negated",
        "weekdays",
        "within",
    ),
    "ballast.core.exits": ("sell",),
    "ballast.core.patterns": ("deepest_dip", "tightest_range", "zscore"),
    "ballast.core.rules": ("Rule", "above", "at_least", "at_most", "below", "holds"),
    "ballast.core.setups": ("Setup",),
    "ballast.core.stops": ("StopRules",),
    "ballast.core.uptrend": ("leads_rising_market", "rising_market", "trend_gap"),
    "ballast.strategy.foreign": ("guarded",),
    "ballast.strategy.guarded": ("GuardedStrategy",),
    "ballast.version": ("__version__",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = found
    return found


def _stay_importable() -> None:
    """Keep this package importable after Freqtrade takes the strategy folder off `sys.path`.

    Freqtrade inserts the folder only while it loads a strategy, and Hyperopt's worker processes
    start without it, so the folder is appended for this process and put on PYTHONPATH for its
    children. An installed package is already importable and needs neither.
    """
    folder = str(Path(__file__).resolve().parent.parent)
    # Freqtrade's own entry is removed (first occurrence) after loading: a second one must remain.
    if sys.path[-1] != folder:
        sys.path.append(folder)
    inherited = os.environ.get("PYTHONPATH", "")
    if folder not in inherited.split(os.pathsep):
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (inherited, folder)))


_stay_importable()
