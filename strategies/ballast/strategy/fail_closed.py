"""Callbacks that fail closed.

Freqtrade catches what a strategy's callback raises and goes on with a default that mostly means
'yes' (the order is placed, the full stake is used). Callbacks marked here catch it first and
answer with their refusal.
"""

import functools
import inspect
import logging
import math
import sys
from collections.abc import Callable
from numbers import Real
from types import FrameType
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

Callback = TypeVar("Callback", bound=Callable[..., Any])


def asked_with_the_trade(callback: Callback) -> Callback:
    """
    Mark a strategy callback to be given the trade itself.

    It is given the qualified name of the base class's own: Freqtrade then passes the trade instead
    of a deep copy made before every call, which is most of the cost of a per-candle callback in a
    backtest. Callbacks marked here must therefore never modify a trade (the costs of a backtest's
    fill do, and mean it), and give a strategy behind them its copy.
    """
    callback.__qualname__ = f"IStrategy.{callback.__name__}"
    return callback


def fail_closed(refusal: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """
    Mark a callback to answer `refusal` when it raises or its number is not finite.

    What has failed is reported to `incident(where, error)` of the object, or of the state that the
    layer keeps on a strategy. The callback is given the trade itself (see `asked_with_the_trade`).
    """

    def mark(callback: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(callback)
        def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                answer = callback(self, *args, **kwargs)
                # Most answers are None or a float: the look at abstract types is kept from them.
                is_number = type(answer) is float or (
                    answer is not None and isinstance(answer, Real)
                )
                if is_number and not math.isfinite(answer):
                    raise ArithmeticError(f"{callback.__name__} gave {answer}")
            except Exception as error:
                if isinstance(error, RecursionError) and _asks_itself(callback):
                    # A strategy that calls itself without end is refused once, where it was asked
                    # first, and not at each of its calls.
                    raise
                try:
                    getattr(self, "_ballast", self).incident(callback.__name__, error)
                except Exception:
                    logger.exception("%s failed and refused; the report failed too", callback)
                return refusal
            return answer

        # Freqtrade reads the argument names, and does not look through wrappers.
        guarded.__signature__ = inspect.signature(callback)  # type: ignore[attr-defined]
        guarded.fails_closed_with = refusal  # type: ignore[attr-defined]
        return asked_with_the_trade(guarded)

    return mark


def _asks_itself(callback: Callable[..., Any]) -> bool:
    """Whether a callback that has failed was called from within itself."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not callback.__code__:
        frame = frame.f_back
    return frame is not None
