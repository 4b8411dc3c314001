"""Entry point of `python -m benchmarks`."""

import sys

from benchmarks.cli import main

# The processes of a stress and of live bots load this module too.
if __name__ == "__main__":
    sys.exit(main())
