"""Callbacks that fail closed.

Freqtrade catches what a strategy's callback raises and goes on with a default that mostly means
'yes' (the order is placed, the full stake is used). Callbacks marked here catch it first and
answer with their refusal.
"""

import functools
import inspect
import logging
import math
from collections.abc import Callable
from numbers import Real
from typing import Any, Protocol

logger = logging.getLogger(__name__)


class Incidents(Protocol):
    """Where failures are reported."""

    def incident(self, where: str, error: Exception) -> None:
        """Count, log and announce a failure inside the callback `where`."""


def fail_closed(refusal: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """
    Mark a strategy callback to answer `refusal` when it raises or its number is not finite.

    The callback is also given the qualified name of the base class's own: Freqtrade then passes the
    trade itself instead of a deep copy made before every call, which is most of the cost of a
    per-candle stop in a backtest. Callbacks marked here must therefore never modify a trade (the
    costs of a backtest's fill do, and mean it).
    """

    def mark(callback: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(callback)
        def guarded(self: Incidents, *args: Any, **kwargs: Any) -> Any:
            try:
                answer = callback(self, *args, **kwargs)
                # Most answers are None: the look at abstract number types is kept from them.
                if answer is not None and isinstance(answer, Real) and not math.isfinite(answer):
                    raise ArithmeticError(f"{callback.__name__} gave {answer}")
            except Exception as error:
                try:
                    self.incident(callback.__name__, error)
                except Exception:
                    logger.exception("%s failed and refused; the report failed too", callback)
                return refusal
            return answer

        guarded.__qualname__ = f"IStrategy.{callback.__name__}"
        # Freqtrade reads the argument names, and does not look through wrappers.
        guarded.__signature__ = inspect.signature(callback)  # type: ignore[attr-defined]
        guarded.fails_closed_with = refusal  # type: ignore[attr-defined]
        return guarded

    return mark
