"""Candles of a run's pairs from Freqtrade's data folder."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType

from ballast.research.report.results import RunResult

DEFAULT_FOLDER = Path("user_data/data")
# Where `make backtest` keeps the candles of the sandbox exchange.
GENERATED = "sandbox"
_LEADER = "BTC"


def load(run: RunResult, folder: Path | None) -> dict[str, pd.DataFrame]:
    """
    Candles of the pairs of a run, and of the market leader, as far as there are any.

    Parameters
    ----------
    folder : Path or None
        Freqtrade's `--datadir`; None for the usual place of the run's exchange.

    Returns
    -------
    dict of str to DataFrame
        By pair: date (UTC), open, high, low, close, volume, up to the end of the run. They begin
        before the run where there is more, because regimes need history.
    """
    exchange = (run.config.get("exchange") or {}).get("name", "binance")
    datadir = folder or DEFAULT_FOLDER / exchange
    files = get_datahandler(datadir, run.config.get("dataformat_ohlcv", "feather"))
    found = {}
    for pair in dict.fromkeys((*run.pairs, leader(run))):
        frame = files.ohlcv_load(
            pair,
            run.timeframe,
            candle_type=CandleType.SPOT,
            fill_missing=False,
            warn_no_data=False,
        )
        if len(frame) and len(frame := frame[frame["date"] < run.end]):
            found[pair] = frame.reset_index(drop=True)
    return found


def are_real(run: RunResult, folder: Path | None) -> bool:
    """
    Whether the candles of a run are a real market's, as far as its exchange and their folder tell.

    Parameters
    ----------
    folder : Path or None
        As for `load`.
    """
    return not run.generated and (folder is None or folder.name != GENERATED)


def leader(run: RunResult) -> str:
    """The pair that leads the market: that of the settings, else Bitcoin in the stake currency."""
    market = (run.config.get("ballast") or {}).get("market") or {}
    return str(market.get("leader") or f"{_LEADER}/{run.stake_currency}")


def missing(run: RunResult, candles: Mapping[str, pd.DataFrame]) -> list[str]:
    """Pairs of a run without candles in its period."""
    return [
        pair
        for pair in run.pairs
        if pair not in candles or not (candles[pair]["date"] >= run.start).any()
    ]
