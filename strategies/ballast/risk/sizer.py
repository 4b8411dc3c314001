"""The entry sizer: how large an entry may be, and whether it still may be when the order is due."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, Protocol

from freqtrade.persistence import LocalTrade

from ballast.config.settings import RiskSettings
from ballast.core import sizing, stops
from ballast.core.columns import CandleColumns
from ballast.core.heat import PortfolioHeatSettings, StopCosts, loss_at_stop
from ballast.core.reasons import Reason
from ballast.core.refusals import EntryRefused, refused
from ballast.core.signals import setup_name
from ballast.core.sizing import Held, RiskBudget, Sized, SizingInputs
from ballast.core.stops import StopRules
from ballast.core.trust import DataQuality
from ballast.core.verdict import Verdict
from ballast.risk.open_risk import Committed
from ballast.risk.proposals import OrderProposal, OrderProposals

# Freqtrade truncates amounts and rounds prices to the exchange's steps between sizing and order.
_ROUNDING = 1.001


class AccountView(Protocol):
    """What the sizer asks about the account and the market."""

    def equity(self, now: datetime) -> float:
        """Account value with open positions, quote currency."""

    def committed(self, now: datetime) -> Committed:
        """The account, and what of it is committed."""

    def heat_left(self, equity: float) -> float | None:
        """What guards let all positions lose at their stops at an equity (quote), or None."""

    def entry_verdict(self, pair: str, now: datetime) -> Verdict:
        """What the guards say."""


class _Signal(NamedTuple):
    """The candle that signalled, which can be trusted, and the guards' verdict, which allows."""

    columns: CandleColumns
    position: int
    verdict: Verdict


class PositionSizer:
    """
    Sizes entries and confirms them.

    Parameters
    ----------
    risk : RiskSettings
    heat : PortfolioHeatSettings or None
        None where the guard PortfolioHeat is off.
    account : AccountView
    correlations : callable
        Of a pair's returns with those of others at a moment.
    proposals : OrderProposals
        Where what is decided is kept.
    columns_of : callable
        Gives a pair's columns, or None.
    costs_of : callable
        What leaving a pair at a stop costs beside the distance.
    named_by_user : callable
        Stake that the user has named for a pair, by what Freqtrade proposes; None for none.
    terms_of : callable
        Stop rules and size (share of the usual risk) of a setup, by its name.
    disaster_ratio : callable
        Depth of the strategy's class stop as a positive ratio, which hyperopt may set anew.
    """

    def __init__(
        self,
        risk: RiskSettings,
        heat: PortfolioHeatSettings | None,
        account: AccountView,
        correlations: Callable[[str, Collection[str], datetime], Sequence[float]],
        proposals: OrderProposals,
        columns_of: Callable[[str], CandleColumns | None],
        costs_of: Callable[[str], StopCosts],
        named_by_user: Callable[[str, float], float | None],
        terms_of: Callable[[str], tuple[StopRules, float]],
        disaster_ratio: Callable[[], float],
    ) -> None:
        self._risk = risk
        self._heat = heat
        self._budget = risk.budget(heat)
        self._budgets: dict[StopCosts, RiskBudget] = {}
        self._account = account
        self._correlations = correlations
        self._proposals = proposals
        self._columns_of = columns_of
        self._costs_of = costs_of
        self._named_by_user = named_by_user
        self._terms_of = terms_of
        self._disaster_ratio = disaster_ratio
        self._confirmed: tuple[int, int] = (-1, 0)

    def propose(
        self, pair: str, now: datetime, rate: float, tag: str | None, limits: Mapping[str, float]
    ) -> OrderProposal:
        """
        Size an entry at `rate`.

        Parameters
        ----------
        limits : mapping of str to float
            min_stake and max_stake of the exchange and the free balance, proposed_stake as
            Freqtrade has it, and user_stake where a strategy wants no more; quote currency.

        Raises
        ------
        EntryRefused
            When the signal candle is not the newest, is not trusted, a guard blocks, or no size is
            left.
        """
        self._proposals.drop(pair)
        signal = self._allowed(pair, now)
        columns, position, verdict = signal
        name = setup_name(tag)
        close, atr = columns.value("close", position), columns.value("atr", position)
        rules, share = self._terms_of(name)
        disaster_ratio = self._disaster_ratio()
        stop = stops.initial_stop(close, atr, rules, disaster_ratio)
        # The disaster stop hangs below the fill, which may be above the signal's close.
        stop = max(stop, rate * (1 - disaster_ratio))
        inputs = self._inputs(pair, now, signal, rate, stop, share, limits)
        sized = _some(sizing.size(inputs, self._budget_of(pair)), limits)
        candle = columns.opened.item(position)
        proposal = OrderProposal(pair, candle, name, stop, sized, verdict)
        self._proposals.keep(proposal)
        return proposal

    def add(
        self,
        trade: LocalTrade,
        stop: float,
        rate: float,
        limits: Mapping[str, float],
        now: datetime,
    ) -> Sized:
        """
        Size an addition to a position at `rate` (see `sizing.size_addition`).

        Parameters
        ----------
        stop : float
            The stop that holds for the position, quote currency.
        limits : mapping of str to float
            As above.

        Raises
        ------
        EntryRefused
            As above, or where it is one entry too many on this candle.
        """
        pair, costs = trade.pair, self._costs_of(trade.pair)
        signal = self._allowed(pair, now)
        self._check_entries(signal.columns.opened.item(signal.position))
        _, share = self._terms_of(setup_name(trade.enter_tag))
        inputs = self._inputs(pair, now, signal, rate, stop, share, limits)
        held = Held(
            max(trade.stake_amount, trade.amount * rate),
            loss_at_stop(trade.amount, trade.open_rate, stop, costs)
            + max(-(trade.realized_profit or 0.0), 0.0),
        )
        return _some(sizing.size_addition(inputs, held, self._budget_of(pair)), limits)

    def added(self, pair: str, now: datetime) -> None:
        """Count an addition that goes to the exchange."""
        columns, position = self.newest(pair, now)
        self._count(int(columns.opened[position]))

    def confirm(self, pair: str, amount: float, rate: float, now: datetime) -> None:
        """
        Check an order just before it is sent.

        Raises
        ------
        EntryRefused
            When it was not sized on this candle, would lose more at its stop than was decided, or
            is one too many on this candle.
        """
        columns, position = self.newest(pair, now)
        proposal = self._proposals.last(pair)
        if proposal is None or proposal.candle != int(columns.opened[position]):
            raise refused(Reason.NOT_SIZED, 0, 1, "the order did not come through the sizer")
        loss = self._loss(pair, amount, rate, proposal.stop)
        allowed = proposal.sized.stake * proposal.sized.loss_ratio * _ROUNDING
        if not loss <= allowed:
            raise refused(Reason.LOSS_AT_STOP, loss, allowed)
        self._check_entries(proposal.candle)

    def sent(self, pair: str) -> None:
        """Count an entry that was confirmed and goes to the exchange."""
        proposal = self._proposals.last(pair)
        if proposal is None:
            raise LookupError(f"{pair} was sent without having been sized")
        self._count(proposal.candle)
        self._proposals.send(proposal)

    def fits(self, pair: str, amount: float, rate: float, now: datetime) -> bool:
        """Whether units bought at a rate lose at their stop no more than one trade may."""
        entry = self._proposals.sent(pair)
        if entry is None:
            return False
        loss = self._loss(pair, amount, rate, entry.stop)
        return loss <= self._account.equity(now) * self._budget.per_trade

    def newest(self, pair: str, now: datetime) -> tuple[CandleColumns, int]:
        """
        The pair's columns and the position of the candle that has just completed.

        Raises
        ------
        EntryRefused
            When that candle has not been analysed.
        """
        columns = self._columns_of(pair)
        position = columns.newest_at(now) if columns is not None else -1
        if columns is None or position < 0:
            raise refused(Reason.SIGNAL_STALE, 0, 1, "the newest completed candle is not analysed")
        return columns, position

    def _allowed(self, pair: str, now: datetime) -> _Signal:
        """The pair's newest candle, which can be trusted, and the guards' verdict, which allows."""
        columns, position = self.newest(pair, now)
        trust = int(columns.value("trust", position))
        if trust != DataQuality.OK:
            raise refused(Reason.CANDLE_UNTRUSTED, trust, DataQuality.OK, DataQuality(trust).name)
        verdict = self._account.entry_verdict(pair, now)
        if verdict.blocks:
            raise EntryRefused(verdict)
        return _Signal(columns, position, verdict)

    def _check_entries(self, candle: int) -> None:
        last, entries = self._confirmed
        entries = entries if last == candle else 0
        if entries >= self._risk.entries_per_candle:
            raise refused(Reason.ENTRIES_PER_CANDLE, entries + 1, self._risk.entries_per_candle)

    def _count(self, candle: int) -> None:
        last, entries = self._confirmed
        self._confirmed = (candle, entries + 1 if last == candle else 1)

    def _loss(self, pair: str, amount: float, rate: float, stop: float) -> float:
        """What units bought at a rate lose at a stop, quote currency."""
        return amount * rate * sizing.loss_ratio(rate, stop, self._costs_of(pair))

    def _budget_of(self, pair: str) -> RiskBudget:
        costs = self._costs_of(pair)
        if costs not in self._budgets:
            self._budgets[costs] = replace(self._budget, costs=costs)
        return self._budgets[costs]

    def _inputs(
        self,
        pair: str,
        now: datetime,
        signal: _Signal,
        rate: float,
        stop: float,
        share: float,
        limits: Mapping[str, float],
    ) -> SizingInputs:
        columns, position, verdict = signal
        equity, exposure, risks = self._account.committed(now)
        proposed, theirs = limits.get("proposed_stake"), limits.get("user_stake")
        named = None if proposed is None else self._named_by_user(pair, proposed)
        return SizingInputs(
            equity=equity,
            entry=rate,
            stop=stop,
            volatility=columns.value("volatility", position),
            turnover=columns.value("turnover", position),
            exposure=exposure,
            open_risk=sum(risks.values()),
            cluster_risk=self._cluster_risk(pair, now, risks),
            free_balance=limits["max_stake"],
            min_stake=limits["min_stake"],
            multiplier=share * verdict.multiplier,
            user_stake=min((stake for stake in (named, theirs) if stake is not None), default=None),
            heat_left=self._account.heat_left(equity),
        )

    def _cluster_risk(self, pair: str, now: datetime, risks: Mapping[str, float]) -> float:
        """Risk at stop of the positions and open entries that move with `pair`."""
        if self._heat is None or not risks:
            return 0.0
        together = self._heat.cluster_correlation
        correlations = self._correlations(pair, risks.keys(), now)
        moving = zip(risks.values(), correlations, strict=True)
        return sum([risk for risk, correlation in moving if correlation >= together])


def _some(sized: Sized, limits: Mapping[str, float]) -> Sized:
    """A size, where there is one."""
    if sized.stake == sizing.NO_TRADE:
        # Below zero where a cap is overdrawn already: nothing is left of it.
        smallest = max(sized.caps.get(sized.binding, sizing.NO_TRADE), sizing.NO_TRADE)
        raise refused(Reason.NO_SIZE, smallest, limits["min_stake"], sized.binding)
    return sized
