"""Whether there are candles for what is asked: said before hours are spent on the rest."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from freqtrade.configuration import TimeRange

from ballast.research import missing_candles
from ballast.research.backtests import TaskError


def require_candles(
    datadir: Path,
    pairs: Sequence[str],
    timeframe: str,
    periods: Mapping[str, str],
) -> None:
    """
    Refuse pairs without candles, and periods in which no pair has any.

    Parameters
    ----------
    periods : mapping of str to str
        Freqtrade's time ranges by what they are called.

    Raises
    ------
    TaskError
    """
    if not pairs:
        raise TaskError("the configuration's exchange.pair_whitelist is empty: expected pairs")
    if not datadir.is_dir():
        raise TaskError(f"--datadir {datadir} is not a folder")
    spans = [_span(datadir, pair, timeframe) for pair in pairs]
    first, last = min(span[0] for span in spans), max(span[1] for span in spans)
    for name, timerange in periods.items():
        asked = TimeRange.parse_timerange(timerange)
        after = asked.stopts and asked.stopts <= first.timestamp()
        before = asked.startts and asked.startts >= last.timestamp()
        if after or before:
            raise TaskError(
                f"{name} has no candles: those of {datadir} on {timeframe} are from "
                f"{first:%Y%m%d} to {last:%Y%m%d}"
            )


def _span(datadir: Path, pair: str, timeframe: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    path = datadir / f"{pair.replace('/', '_')}-{timeframe}.feather"
    if not path.is_file():
        raise TaskError(missing_candles.sentence(datadir, pair, timeframe))
    try:
        dates = pd.read_feather(path, columns=["date"])["date"]
    except (OSError, ValueError, KeyError) as error:
        raise TaskError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    if not len(dates):
        raise TaskError(f"{path} holds no candles")
    return dates.iloc[0], dates.iloc[-1]
