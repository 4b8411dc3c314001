"""Longer candles are read seldom, and windows are what they would be if they were always new."""

from datetime import datetime, timedelta

import pandas as pd
import pytest

from ballast.core.frames import grouped, resample
from ballast.core.windows import minutes
from ballast.data.older_history import OlderHistory
from tests.unit.ballast.core.made import walk

PAIR = "ETH/USDT"
# As a live frame is, and as many longer candles as an exchange gives.
KEPT = 1_000
# After a candle's end [s]: the loop that finds it, and one between two candles.
NEW, BETWEEN = 2, 30


class Bot:
    """Reads a pair's candles as a bot does, loop by loop."""

    def __init__(self, timeframe: str, longer: str, candles: int) -> None:
        self.timeframe, self.longer = timeframe, longer
        self.stored = walk(3, candles, timeframe)
        self.stored_longer = resample(self.stored, timeframe, longer)
        self.history = OlderHistory(timeframe)
        self.own = self.older = self.stored[:0]
        # Whether each read of the longer ones was in a loop in which a candle was new.
        self.reads: list[bool] = []

    def known(self, frame: pd.DataFrame, timeframe: str, now: datetime) -> pd.DataFrame:
        # There is no gap.
        ended = (now - frame["date"].iloc[0]) // timedelta(minutes=minutes(timeframe))
        return frame[max(0, ended - KEPT) : ended].reset_index(drop=True)

    def newest(self, now: datetime) -> pd.DataFrame:
        return self.known(self.stored_longer, self.longer, now)

    def loop(self, now: datetime, *, is_new: bool) -> None:
        if self.history.is_due(PAIR, self.longer, self.older, self.own, now):
            self.older = self.newest(now)
            self.reads.append(is_new)
        if is_new:
            self.own = self.known(self.stored, self.timeframe, now)

    def group(self, to: str, older: pd.DataFrame) -> pd.DataFrame:
        return grouped(self.own, self.timeframe, to, older).tail(40).reset_index(drop=True)


def moments(bot: Bot, first: int) -> list[datetime]:
    step = timedelta(minutes=minutes(bot.timeframe))
    return [(opened + step).to_pydatetime() for opened in bot.stored["date"][first:]]


@pytest.mark.parametrize(
    ("timeframe", "longer", "groups", "hours"),
    [
        ("1m", "1h", ("1h", "2h", "6h"), 40),
        ("1m", "4h", ("4h", "12h"), 40),
        ("5m", "1h", ("1h", "3h"), 200),
        ("5m", "1d", ("1d",), 200),
        ("15m", "1h", ("1h", "6h"), 300),
        ("1h", "1d", ("1d", "1w"), 1_400),
    ],
)
def test_groups_are_what_they_are_of_longer_candles_that_are_new(
    timeframe: str, longer: str, groups: tuple[str, ...], hours: int
) -> None:
    first = KEPT + 200
    bot = Bot(timeframe, longer, first + int(hours * 60 / minutes(timeframe)))
    every = int(minutes(longer) / minutes(timeframe))
    for number, end in enumerate(moments(bot, first)):
        before = len(bot.reads)
        bot.loop(end + timedelta(seconds=NEW), is_new=True)
        if number % every < 2 or len(bot.reads) > before:
            for to in groups:
                pd.testing.assert_frame_equal(
                    bot.group(to, bot.older), bot.group(to, bot.newest(end))
                )
        bot.loop(end + timedelta(seconds=BETWEEN), is_new=False)
    assert len(bot.reads) >= 3


@pytest.mark.parametrize(("timeframe", "hours"), [("1m", 40), ("5m", 200)])
def test_hours_are_read_a_few_times_a_day_and_never_while_orders_wait(
    timeframe: str, hours: int
) -> None:
    first = KEPT + 200
    bot = Bot(timeframe, "1h", first + int(hours * 60 / minutes(timeframe)))
    for end in moments(bot, first):
        bot.loop(end + timedelta(seconds=NEW), is_new=True)
        bot.loop(end + timedelta(seconds=BETWEEN), is_new=False)
    at_start, *later = bot.reads
    assert at_start
    assert not any(later)
    assert len(later) <= hours / 2


@pytest.mark.parametrize("hours", [1, 3, 6, 11, 30])
def test_after_an_outage_they_are_read_with_the_first_candle_that_needs_them(hours: int) -> None:
    bot = Bot("1m", "1h", 60 * 80)
    end = moments(bot, 60 * 40)[0]
    bot.loop(end, is_new=True)
    bot.loop(end + timedelta(seconds=BETWEEN), is_new=False)
    end += timedelta(hours=hours)
    bot.loop(end, is_new=True)
    pd.testing.assert_frame_equal(bot.group("1h", bot.older), bot.group("1h", bot.newest(end)))


def test_a_bot_without_loops_between_candles_reads_them_with_a_candle_then() -> None:
    bot = Bot("1m", "1h", 60 * 80)
    for end in moments(bot, 60 * 40):
        bot.loop(end, is_new=True)
        if end.minute < 2:
            new = bot.group("1h", bot.newest(end))
            pd.testing.assert_frame_equal(bot.group("1h", bot.older), new)
    assert 3 <= len(bot.reads) <= 20
