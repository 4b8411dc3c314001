"""The clock that is set for a test is that of the processes that it starts."""

from __future__ import annotations

import subprocess
import sys
import time

from tests import clock


def test_a_process_has_the_time_of_the_test_that_has_started_it() -> None:
    """
    Time-machine's clock ticks from its first look on: of a bot and an exchange one lived in the
    other's future, by as long as it took to load.
    """
    code = "import time; time.sleep(0.5); print(time.time())"
    with clock.set_to(clock.USUAL):
        time.sleep(0.5)
        begun = time.time()
        told = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert begun + 0.5 <= float(told.stdout) <= time.time()
