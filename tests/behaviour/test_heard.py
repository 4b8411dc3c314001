"""What of a foreign strategy is heard in a backtest: the lines of docs/foreign-strategies.md.

Its stop, its stakes and its answers make the layer do less, and never more.
"""

from __future__ import annotations

import logging
import math
from typing import Any, ClassVar

import pandas as pd
import pytest
from freqtrade.strategy import IStrategy
from talib import abstract

from ballast import StopRules
from tests.behaviour.mini import COSTS, FEE, Story, play, quiet, reasons, signal
from tests.behaviour.wishes import TAG, Wishes, held
from tests.engine import BacktestOutcome

CALM = (100.9, 101.4, 100.4, 100.9)
# Bought at the open of row 3; the first stop is four ATR below.
BOUGHT: Story = [*quiet(2), signal(), *[CALM] * 6]
STOP = pytest.approx(96.9, abs=0.02)
FALLEN = (101, 101, 90, 91)
RISEN = (101, 106.5, 100.5, 106)


def played(theirs: type[IStrategy], story: Story = BOUGHT, **settings: Any) -> BacktestOutcome:
    return play(story, held(theirs), **settings)


def only(outcome: BacktestOutcome) -> Any:
    (trade,) = outcome.trades.itertuples()
    return trade


def stake(outcome: BacktestOutcome) -> float:
    return float(only(outcome).stake_amount)


def test_entry_signal_and_tag_are_theirs() -> None:
    trade = only(played(Wishes))
    assert (trade.enter_tag, trade.open_rate) == (TAG, pytest.approx(100.9))


def test_words_of_older_strategies_are_still_heard() -> None:
    """Freqtrade takes 'buy' and 'sell' for order types; beside the layer's 'entry' they clashed."""

    class Former(Wishes):
        INTERFACE_VERSION = 2
        order_types: ClassVar[dict[str, Any]] = {
            "buy": "limit",
            "sell": "limit",
            "emergencysell": "market",
            "stoploss": "limit",
            "stoploss_on_exchange": False,
        }
        order_time_in_force: ClassVar[dict[str, str]] = {"buy": "gtc", "sell": "gtc"}
        populate_buy_trend = Wishes.populate_entry_trend
        populate_sell_trend = Wishes.populate_exit_trend

    former, today = (only(played(each)) for each in (Former, Wishes))
    assert (former.open_date, former.close_date) == (today.open_date, today.close_date)
    assert former.profit_abs == today.profit_abs


def test_collections_of_what_cannot_be_copied_are_the_strategys_own() -> None:
    """TA-Lib's functions in a table of the class: they cannot be copied, their table can."""

    class Tables(Wishes):
        means: ClassVar[dict[str, Any]] = {"sma": {"of": abstract.SMA, "seen": []}}
        listed: ClassVar[list[Any]] = [abstract.EMA, {"seen": []}]

    under = held(Tables)
    assert under.means["sma"]["of"] is abstract.SMA
    assert under.means["sma"]["seen"] is not Tables.means["sma"]["seen"]
    assert under.listed[1] is not Tables.listed[1]
    assert len(played(Tables).trades) == 1


def test_candle_with_entry_and_exit_is_no_entry() -> None:
    class Both(Wishes):
        def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
            return dataframe.assign(exit_long=dataframe.get("enter_long", 0))

    assert not len(played(Both).trades)


@pytest.mark.parametrize("name", ["custom_stake_amount", "confirm_trade_entry"])
def test_callback_that_calls_itself_without_end_is_refused_once_a_candle(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each of its calls passes through the layer, which told a refusal for each."""

    moments = set()

    def calls_itself(self: Any, **asked: Any) -> Any:
        moments.add(asked["current_time"])
        return getattr(self, name)(**asked)

    endless = type("Endless", (Wishes,), {name: calls_itself})
    with caplog.at_level(logging.INFO):
        outcome = played(endless)
    assert not len(outcome.trades)
    counts = outcome.strategy._ballast.incidents.counts
    assert counts.total() == len(moments) > 0
    assert all(cause.startswith(f"{name}: RecursionError: maximum rec") for cause in counts)
    assert "entry refused" not in caplog.text


@pytest.mark.parametrize(
    ("figures_of", "on"), [("GuardedWishes", True), ("Another", False), (None, False)]
)
def test_edge_decay_is_on_with_a_baseline_of_the_very_strategy(
    figures_of: str | None, on: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The pack's figures, or another's, would halve or block by what is not its own."""
    figures = {"mean_r": 0.5, "sd_r": 1.5, "trades": 200, "strategy": figures_of}
    with caplog.at_level(logging.INFO):
        outcome = played(Wishes, ballast={"guards": {"EdgeDecay": figures}})
    names = [entry["method"] for entry in outcome.strategy.protections]
    assert ("EdgeDecay" in names) is on
    waits = "EdgeDecay waits for a baseline of this strategy"
    assert (waits in caplog.text) is not on
    assert (waits in outcome.strategy.version()) is not on


class Shorting(Wishes):
    can_short = True

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe = super().populate_entry_trend(dataframe, metadata)
        return dataframe.assign(enter_short=(dataframe["close"] > 100.85).astype(int))


def test_short_signals_are_named_as_not_heard(caplog: pytest.LogCaptureFixture) -> None:
    """And a candle that signals both ways is no entry, as in Freqtrade live."""
    with caplog.at_level(logging.WARNING):
        assert not len(played(Shorting).trades)
        assert len(played(Shorting, [*quiet(2), signal(100.8), *quiet(4, 101)]).trades) == 1
    assert "Shorting: its short signals are not heard" in caplog.text


class Leveraged(Wishes):
    def leverage(self, **kwargs: Any) -> float:
        return 20.0


def test_leverage_is_named_as_not_heard(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        played(Leveraged)
    assert "Leveraged: its leverage is not heard" in caplog.text


def test_exit_signal_and_its_tag_are_honoured() -> None:
    story = [*BOUGHT, (101, 101, 96.9, 96.95), *quiet(3, 97)]
    assert reasons(played(Wishes, story)) == ["low"]


def test_custom_exit_is_honoured_also_under_its_former_name() -> None:
    class Old(Wishes):
        def custom_exit(self, current_time: Any, **_: Any) -> str | None:
            return "had enough" if current_time.hour >= 6 else None

    class Older(Wishes):
        def custom_sell(
            self, pair: str, trade: Any, current_time: Any, *_: Any, **__: Any
        ) -> str | None:
            return Old.custom_exit(self, current_time=current_time)

    for theirs in (Old, Older):
        trade = only(played(theirs))
        assert (trade.exit_reason, trade.close_date.hour) == ("had enough", 6)


def test_profit_target_is_honoured() -> None:
    class Modest(Wishes):
        minimal_roi: ClassVar[dict[Any, float]] = {"0": 0.02}

    trade = only(played(Modest, [*BOUGHT, RISEN, *quiet(2, 106)]))
    # 2 % after the fees of both sides.
    rate = 1.02 * 100.9 * (1 + FEE) / (1 - FEE)
    assert (trade.exit_reason, trade.close_rate) == ("roi", pytest.approx(rate, abs=0.01))


# The stop.


def test_wide_stop_of_theirs_becomes_the_layers() -> None:
    trade = only(played(Wishes, [*BOUGHT, FALLEN, *quiet(2, 91)]))
    assert (trade.exit_reason, trade.close_rate) == ("stop_loss", STOP)


def test_no_stop_of_theirs_becomes_the_disaster_stop() -> None:
    """-0.99 is none; where the layer's own is further away, -10 % holds."""
    wide = held(Wishes, stops=StopRules(initial_atr=20))
    outcome = play([*BOUGHT, (101, 101, 80, 81), *quiet(2, 81)], wide)
    assert only(outcome).close_rate == pytest.approx(0.9 * 100.9, abs=0.01)
    assert outcome.strategy.config["stoploss"] == -0.10


def test_tighter_class_stop_of_theirs_holds_and_decides_the_size() -> None:
    class Tight(Wishes):
        stoploss = -0.03

    outcome = played(Tight, [*BOUGHT, FALLEN, *quiet(2, 91)])
    assert only(outcome).close_rate == pytest.approx(0.97 * 100.9, abs=0.01)
    assert stake(outcome) == pytest.approx(10_000 * 0.005 / (0.03 + COSTS), rel=0.01)
    wider = stake(played(Wishes))
    assert wider == pytest.approx(10_000 * 0.005 / (4 / 100.9 + COSTS), rel=0.01)


@pytest.mark.parametrize(("set_to", "depth"), [(-0.03, 0.03), (-0.99, 0.10)])
def test_class_stop_that_is_set_later_is_a_proposal_too(set_to: float, depth: float) -> None:
    """Hyperopt sets it at every epoch, after the start; size and stop follow it all the same."""

    class Later(Wishes):
        stoploss = -0.05

        def bot_loop_start(self, **_: Any) -> None:
            self.stoploss = set_to

    wide = held(Later, stops=StopRules(initial_atr=20))
    outcome = play([*BOUGHT, (101, 101, 80, 81), *quiet(2, 81)], wide)
    assert only(outcome).close_rate == pytest.approx((1 - depth) * 100.9, abs=0.02)
    assert stake(outcome) == pytest.approx(10_000 * 0.005 / (depth + COSTS), rel=0.01)
    assert outcome.strategy.config["stoploss"] == -depth


def test_trailing_stop_of_theirs_is_the_stop_where_it_is_tighter() -> None:
    class Trailing(Wishes):
        trailing_stop = True
        trailing_stop_positive = 0.01
        trailing_stop_positive_offset = 0.03
        trailing_only_offset_is_reached = True

    story = [*BOUGHT, RISEN, (106, 106, 100, 100.4), *quiet(2)]
    trade = only(played(Trailing, story))
    assert (trade.exit_reason, trade.close_rate) == (
        "trailing_stop_loss",
        pytest.approx(0.99 * 106.5, abs=0.01),
    )


def test_trailing_stop_of_theirs_does_not_loosen_the_layers() -> None:
    """With -0.99 behind it, it trails by 99 %."""

    class Far(Wishes):
        trailing_stop = True

    trade = only(played(Far, [*BOUGHT, FALLEN, *quiet(2, 91)]))
    assert trade.close_rate == STOP


class Stopping(Wishes):
    """Proposes two percent at row 5, half of the price from row 6."""

    use_custom_stoploss = True

    def custom_stoploss(
        self, current_time: Any, after_fill: bool = False, **_: Any
    ) -> float | None:
        if after_fill:
            return -0.9
        return -0.02 if current_time.hour == 5 else -0.5


def test_own_stop_of_theirs_tightens_and_never_widens() -> None:
    """Also right after a fill, where Freqtrade would let it widen even the first stop."""
    trade = only(played(Stopping, [*BOUGHT, FALLEN, *quiet(2, 91)]))
    assert trade.close_rate == pytest.approx(0.98 * 101.4, abs=0.01)
    first = only(played(Stopping, [*quiet(2), signal(), FALLEN, *quiet(2, 91)]))
    assert first.close_rate == STOP


def test_stop_of_the_settings_counts_for_theirs_too() -> None:
    outcome = play(
        [*BOUGHT, FALLEN, *quiet(2, 91)],
        held(Wishes),
        ballast={"stops": {"initial_atr": 2}, "costs": {"enabled": False}},
    )
    assert only(outcome).close_rate == pytest.approx(98.9, abs=0.02)


# What caps.


def asking(wanted: Any) -> type[Wishes]:
    class Asking(Wishes):
        def custom_stake_amount(self, **_: Any) -> Any:
            if isinstance(wanted, Exception):
                raise wanted
            return wanted

    return Asking


def test_stake_of_theirs_is_a_cap() -> None:
    assert stake(played(asking(200.0))) == pytest.approx(200, rel=1e-3)
    usual = stake(played(Wishes))
    assert stake(played(asking(9_000.0))) == pytest.approx(usual)


@pytest.mark.parametrize("wanted", [0, None, math.nan, -5.0, ValueError("no idea")])
def test_no_stake_of_theirs_is_no_trade(wanted: Any) -> None:
    """Freqtrade takes an exception for the full stake."""
    assert not len(played(asking(wanted)).trades)


@pytest.mark.parametrize("answer", [False, None, ValueError("no idea")])
def test_confirmation_of_theirs_may_refuse(answer: Any) -> None:
    """Freqtrade takes an exception for a yes."""

    class Refusing(Wishes):
        def confirm_trade_entry(self, **_: Any) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

    assert not len(played(Refusing).trades)


def test_confirmation_of_theirs_forces_nothing() -> None:
    class Forcing(Wishes):
        def confirm_trade_entry(self, **_: Any) -> bool:
            return True

    # Between signal and order price has moved by more than half an ATR.
    story = [*quiet(2), signal(), (102, 102.5, 99.5, 100), *quiet(5)]
    assert not len(played(Forcing, story).trades)


def confirming(answer: Any) -> type[Wishes]:
    class Delaying(Wishes):
        minimal_roi: ClassVar[dict[Any, float]] = {"0": 0.02}
        asked: ClassVar[list[str]] = []

        def confirm_trade_exit(self, exit_reason: str, **_: Any) -> Any:
            self.asked.append(exit_reason)
            if isinstance(answer, Exception):
                raise answer
            return answer

    return Delaying


def test_theirs_may_delay_profit_targets_and_exit_signals() -> None:
    low = [*BOUGHT, (101, 101, 96.92, 96.95), *[(97, 97.2, 96.95, 97.1)] * 3]
    assert reasons(played(confirming(False), [*BOUGHT, RISEN, *quiet(2, 106)])) == []
    assert reasons(played(confirming(False), low)) == []
    assert reasons(played(confirming(ValueError("no idea")), low)) == ["low"]


def test_theirs_delays_no_stop() -> None:
    outcome = played(confirming(False), [*BOUGHT, FALLEN, *quiet(2, 91)])
    assert (reasons(outcome), only(outcome).close_rate) == (["stop_loss"], STOP)
    assert "stop_loss" in outcome.strategy.asked


def test_theirs_delays_nothing_that_the_layer_leaves_for() -> None:
    """Nor does their exit signal, which with `exit_profit_only` silences Freqtrade's own hook."""

    def all_of_them(self: Any, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe.assign(exit_long=(dataframe["close"] < 100.5).astype(int))

    added = {"exit_profit_only": True, "populate_exit_trend": all_of_them}
    silencing: Any = type("Silencing", (confirming(False),), added)
    rules = StopRules(initial_atr=8, time_stop="6h")
    story = [*quiet(2), signal(), *quiet(2, 101), *quiet(9, 99.5)]
    outcome = play(story, held(silencing, stops=rules))
    assert reasons(outcome) == ["time_stop"]


def test_entry_price_of_theirs_holds_within_the_checks_before_the_order() -> None:
    def pricing(share: float) -> type[Wishes]:
        class Pricing(Wishes):
            def custom_entry_price(self, proposed_rate: float, **_: Any) -> float:
                return share * proposed_rate

        return Pricing

    story = [*quiet(2), signal(), (100.9, 103, 100.2, 101), *quiet(5, 101)]
    assert only(played(pricing(0.998), story)).open_rate == pytest.approx(100.698, abs=0.01)
    assert not len(played(pricing(1.02), story).trades)


# What fails.

RAISING = (
    "bot_loop_start",
    "order_filled",
    "custom_exit",
    "custom_stoploss",
    "custom_roi",
    "custom_entry_price",
    "adjust_trade_position",
    "should_exit",
    "ft_stoploss_adjust",
)


@pytest.mark.parametrize("name", RAISING)
def test_callback_that_raises_is_counted_and_nothing_of_ours_is_skipped(name: str) -> None:
    def failing(*_: Any, **__: Any) -> Any:
        raise KeyError("what is this")

    switches = {"use_custom_stoploss": True, "use_custom_roi": True}
    switches |= {"position_adjustment_enable": True}
    failing_one: Any = type("Failing", (Wishes,), {name: failing, **switches})
    outcome = played(failing_one, [*BOUGHT, FALLEN, *quiet(2, 91)])
    assert only(outcome).close_rate == STOP
    assert any(
        cause.startswith(f"{name}: ") for cause in outcome.strategy._ballast.incidents.counts
    )


def test_own_way_of_leaving_that_looks_at_no_stop_does_not_lose_it() -> None:
    class Blind(Wishes):
        def should_exit(self, *_: Any, **__: Any) -> list[Any]:
            return []

    trade = only(played(Blind, [*BOUGHT, FALLEN, *quiet(2, 91)]))
    assert (trade.exit_reason, trade.close_rate) == ("stop_loss", STOP)
