"""The window and pairs of a bot's journal once more, as a backtest that keeps a journal too."""

import tempfile
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from ballast.config import settings
from ballast.core.windows import minutes
from ballast.journal.place import journal_path
from ballast.research import backtests
from ballast.research.backtests import Task, TaskError
from ballast.research.drift.record import Record, read_journal, trades_of


def replayed(bot: Record, task: Task) -> Record:
    """
    Decisions and trades of a backtest over the bot's window and pairs.

    Parameters
    ----------
    task : Task
        The bot's configuration, strategy, markets and candles.

    Raises
    ------
    TaskError
        When Freqtrade refuses to run it, or it has no candles of the window.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = deepcopy(dict(task.config))
        own["timeframe"] = bot.timeframe
        section = own.setdefault(settings.SECTION, {})
        kept = {k: v for k, v in section.get("journal", {}).items() if k != "path"}
        section["journal"] = {**kept, "enabled": True, "backtest": True}
        asked = replace(
            task,
            config=own,
            timerange=window(bot),
            pairs=bot.pairs,
            keep=str(folder),
        )
        outcome = backtests.run(asked)
        result = folder / "result.zip"
        result.write_bytes(outcome.zipped)
        path = journal_path({"user_data_dir": folder}, None, None, backtest=True)
        journal = read_journal(path, bot.strategy)
        return replace(journal, trades=trades_of(backtests.statistics(result)))


def window(bot: Record) -> str:
    """
    Freqtrade's time range of a journal: from its first candle until one more than the last has been
    acted on.
    """
    candle = timedelta(minutes=minutes(bot.timeframe))
    candles = [candle for _, candle in bot.decisions]
    first, last = min(candles), max(candles) + 2 * candle
    if last - first < 3 * candle:
        raise TaskError("the journal covers fewer than two candles: nothing can be compared")
    return f"{first.timestamp():.0f}-{last.timestamp():.0f}"
