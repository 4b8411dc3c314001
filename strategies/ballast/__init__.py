"""Ballast: the layer of risk controls under every strategy of this pack.

`core` decides (pure functions and small classes, no Freqtrade); everything beside it connects
those decisions to Freqtrade's callbacks.
"""

import os
import sys
from pathlib import Path

__version__ = "0.1.0"


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
