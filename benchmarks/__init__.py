"""What the risk layer costs: `python -m benchmarks`, figures for people, not a timed test."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# The strategies of this checkout are measured, installed or not.
sys.path.insert(0, str(ROOT / "strategies"))
