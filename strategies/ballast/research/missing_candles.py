"""Candles that are not there, said with the command that downloads them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager


def sentence(folder: object, pair: str, timeframe: str, when: str = "") -> str:
    """
    That a folder has no candles of a pair.

    Parameters
    ----------
    when : str
        What follows 'has no candles of BTC/USDT on 1h' where there are others.
    """
    return (
        f"{folder} has no candles of {pair} on {timeframe}{when}: "
        f"try freqtrade download-data -p {pair} -t {timeframe}, or another --datadir"
    )


@contextmanager
def noted(folder: object, empty: Callable[[], Iterable[tuple[str, str]]]) -> Iterator[None]:
    """
    What fails in the block gets a note for each frame without candles: a strategy that asked for
    one, and took it for full, says anything but that.

    Parameters
    ----------
    empty : callable
        Pair and timeframe of the frames that were asked for and had no candles.
    """
    try:
        yield
    except Exception as error:
        for pair, timeframe in empty():
            error.add_note(sentence(folder, pair, timeframe))
        raise


def explained(error: Exception, text: str) -> str:
    """What an error says, after what `noted` has found to be the cause of it."""
    causes = "; ".join(getattr(error, "__notes__", ()))
    return f"{causes} ({text})" if causes else text
