"""What a run decided, written down: the same of a backtest and of a paper-trading bot.

Both are Freqtrade's own. Kept is what every guard said of every pair at every candle, how each
entry was sized or why it was refused, where each stop stood, and how each trade ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freqtrade.persistence import LocalTrade

from ballast.core.guard_set import GuardSet
from ballast.core.refusals import EntryRefused
from ballast.risk.candle_news import CandleNews
from ballast.risk.sizer import PositionSizer
from ballast.risk.stop_manager import StopManager
from ballast.strategy.guarded import GuardedStrategy
from tests.behaviour.mini import Story, at, play, told
from tests.behaviour.paper import FEE, Paper, paper, stops_at_their_level
from tests.engine import candle_frame
from tests.journals import journal_in


@dataclass
class Record:
    """
    Decisions of a run by pair and candle border.

    Parameters
    ----------
    guards : by guard and border, what it said of all pairs and of single ones.
    entries : what was asked for: a refusal's text, or the cap that bound and the numbers.
    stops : the stop after the border's candle.
    exits : reasons and borders of closed trades by pair, in order.
    journal : the file that the run itself kept.
    """

    guards: dict[tuple[str, datetime], tuple[str, dict[str, str]]] = field(default_factory=dict)
    entries: dict[tuple[str, datetime], tuple[Any, ...]] = field(default_factory=dict)
    stops: dict[tuple[str, datetime], float] = field(default_factory=dict)
    exits: list[tuple[str, datetime, datetime, str]] = field(default_factory=list)
    journal: Path = Path()


def border(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


@contextmanager
def recorded() -> Iterator[Record]:
    """Write down what is decided meanwhile; nothing is changed by it."""
    record = Record()
    propose, stop, staying = PositionSizer.propose, StopManager.stop, StopManager.staying

    def recording(show: Callable[..., Any]) -> Callable[..., Any]:
        def showing(self: GuardSet, snapshot: Any, *rest: Any, **named: Any) -> Any:
            changes = show(self, snapshot, *rest, **named)
            for name, guard in self.guards.items():
                pairs = guard.pair_verdicts(snapshot)
                of_pairs = {pair: said(verdict) for pair, verdict in pairs.items()}
                common = said(guard.market_verdict(snapshot))
                record.guards[(name, snapshot.now)] = (common, of_pairs)
            return changes

        return showing

    def proposing(self: PositionSizer, pair: str, now: datetime, *args: Any, **kwargs: Any) -> Any:
        key = (pair, border(now))
        try:
            proposal = propose(self, pair, now, *args, **kwargs)
        except EntryRefused as refusal:
            record.entries[key] = (refusal.verdict.code, refusal.detail)
            raise
        numbers = (proposal.stop, proposal.sized.stake, proposal.verdict.multiplier)
        record.entries[key] = (proposal.setup, proposal.sized.binding, *numbers)
        return proposal

    def stopping(self: StopManager, trade: LocalTrade, now: datetime) -> float:
        price = stop(self, trade, now)
        record.stops[(trade.pair, border(now))] = price
        return price

    def staying_at(
        self: StopManager, trade: LocalTrade, now: datetime, rate: float
    ) -> float | None:
        price = staying(self, trade, now, rate)
        if price is not None:
            record.stops[(trade.pair, border(now))] = price
        return price

    with (
        patch.object(GuardSet, "observe", recording(GuardSet.observe)),
        patch.object(GuardSet, "follow", recording(GuardSet.follow)),
        patch.object(PositionSizer, "propose", proposing),
        patch.object(StopManager, "stop", stopping),
        patch.object(StopManager, "staying", staying_at),
    ):
        yield record


def said(verdict: Any) -> str:
    """A verdict without its value, which follows the account to the cent."""
    return f"{verdict.code} limit={verdict.limit:g} x{verdict.multiplier:g} until={verdict.until}"


def backtested(
    stories: Mapping[str, Story],
    strategy: type[GuardedStrategy],
    ballast: Mapping[str, Any],
    folder: Path | None = None,
) -> Record:
    """The stories through Freqtrade's backtester; with a journal, if a folder is given for it."""
    settings = {**ballast, "journal": {"backtest": folder is not None}}
    journal = (folder or Path()) / "ballast_journal.backtest.sqlite"
    with (
        recorded() as record,
        # As live; that nothing comes of it is in `test_judged_candles`.
        patch.object(CandleNews, "at", lambda *_, **__: None),
        patch("ballast.runtime.journal.journal_path", lambda *_args, **_settings: journal),
    ):
        outcome = play(stories, strategy, ballast=settings, fee=FEE)
    record.journal = journal
    trades = outcome.trades.sort_values(["open_date", "pair"])
    record.exits = [
        (
            trade.pair,
            trade.open_date.to_pydatetime(),
            trade.close_date.to_pydatetime(),
            trade.exit_reason,
        )
        for trade in trades.itertuples()
        if trade.exit_reason != "force_exit"
    ]
    assert not outcome.strategy.incidents.counts
    return record


def traded_on_paper(
    stories: Mapping[str, Story],
    strategy: type[GuardedStrategy],
    ballast: Mapping[str, Any],
    folder: Path,
    *,
    newest: int | None = None,
    look_again_s: float = 10,
) -> Record:
    """
    The same candles one by one; within each, the price goes to a stop that its low reaches.

    Parameters
    ----------
    newest : int or None
        How many candles the exchange hands out at most.
    look_again_s : float
        Seconds after a candle's end at which the bot's loop runs a second time.
    """
    length = max(map(len, stories.values()))
    frames = {p: candle_frame(told(s, length), "1h") for p, s in sorted(stories.items())}
    settings = {"ballast": dict(ballast)}
    with (
        recorded() as record,
        stops_at_their_level() as orders,
        paper(strategy, frames, folder, at(-8), newest=newest, **settings, **orders) as bot,
    ):
        for row in range(-7, length):
            bot.step(at(row))
            bot.loop(at(row) + timedelta(seconds=look_again_s))
            reach_stops(bot, row)
        assert not bot.bot.strategy.incidents.counts
        record.journal = journal_in(folder)
        closed = [trade for trade in bot.trades if not trade.is_open]
        dated = [(trade, border(trade.open_date_utc)) for trade in closed]
        record.exits = [
            (trade.pair, opened, border(trade.close_date_utc), trade.exit_reason)
            for trade, opened in sorted(dated, key=lambda item: (item[1], item[0].pair))
        ]
    return record


def reach_stops(bot: Paper, row: int) -> None:
    """By the clock of a backtest, which has every stop of a candle reached at its open."""
    for trade in [trade for trade in bot.trades if trade.is_open]:
        frame = bot.frames[trade.pair]
        lows = frame.loc[frame["date"] == at(row), "low"]
        if (lows <= trade.stop_loss).any():
            bot.prices[trade.pair] = trade.stop_loss
    bot.loop(at(row))
