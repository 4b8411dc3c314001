"""Programs that begin where Freqtrade is imported already: see `tests.processes.started`.

This one imports it once, and is asked over a socket for one program after another. Each is a fork:
a process of its own, with the folder, environment, clock, path and outputs that were asked for,
which runs a module as ``python -m`` does. The answers are its process id, and its exit code.
"""

import gc
import json
import os
import runpy
import signal
import socket
import sys
from typing import Any

import sitecustomize  # type: ignore[import-not-found] # beside this file

# What a program finds whatever its PYTHONPATH is.
_OURS = {os.path.dirname(__file__), *os.environ["PYTHONPATH"].split(os.pathsep)}
_PATH = [folder for folder in sys.path if folder not in _OURS]


def main() -> None:
    """Answer until nobody asks any more; in a fork, be the program."""
    # What the commands import when they are called.
    import freqtrade.freqtradebot
    import freqtrade.main
    import freqtrade.optimize.backtesting  # noqa: F401

    # Forks share this memory until a search for garbage touches it.
    gc.collect()
    gc.freeze()
    asked = socket.socket(fileno=int(sys.argv[1]))
    while True:
        message, outputs, *_ = socket.recv_fds(asked, 1 << 20, 2)
        if not message:
            return
        if (program := os.fork()) == 0:
            asked.close()
            return _be(outputs, **json.loads(message))
        for output in outputs:
            os.close(output)
        asked.send(str(program).encode())
        _, status = os.waitpid(program, 0)
        asked.send(str(os.waitstatus_to_exitcode(status)).encode())


def _be(
    outputs: list[int], module: str, arguments: list[str], folder: str, environment: dict[str, Any]
) -> None:
    for wanted, output in enumerate(outputs, start=1):
        os.dup2(output, wanted)
        os.close(output)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sitecustomize.set_clock()
    named = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:] = [folder, *named, *_PATH]
    sys.argv = [module, *arguments]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
