"""Whatever breaks inside, no trade is opened and no stop is loosened.

Every callback that GuardedStrategy takes over from Freqtrade is found by looking at the class, and
every guard by looking at the settings: a new one fails here until it is in a table.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest
from freqtrade.strategy import IStrategy

from ballast.config.guards import GuardSettings
from ballast.core import signals
from ballast.core.columns import CandleColumns
from ballast.core.exits import sell
from ballast.core.rules import below
from ballast.core.stops import StopRules
from ballast.core.verdict import Verdict
from ballast.data.feeds import Feeds
from ballast.data.market_view import MarketView
from ballast.execution.pre_trade import PreTradeChecks
from ballast.risk.engine import RiskEngine
from ballast.risk.open_risk import OpenRisk
from ballast.risk.planned_exits import PlannedExits
from ballast.risk.portfolio import Portfolio
from ballast.risk.shown_trades import ShownTrades
from ballast.risk.sizer import PositionSizer
from ballast.risk.stop_manager import StopManager
from ballast.runtime.exits import ExitChecks
from ballast.strategy.decisions import Decisions
from ballast.strategy.fail_closed import fail_closed
from ballast.strategy.guarded import GuardedStrategy
from ballast.strategy.layer import Layer
from ballast.strategy.signals import SignalStrategy
from tests.behaviour.mini import PAIR, Mini, at, play, quiet, signal, stops_watched
from tests.engine import BacktestOutcome

GUARDS = GuardSettings().build(60.0)

Fault = Callable[[], AbstractContextManager[Any]]


class Trailing(Mini):
    """With every kind of stop, so that each has something to break."""

    stops = StopRules(
        initial_atr=4, chandelier_atr=3, chandelier_slack_atr=1, break_even_r=1, time_stop="2d"
    )


RISE = [(a / 10, a / 10 + 0.8, a / 10 - 0.3, a / 10 + 0.5) for a in range(1010, 1090, 5)]
FALL = [(109, 109.2, 100, 100.5), (100.5, 100.6, 92, 93), (93, 93.5, 85, 86), *quiet(2, 86)]
# Bought at row 3, in profit by row 18, and then through every stop there is.
STORY = [*quiet(2), signal(), *RISE, *FALL]


def lost(*_args: Any, **_kwargs: Any) -> Any:
    raise KeyError("the data is gone")


def not_a_number(*_args: Any, **_kwargs: Any) -> float:
    return math.nan


def raising(owner: Any, name: str) -> Fault:
    return lambda: patch.object(owner, name, lost)


def giving(owner: Any, name: str, value: Any) -> Fault:
    return lambda: patch.object(owner, name, value)


def in_guard(guard: str, method: str, answer: Callable[..., Any]) -> Fault:
    return lambda: patch.object(type(GUARDS[guard]), method, answer)


def in_objecting(guard: str, answer: Callable[..., Any]) -> Fault:
    """The answer of a guard that wants sizes cut: it is asked about each entry."""
    kind, cut = type(GUARDS[guard]), Verdict("CUT", 1.0, 1.0, 0.5)

    @contextmanager
    def broken() -> Iterator[None]:
        with (
            patch.object(kind, "market_verdict", lambda *_: cut),
            patch.object(kind, "verdict", answer),
        ):
            yield

    return broken


def stake_is(value: float) -> Fault:
    """The sizer's answer with another stake in it."""
    propose = PositionSizer.propose

    def proposing(self: PositionSizer, *args: Any, **kwargs: Any) -> Any:
        proposal = propose(self, *args, **kwargs)
        return proposal._replace(sized=replace(proposal.sized, stake=value))

    return giving(PositionSizer, "propose", proposing)


def columns_are(change: Callable[[CandleColumns], CandleColumns | None]) -> Fault:
    """What callbacks look up of a pair, changed; the frame that signals is not."""
    made = signals.columns_of

    def making(*args: Any, **kwargs: Any) -> CandleColumns | None:
        return change(made(*args, **kwargs))

    return giving(signals, "columns_of", making)


def ending_early(columns: CandleColumns) -> CandleColumns:
    """The candle before the story's signal is the newest there is."""
    there = pd.to_datetime(columns.opened, utc=True) < at(2)
    kept = {name: values[there] for name, values in columns.by_name.items()}
    dates = pd.to_datetime(pd.Series(columns.opened[there]), utc=True)
    return CandleColumns(dates, "1h", kept, columns.labels)


def blank(column: str) -> Callable[[CandleColumns], CandleColumns]:
    def blanking(columns: CandleColumns) -> CandleColumns:
        values = {**columns.by_name, column: columns[column] * math.nan}
        dates = pd.to_datetime(pd.Series(columns.opened), utc=True)
        return CandleColumns(dates, "1h", values, columns.labels)

    return blanking


BLOCKS_NOTHING_BUT_IS_NO_NUMBER = Verdict("BROKEN", 0.0, 0.0, math.nan)


def no_number_verdict(*_args: Any) -> Verdict:
    return BLOCKS_NOTHING_BUT_IS_NO_NUMBER


# By callback what can break inside of it before a trade is opened.
BEFORE_ENTRY: dict[str, list[Fault]] = {
    "judge": [
        raising(RiskEngine, "on_candle"),
        raising(ShownTrades, "take"),
        raising(Portfolio, "open_trades"),
        raising(Portfolio, "worth"),
        giving(Portfolio, "worth", not_a_number),
        raising(MarketView, "row"),
        raising(MarketView, "leader"),
        *(in_guard(guard, "observe", lost) for guard in GUARDS),
        *(in_guard(guard, "market_verdict", lost) for guard in GUARDS),
        *(in_guard(guard, "pair_verdicts", lost) for guard in GUARDS),
    ],
    "custom_stake_amount": [
        raising(PositionSizer, "propose"),
        stake_is(math.nan),
        stake_is(-math.inf),
        raising(RiskEngine, "entry_verdict"),
        raising(Portfolio, "committed"),
        raising(OpenRisk, "by_pair"),
        raising(Portfolio, "exposure"),
        giving(Portfolio, "exposure", not_a_number),
        raising(RiskEngine, "_equity"),
        giving(RiskEngine, "_equity", not_a_number),
        giving(RiskEngine, "_equity", lambda *_: 0.0),
        *(in_objecting(guard, lost) for guard in GUARDS),
        *(in_objecting(guard, no_number_verdict) for guard in GUARDS),
        *(in_guard(guard, "market_verdict", no_number_verdict) for guard in GUARDS),
        columns_are(lambda columns: None),
        columns_are(ending_early),
        *(columns_are(blank(column)) for column in ("close", "atr", "volatility", "turnover")),
        columns_are(blank("trust")),
    ],
    "confirm_trade_entry": [
        raising(PositionSizer, "confirm"),
        raising(PositionSizer, "sent"),
        raising(PreTradeChecks, "check"),
    ],
    "bot_loop_start": [giving(Decisions, "judge", lambda *_: None)],
}

# Checks by who answers them, and what they are reported as.
EXIT_CHECKS: dict[str, type] = {
    "through_market": StopManager,
    "closed_below": StopManager,
    "overdue": StopManager,
    "rule_met": PlannedExits,
    "sale_due": PlannedExits,
}
NAMES = dict(
    zip(EXIT_CHECKS, ("stop", "chandelier", "time stop", "exit rule", "sale"), strict=True)
)
# By callback what can break inside of it once a trade is open.
AFTER_ENTRY: dict[str, list[Fault]] = {
    "filled": [raising(StopManager, "opened")],
    "stop": [
        raising(StopManager, "stop"),
        giving(StopManager, "stop", not_a_number),
        giving(StopManager, "stop", lambda *_: 0.0),
        giving(StopManager, "stop", lambda *_: -math.inf),
    ],
    "staying": [
        raising(ExitChecks, "staying"),
        raising(StopManager, "staying"),
        giving(StopManager, "staying", not_a_number),
        giving(StopManager, "staying", lambda *_: 0.0),
    ],
    "steady": [raising(ExitChecks, "steady"), raising(PlannedExits, "has_none")],
    "reason_to_leave": [
        raising(ExitChecks, "reason"),
        *(raising(owner, name) for name, owner in EXIT_CHECKS.items()),
    ],
}

# Called in live trading alone, or for orders that no backtest leaves open.
ELSEWHERE = {
    "raised_by_strategy": "what is told of a stop alone: the stop itself has been raised",
    "watch": "test_fail_closed_live: the order watch raises",
    "after_fill": "test_exits_live: the stop that could not be placed rests a loop later",
    "last_look": "test_exits_live: the process ends all the same",
    "part_to_sell": "test_partial_exits: nothing is sold, and the stop stays",
    "reduction": "test_additions: nothing is sold, and the stop stays",
    "gives_up_entry": "test_stop_watch_live: what cannot be judged is cancelled",
    "adjust_order_price": "test_pricing_live: what cannot be priced is cancelled",
    "gives_up_exit": "without it an exit order stays, and is asked about in the next loop",
}

# Overridden, not wrapped, and why that does not fail open.
NOT_WRAPPED = {
    "adjust_trade_position": "asks `Decisions.part_to_sell` or `reduction`, which are wrapped",
    "analyze": "adds `Decisions.judge`, which is wrapped; an unanalysed frame is SIGNAL_STALE",
    "bot_loop_start": "what it does is `Decisions.judge` or `watch`, which are wrapped; without "
    "them GUARDS_SILENT or WATCH_SILENT refuses",
    "ft_bot_start": "Freqtrade stops the run",
    "ft_bot_cleanup": "asks `Decisions.last_look`, which is wrapped",
    "ft_check_timed_out": "asks `Decisions.gives_up_entry` or `gives_up_exit`, which are wrapped",
    "ft_stoploss_adjust": "asks `Decisions.stop` and `after_fill`, which are wrapped; the present "
    "stop stays",
    "informative_pairs": "Freqtrade stops the run",
    "plot_annotations": "read by charts alone, and caught there",
    "plot_config": "read by charts alone",
    "advise_entry": "asks `populate_entry_trend`",
    "advise_exit": "returns what it is given",
    "populate_entry_trend": "a backtest stops; live the columns are not renewed: SIGNAL_STALE",
    "populate_exit_trend": "returns what it is given",
    "populate_indicators": "a backtest stops; live the columns are not renewed: SIGNAL_STALE",
    "order_filled": "asks `Decisions.filled`, which is wrapped; theirs is caught",
    "should_exit": "asks `Decisions.staying` and `reason_to_leave`, which are wrapped",
    "protections": "read once at start; Freqtrade stops the run",
    "startup_candle_count": "read at start; Freqtrade stops the run",
    "version": "a text",
}


def overridden() -> set[str]:
    """What the layer takes over from Freqtrade's own class, settings aside."""
    bases = (GuardedStrategy, Layer, SignalStrategy)
    members = [member for base in bases for member in vars(base).items()]
    ours = {name for name, member in members if callable(member) or isinstance(member, property)}
    return {name for name in ours if hasattr(IStrategy, name) and not name.startswith("__")}


def wrapped() -> set[str]:
    members = (*vars(Layer).items(), *vars(Decisions).items())
    return {name for name, member in members if hasattr(member, "fails_closed_with")}


@pytest.fixture(autouse=True)
def quiet_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


def told(fault: Fault | None = None, strategy: type[Mini] = Trailing) -> BacktestOutcome:
    """The story with something broken; fails if a stop is loosened on the way."""
    with stops_watched() as moves:
        if fault is None:
            outcome = play(STORY, strategy)
        else:
            with fault():
                outcome = play(STORY, strategy)
    assert all(after >= before for before, after in moves)
    return outcome


def test_every_callback_taken_over_from_freqtrade_fails_closed_or_says_why_not() -> None:
    assert overridden() - wrapped() <= set(NOT_WRAPPED)


def test_every_wrapped_callback_is_broken_by_some_test_here() -> None:
    assert wrapped() <= set(BEFORE_ENTRY) | set(AFTER_ENTRY) | set(ELSEWHERE)


def test_every_guard_is_broken_by_some_test_here() -> None:
    off = {name for name in GuardSettings.model_fields if name != "off"} - set(GUARDS)
    # PortfolioHeat is part of the sizer: broken as both. EdgeDecay waits for a baseline.
    assert off == {"PortfolioHeat", "EdgeDecay"}


def test_the_story_is_traded_when_nothing_is_broken() -> None:
    """Without this, every refusal below could be that of a market nobody would buy."""
    outcome = told()
    (trade,) = outcome.trades.itertuples()
    assert trade.profit_ratio > 0
    assert not outcome.strategy.incidents.counts


def cases(table: dict[str, list[Fault]]) -> list[Any]:
    return [
        pytest.param(fault, id=f"{callback}-{number}")
        for callback, faults in table.items()
        for number, fault in enumerate(faults)
    ]


@pytest.mark.parametrize("fault", cases(BEFORE_ENTRY))
def test_nothing_is_bought_when_a_decision_breaks(fault: Fault) -> None:
    assert told(fault).trades.empty


@pytest.mark.parametrize("fault", cases(AFTER_ENTRY))
def test_a_position_keeps_a_real_stop_when_its_keeping_breaks(fault: Fault) -> None:
    """Of the three ways out some are left: none may lose more than the disaster stop allows."""
    (trade,) = told(fault).trades.itertuples()
    assert trade.exit_reason != "force_exit"
    assert trade.profit_ratio >= -0.1001


def test_a_stop_once_raised_stays_when_the_stop_manager_breaks_later() -> None:
    """The last good stop, far above the class stop, is what the position leaves at."""
    healthy = StopManager.stop
    asked = 0

    def breaking(self: StopManager, *args: Any) -> float:
        nonlocal asked
        asked += 1
        return lost() if asked > 12 else healthy(self, *args)

    def break_stop_manager() -> AbstractContextManager[Any]:
        checks = (name for name, owner in EXIT_CHECKS.items() if owner is StopManager)
        broken: dict[str, Any] = {"stop": breaking, **dict.fromkeys(checks, lost)}
        return patch.multiple(StopManager, **broken)

    with stops_watched() as moves, break_stop_manager():
        (trade,) = play(STORY, Trailing).trades.itertuples()
    raised = max(after for _, after in moves)
    assert trade.exit_reason == "trailing_stop_loss"
    assert trade.close_rate == pytest.approx(raised)
    assert raised > 98.0


def test_a_failed_start_of_the_plan_leaves_the_stop_that_was_decided() -> None:
    """`order_filled` broke: what is lost at the stop must still be what the stake was sized for."""
    story = [*quiet(2), signal(), *quiet(3, 101), (101, 101.1, 88, 89), *quiet(2, 89)]
    sound = play(story).trades.iloc[0]
    with patch.object(StopManager, "opened", lost):
        broken = play(story).trades.iloc[0]
    assert broken["close_rate"] == pytest.approx(sound["close_rate"], rel=1e-3)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("through_market", "chandelier_exit"),
        ("closed_below", "time_stop"),
        ("overdue", "Rising: low"),
        ("rule_met", "Rising: far"),
    ],
)
def test_one_exit_check_that_breaks_silences_no_other(broken: str, reason: str) -> None:
    """Each of the others is alone in having a reason, and finds it."""

    class Rising(Trailing):
        stops = replace(Trailing.stops, time_stop="1d" if reason == "time_stop" else None)

        def exit_rules(self, pair: Any, market: Any) -> Any:
            stated = {"low": below(pair.close, 100.6), "far": sell(at="1%")}
            return {name: one for name, one in stated.items() if reason == f"Rising: {name}"}

    chandelier = [*RISE, (109, 109.2, 105.1, 105.3), (105.3, 105.4, 105.1, 105.3)]
    story = {
        "chandelier_exit": [*quiet(2), signal(), *chandelier, *quiet(3, 105)],
        "time_stop": [*quiet(2), signal(), *quiet(40, 101)],
        "Rising: low": [*quiet(2), signal(), *quiet(2, 101), (101, 101, 100, 100.2), *quiet(3)],
        "Rising: far": [*quiet(2), signal(), *RISE, *quiet(2, 109)],
    }[reason]
    with raising(EXIT_CHECKS[broken], broken)():
        outcome = play(story, Rising)
    assert outcome.reasons[0] == reason
    assert all(
        f"custom_exit, {NAMES[broken]}" in cause for cause in outcome.strategy.incidents.counts
    )


@pytest.mark.parametrize("callback", ["populate_indicators", "populate_entry_trend"])
def test_a_backtest_stops_when_a_frame_cannot_be_analysed(callback: str) -> None:
    with patch.object(GuardedStrategy, callback, lost), pytest.raises(KeyError):
        play(STORY)


def test_a_backtest_stops_when_the_market_cannot_be_read() -> None:
    with patch.object(Feeds, "market", lost), pytest.raises(KeyError):
        play(STORY)


@pytest.mark.parametrize("answer", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("refusal", [None, 0.0, False])
def test_a_number_that_is_none_is_a_refusal(answer: float, refusal: Any) -> None:
    incidents = []

    class Strategy:
        def incident(self, where: str, error: Exception) -> None:
            incidents.append(where)

        @fail_closed(refusal=refusal)
        def custom_stake_amount(self) -> float:
            return answer

    assert Strategy().custom_stake_amount() is refusal
    assert incidents == ["custom_stake_amount"]


def test_a_failure_is_counted_under_the_callback_in_which_it_happened() -> None:
    outcome = told(raising(PositionSizer, "propose"))
    (cause,) = outcome.strategy.incidents.counts
    assert cause.startswith("custom_stake_amount: KeyError")
    assert PAIR in outcome.frames
