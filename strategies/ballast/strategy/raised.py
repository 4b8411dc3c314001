"""What a strategy's own code has raised, in one sentence."""

import traceback
from pathlib import Path

from ballast.core.wording import one_line

_LAYER = Path(__file__).parents[1]


def raised(error: Exception) -> str:
    """
    An exception, and the last line of the strategy's own files that led to it.

    "raised KeyError: 'rsi' (MyTrend.py, line 12)"; without a place where only the layer's,
    Freqtrade's or other packages' lines did.
    """
    own = (f for f in reversed(traceback.extract_tb(error.__traceback__)) if _is_own(f.filename))
    last = next(own, None)
    place = f" ({Path(last.filename).name}, line {last.lineno})" if last else ""
    text = one_line(error)
    return f"raised {type(error).__name__}{f': {text}' if text else ''}{place}"


def _is_own(filename: str) -> bool:
    path = Path(filename)
    return "site-packages" not in path.parts and not path.is_relative_to(_LAYER)
