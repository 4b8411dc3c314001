"""The examples once more, as plain Freqtrade strategies: written by its documentation, with TA-Lib,
`technical` and `merge_informative_pair`, and nothing of Ballast."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import talib.abstract as ta
from freqtrade.strategy import IStrategy, informative, merge_informative_pair
from technical import qtpylib
from technical.indicators import ichimoku, supertrend

Metadata = dict[str, Any]


class Twin(IStrategy):
    """Subclasses give indicators, and conditions of entry and exit that must all hold."""

    INTERFACE_VERSION = 3
    stoploss = -0.3
    process_only_new_candles = True

    def indicators(self, df: pd.DataFrame, pair: str) -> pd.DataFrame:
        return df

    def entry(self, df: pd.DataFrame) -> pd.Series:
        raise NotImplementedError

    def exit(self, df: pd.DataFrame) -> pd.Series:
        raise NotImplementedError

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: Metadata) -> pd.DataFrame:
        return self.indicators(dataframe, metadata["pair"])

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: Metadata) -> pd.DataFrame:
        dataframe.loc[self.entry(dataframe), "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: Metadata) -> pd.DataFrame:
        dataframe.loc[self.exit(dataframe), "exit_long"] = 1
        return dataframe


class EmaCross(Twin):
    timeframe = "1h"

    def indicators(self, df: pd.DataFrame, pair: str) -> pd.DataFrame:
        df["fast"], df["slow"] = ta.EMA(df, 12), ta.EMA(df, 26)
        df["trend"] = ta.SMA(df, 200)
        return df

    def entry(self, df: pd.DataFrame) -> pd.Series:
        return qtpylib.crossed_above(df["fast"], df["slow"]) & (df["close"] > df["trend"])

    def exit(self, df: pd.DataFrame) -> pd.Series:
        return qtpylib.crossed_below(df["fast"], df["slow"])


class BollingerRsi(Twin):
    timeframe = "15m"

    def indicators(self, df: pd.DataFrame, pair: str) -> pd.DataFrame:
        bands = ta.BBANDS(df, timeperiod=20, nbdevup=2.0, nbdevdn=2.0)
        df["lower"], df["middle"] = bands["lowerband"], bands["middleband"]
        df["rsi"] = ta.RSI(df, timeperiod=14)
        return df

    def entry(self, df: pd.DataFrame) -> pd.Series:
        return (df["close"] < df["lower"]) & (df["rsi"] < 30)

    def exit(self, df: pd.DataFrame) -> pd.Series:
        return df["close"] > df["middle"]


class Supertrend(Twin):
    timeframe = "1h"

    def indicators(self, df: pd.DataFrame, pair: str) -> pd.DataFrame:
        _, df["st"] = supertrend(df, period=10, multiplier=3)
        return df

    def entry(self, df: pd.DataFrame) -> pd.Series:
        return (df["st"] == "up") & (df["st"].shift() == "down")

    def exit(self, df: pd.DataFrame) -> pd.Series:
        return (df["st"] == "down") & (df["st"].shift() == "up")


class IchimokuCloud(Twin):
    timeframe = "4h"

    def indicators(self, df: pd.DataFrame, pair: str) -> pd.DataFrame:
        found = ichimoku(df)
        for name in ("tenkan_sen", "kijun_sen"):
            df[name] = found[name]
        df["cloud"] = np.fmax(found["senkou_span_a"], found["senkou_span_b"])
        return df

    def entry(self, df: pd.DataFrame) -> pd.Series:
        crossed = qtpylib.crossed_above(df["tenkan_sen"], df["kijun_sen"])
        return crossed & (df["close"] > df["cloud"])

    def exit(self, df: pd.DataFrame) -> pd.Series:
        return df["close"] < df["kijun_sen"]


class Turtle(Twin):
    timeframe = "1d"

    def indicators(self, df: pd.DataFrame, pair: str) -> pd.DataFrame:
        df["high20"] = df["high"].shift().rolling(20).max()
        df["low10"] = df["low"].shift().rolling(10).min()
        return df

    def entry(self, df: pd.DataFrame) -> pd.Series:
        return df["close"] > df["high20"]

    def exit(self, df: pd.DataFrame) -> pd.Series:
        return df["close"] < df["low10"]


class KeltnerSqueeze(Twin):
    timeframe = "1h"

    def indicators(self, df: pd.DataFrame, pair: str) -> pd.DataFrame:
        df["band"] = ta.BBANDS(df, timeperiod=20)["upperband"]
        df["channel"] = qtpylib.keltner_channel(df, window=20, atrs=1.5)["upper"]
        df["ema"], df["roc"] = ta.EMA(df, 20), ta.ROC(df, 12)
        return df

    def entry(self, df: pd.DataFrame) -> pd.Series:
        squeezed = (df["band"] < df["channel"]).rolling(6).max() == 1
        out = (df["band"] > df["channel"]) & (df["roc"] > 0) & (df["close"] > df["ema"])
        return squeezed & out

    def exit(self, df: pd.DataFrame) -> pd.Series:
        return df["close"] < df["ema"]


class MacdCross(Twin):
    timeframe = "1h"

    @informative("1d")
    def populate_indicators_1d(self, dataframe: pd.DataFrame, metadata: Metadata) -> pd.DataFrame:
        dataframe["sma"] = ta.SMA(dataframe, timeperiod=10)
        return dataframe

    def indicators(self, df: pd.DataFrame, pair: str) -> pd.DataFrame:
        macd = ta.MACD(df, 12, 26, 9)
        df["macd"], df["signal"] = macd["macd"], macd["macdsignal"]
        return df

    def entry(self, df: pd.DataFrame) -> pd.Series:
        rises = (df["macd"] < 0) & (df["close_1d"] > df["sma_1d"])
        return qtpylib.crossed_above(df["macd"], df["signal"]) & rises

    def exit(self, df: pd.DataFrame) -> pd.Series:
        return qtpylib.crossed_below(df["macd"], df["signal"])


class AdxMomentum(Twin):
    timeframe = "1h"

    def indicators(self, df: pd.DataFrame, pair: str) -> pd.DataFrame:
        df["adx"], df["mom"] = ta.ADX(df, timeperiod=14), ta.MOM(df, timeperiod=14)
        df["plus"], df["minus"] = ta.PLUS_DI(df, timeperiod=25), ta.MINUS_DI(df, timeperiod=25)
        return df

    def entry(self, df: pd.DataFrame) -> pd.Series:
        up = (df["plus"] > 25) & (df["plus"] > df["minus"])
        return (df["adx"] > 25) & (df["mom"] > 0) & up

    def exit(self, df: pd.DataFrame) -> pd.Series:
        down = (df["minus"] > 25) & (df["plus"] < df["minus"])
        return (df["adx"] > 25) & (df["mom"] < 0) & down


class VwapReversion(Twin):
    timeframe = "5m"

    @informative("1h", "BTC/{stake}", "btc_1h_{column}")
    def populate_indicators_1h(self, dataframe: pd.DataFrame, metadata: Metadata) -> pd.DataFrame:
        dataframe["roc"] = ta.ROC(dataframe, timeperiod=24)
        return dataframe

    def indicators(self, df: pd.DataFrame, pair: str) -> pd.DataFrame:
        df["vwap"], df["rsi"] = qtpylib.rolling_vwap(df, window=288), ta.RSI(df, timeperiod=14)
        return df

    def entry(self, df: pd.DataFrame) -> pd.Series:
        cheap = (df["close"] < 0.985 * df["vwap"]) & (df["rsi"] < 35)
        return cheap & (df["btc_1h_roc"] > -3)

    def exit(self, df: pd.DataFrame) -> pd.Series:
        return df["close"] > df["vwap"]


class OpeningRange(Twin):
    timeframe = "5m"

    def indicators(self, df: pd.DataFrame, pair: str) -> pd.DataFrame:
        first = df[df["date"].dt.hour == 0].set_index("date")[["high", "low"]]
        ranges = first.resample("1D").agg({"high": "max", "low": "min"})
        later = df["date"].dt.hour > 0
        for name, column in (("or_high", "high"), ("or_low", "low")):
            df[name] = df["date"].dt.normalize().map(ranges[column]).where(later)
        return df

    def entry(self, df: pd.DataFrame) -> pd.Series:
        # A candle that ends at noon is sent at noon.
        ends = (df["date"] + pd.Timedelta(minutes=5)).dt.hour
        return qtpylib.crossed_above(df["close"], df["or_high"]) & (ends >= 1) & (ends < 12)

    def exit(self, df: pd.DataFrame) -> pd.Series:
        ends = (df["date"] + pd.Timedelta(minutes=5)).dt.hour
        return (df["close"] < df["or_low"]) | (ends == 23)


class WeeklyRank(Twin):
    timeframe = "4h"

    def indicators(self, df: pd.DataFrame, pair: str) -> pd.DataFrame:
        df["own"] = ta.ROC(df, 42)
        basket = self.config["ballast"]["market"]["basket"]
        for other in basket:
            theirs = self.dp.get_pair_dataframe(other, self.timeframe)[["date", "close"]].copy()
            theirs["roc"] = ta.ROC(theirs["close"], 42)
            df = merge_informative_pair(
                df, theirs[["date", "roc"]], "4h", "4h", append_timeframe=False, suffix=other
            )
        rocs = df[[f"roc_{other}" for other in basket]]
        df["rank"] = rocs.rank(axis=1, ascending=False, method="min")[f"roc_{pair}"]
        return df

    def entry(self, df: pd.DataFrame) -> pd.Series:
        ends = df["date"] + pd.Timedelta(hours=4)
        monday = (ends.dt.day_name() == "Monday") & (ends.dt.hour < 4)
        return monday & (df["rank"] <= 2) & (df["own"] > 0)

    def exit(self, df: pd.DataFrame) -> pd.Series:
        return df["rank"] > 3


class ConnorsRsi(Twin):
    timeframe = "4h"

    def indicators(self, df: pd.DataFrame, pair: str) -> pd.DataFrame:
        close, streak = df["close"].to_numpy(), np.zeros(len(df))
        move = np.diff(close, prepend=np.nan) / np.concatenate(([np.nan], close[:-1]))
        rank = np.full(len(df), np.nan)
        for i in range(1, len(df)):
            if close[i] > close[i - 1]:
                streak[i] = max(streak[i - 1], 0) + 1
            elif close[i] < close[i - 1]:
                streak[i] = min(streak[i - 1], 0) - 1
            if i >= 101:
                rank[i] = 100 * np.mean(move[i - 100 : i] < move[i])
        streaks = pd.DataFrame({"close": streak})
        df["crsi"] = (ta.RSI(df, 3) + ta.RSI(streaks, 2).to_numpy() + rank) / 3
        df["sma"] = ta.SMA(df, 200)
        return df

    def entry(self, df: pd.DataFrame) -> pd.Series:
        return (df["crsi"] < 15) & (df["close"] > df["sma"])

    def exit(self, df: pd.DataFrame) -> pd.Series:
        return df["crsi"] > 70
