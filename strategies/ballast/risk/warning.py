"""What a person must know at once: in the log, and told if that can be."""

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)


def warn(said: str, tell: Callable[[str], None]) -> None:
    """Log a sentence and tell the operator; that nobody could be told stops nothing."""
    logger.warning(said)
    try:
        tell(f"Ballast: {said}")
    except Exception:
        logger.exception("the operator could not be told")
