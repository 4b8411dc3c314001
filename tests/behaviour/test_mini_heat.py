"""Heat is what all stops lose together, with costs and gap, for an entry and for what is held."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.behaviour.guard_stories import LATER, STOPPED_OUT
from tests.behaviour.mini import COSTS, OTHER, PAIR, at, play, quiet, seen, signal
from tests.behaviour.recording import recorded
from tests.engine import Row

THIRD = "XRP/USDT"
BOUGHT: list[Row] = [*quiet(2), signal(), (101, 101.4, 100.8, 101.2)]
# One percent a trade, and no cap in the way but that of heat.
BOLD = {
    "per_trade_pct": 1.0,
    "position_cap_pct": 100.0,
    "exposure_cap_pct": 100.0,
    "entries_per_candle": 20,
}


def lost_at_stops(held: Iterable[tuple[float, float]], close: float) -> float:
    """What amounts and stops lose from a close, with what leaving costs."""
    return sum(amount * (close - stop + close * COSTS) for amount, stop in held)


def test_what_open_trades_would_pay_to_leave_is_not_left_for_another() -> None:
    """Two trades at one percent each: their costs and gaps are a fifth of what is at risk."""
    story = [*BOUGHT, *quiet(3, 101)]
    outcome = play(
        dict.fromkeys((PAIR, OTHER, THIRD), story),
        ballast={"risk": BOLD, "guards": {"PortfolioHeat": {"cluster_pct": 20.0}}},
    )
    amounts = dict(zip(outcome.trades["pair"], outcome.trades["amount"], strict=True))
    proposals = {pair: outcome.strategy.session.proposals.last(pair) for pair in amounts}
    (last,) = (one for one in proposals.values() if one.sized.binding == "PORTFOLIO_HEAT")
    stop = 100.9 - 4 * seen(outcome, 2)["atr"]
    held = [(amount, stop) for pair, amount in amounts.items() if pair != last.pair]
    equity = 10_000 + sum(amount * (100.9 - 101) for amount, _ in held)
    left = 0.02 * equity - lost_at_stops(held, 100.9)
    assert 0 < left < 30
    assert last.sized.caps["PORTFOLIO_HEAT"] * last.sized.loss_ratio == pytest.approx(left)


def test_stops_are_drawn_closer_until_all_of_them_with_costs_lose_what_is_allowed() -> None:
    story = [*BOUGHT, (101.2, 106.5, 101, 106), *quiet(3, 106)]
    heat = {"limit_pct": 2.5, "cluster_pct": 2.5}
    with recorded() as record:
        outcome = play(
            dict.fromkeys((PAIR, OTHER), story),
            ballast={"risk": BOLD, "guards": {"PortfolioHeat": heat}},
        )
    held = [
        (trade.amount, record.stops[(trade.pair, at(5))]) for trade in outcome.trades.itertuples()
    ]
    equity = 10_000 + sum(amount * (106 - 101) for amount, _ in held)
    assert lost_at_stops(held, 106) == pytest.approx(0.025 * equity)


LIMITS: dict[str, dict[str, float]] = {
    "DailyLossLimit": {"reducing_pct": 0.6, "halted_pct": 0.6},
    "WeeklyLossLimit": {"reducing_pct": 0.6, "halted_pct": 0.6},
    "RollingDrawdownLimit": {"limit_pct": 0.6, "least_pct": 0.01},
    "DrawdownLimit": {"limit_pct": 0.6, "near_pct": 0.1, "least_pct": 0.01},
}


@pytest.mark.parametrize("guard", LIMITS)
def test_after_a_loss_an_entry_may_lose_what_is_left_of_the_limit_and_no_more(guard: str) -> None:
    """With what it loses at its stop the account stands at the limit, costs and gap included."""
    outcome = play(
        {PAIR: STOPPED_OUT, THIRD: LATER},
        ballast={
            "risk": {"exposure_cap_pct": 100.0, "daily_volatility_pct": 20.0},
            "guards": {guard: LIMITS[guard], "off": ["DrawdownLadder"]},
        },
    )
    first = outcome.trades.iloc[0]
    # Open profit is the account's too, where a limit is one from its highest value.
    highest = 10_000 + (first["amount"] * (101.2 - 101) if "Drawdown" in guard else 0)
    account = 10_000 + first["profit_abs"]
    last = outcome.strategy.session.proposals.last(THIRD)
    assert account < 10_000
    assert last.sized.binding == "DRAWDOWN_LEFT"
    at_stop = account - last.sized.stake * last.sized.loss_ratio
    assert at_stop == pytest.approx(0.994 * highest, rel=1e-9)
