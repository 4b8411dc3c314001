"""Freqtrade logs whatever it loads: commands that want its answer alone keep it quiet."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout


@contextmanager
def quiet() -> Iterator[None]:
    """Log nothing meanwhile."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def failures(name: str) -> Iterator[list[BaseException]]:
    """Keep the exceptions that a logger tells of meanwhile: Freqtrade says of some nowhere else."""
    logger, kept = logging.getLogger(name), _Kept()
    before = logger.propagate
    logger.addHandler(kept)
    logger.propagate = False
    try:
        yield kept.errors
    finally:
        logger.propagate = before
        logger.removeHandler(kept)


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.errors.append(record.exc_info[1])


@contextmanager
def silent() -> Iterator[None]:
    """Let nothing be printed meanwhile: strategies of others do, and warn of what they import."""
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
