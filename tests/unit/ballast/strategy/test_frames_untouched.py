"""A strategy of others reads `dataframe.rsi` under the layer as it does alone."""

import subprocess
import sys

# A process of its own: here another test may have asked for an indicator of `technical`.
_READS_ITS_COLUMN = """
import pandas as pd
from freqtrade.strategy import IStrategy
from ballast import guarded

class Theirs(IStrategy):
    def populate_indicators(self, dataframe, metadata):
        return dataframe

class Guarded(guarded(Theirs)): ...

frame = pd.DataFrame({"rsi": [20.0, 40.0], "macd": [1.0, -1.0]})
assert list(frame.rsi < 30) == [True, False]
assert list(frame.macd < 0) == [False, True]
"""


def test_the_layer_gives_frames_no_methods_that_hide_columns() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _READS_ITS_COLUMN], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
