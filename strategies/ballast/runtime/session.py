"""One run of a strategy: everything that rules, guards and account share, connected once."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from freqtrade.enums import RunMode
from freqtrade.persistence import Trade

from ballast.alerts.lock_alerts import LockAlerts
from ballast.charts.account_lanes import AccountLanes
from ballast.config.guards import GuardSettings
from ballast.core.columns import ColumnsByPair
from ballast.core.exits import Sell
from ballast.core.guard_set import Change, GuardSet
from ballast.core.ledger import Ledger
from ballast.core.market import Market
from ballast.core.rulebook import Rulebook
from ballast.core.stops import StopRules
from ballast.core.windows import minutes
from ballast.data.feeds import Feeds
from ballast.data.market_view import MarketView
from ballast.execution.api_errors import ApiErrors
from ballast.execution.costs import FillCosts
from ballast.execution.exchange_view import ExchangeView
from ballast.journal.ownership import Place
from ballast.journal.recorder import Recorder
from ballast.risk.engine import RiskEngine
from ballast.risk.every_candle import EveryCandle
from ballast.risk.fees import Fees
from ballast.risk.flows import Flows, stated_capital
from ballast.risk.kill_switch import KillSwitch
from ballast.risk.open_risk import OpenRisk
from ballast.risk.planned_exits import PlannedExits
from ballast.risk.portfolio import Portfolio
from ballast.risk.proposals import OrderProposals
from ballast.risk.read_once import read_anew
from ballast.risk.sizer import PositionSizer
from ballast.risk.state_store import StateStore
from ballast.risk.stop_manager import StopManager, StopMove
from ballast.risk.stop_plans import StopPlanStore
from ballast.risk.user_stake import UserStake
from ballast.runtime.account import lanes_of, meter_of
from ballast.runtime.event_factory import flowed, guard_changed, stop_moved
from ballast.runtime.execution import Execution
from ballast.runtime.exits import ExitChecks
from ballast.runtime.host import Host
from ballast.runtime.journal import place_of, recorder_of
from ballast.runtime.operator_channel import OperatorChannel
from ballast.runtime.sole_bot import hold_database, tell_taken_over

logger = logging.getLogger(__name__)

CORRELATION_WINDOW = "20d"


def _none(now: datetime) -> int:
    """Failed requests of a run that makes none."""
    return 0


def _correlations(
    market: Market | None, pair: str, others: Collection[str], now: datetime
) -> list[float]:
    """Of a pair's returns with those of others; 1 before the market has been seen."""
    if market is None:
        return [1.0] * len(others)
    return market.correlations(pair, others, now, CORRELATION_WINDOW)


def _tell_moved(host: Host, move: StopMove) -> None:
    if host.events.heard:
        host.events.publish(stop_moved(move))


def _tell_latches(host: Host, guard_set: GuardSet) -> None:
    """A backtest, at its last candle: right above Freqtrade's tables, which do not tell."""
    if host.dp.runmode != RunMode.BACKTEST:
        return
    for guard, since in ((n, g.latched_at) for n, g in guard_set.guards.items()):
        if since is not None:
            text = "%s: %s ended all entries on %s, and nobody re-arms in a backtest"
            logger.warning(text, host.get_strategy_name(), guard, f"{since:%Y-%m-%d %H:%M}")


@dataclass
class TradingSession:
    """
    The parts of one run.

    Parameters
    ----------
    columns_by_pair : ColumnsByPair
        Looked-up columns by pair; those of the market leader under `market_view.MARKET`.
    stop_rules : dict of str to StopRules
        By the name of the setup.
    sizes : dict of str to float
        Share of the usual risk by the name of the setup.
    sales : dict of str to mapping of str to Sell
        What is sold by the trade itself, by the name of the setup.
    market : Market or None
        As last seen.
    costs : FillCosts or None
        What fills are charged; None outside of backtests.
    rulebooks : dict of str to Rulebook, or None
        Entry rules by pair, where somebody reads them.
    journal : Place or None
        None where none is kept.
    recorder : Recorder or None
        None in a backtest that keeps no journal.
    operator : OperatorChannel or None
        With the operator; None in backtests.
    lanes : AccountLanes or None
        The account for charts; None where no bot runs.
    """

    feeds: Feeds
    stop_manager: StopManager
    proposals: OrderProposals
    sizer: PositionSizer
    engine: RiskEngine
    execution: Execution
    exits: ExitChecks
    planned: PlannedExits
    kill: KillSwitch
    fees: Fees
    columns_by_pair: ColumnsByPair = field(default_factory=ColumnsByPair)
    stop_rules: dict[str, StopRules] = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)
    sales: dict[str, Mapping[str, Sell]] = field(default_factory=dict)
    market: Market | None = None
    costs: FillCosts | None = None
    rulebooks: dict[str, Rulebook] | None = None
    journal: Place | None = None
    recorder: Recorder | None = None
    operator: OperatorChannel | None = None
    lanes: AccountLanes | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Hyperopt's workers make the market anew."""
        return {**self.__dict__, "market": None}

    @classmethod
    def of(cls, host: Host) -> "TradingSession":
        """
        Connect the parts for a host that Freqtrade has given its data provider.

        Raises
        ------
        OperationalException
            Where another bot trades on the database, or its journal is another's.
        """
        hold_database(host)
        tell_taken_over(host)
        settings, stake_currency = host.settings, host.config["stake_currency"]
        columns_by_pair = ColumnsByPair()
        sizes: dict[str, float] = {}
        stop_rules: dict[str, StopRules] = {}
        sales: dict[str, Mapping[str, Sell]] = {}
        guards = settings.guards

        def rules_of(setup: str) -> StopRules:
            # A trade somebody forced, or of a setup since renamed, is managed like the first; at
            # start, before any candle is analysed, closed trades are looked at.
            return stop_rules.get(setup) or next(iter(stop_rules.values()), host.stops)

        def correlations(pair: str, others: Collection[str], now: datetime) -> list[float]:
            return _correlations(session.market, pair, others, now)

        def announce(change: Change) -> None:
            if change.verdict.blocks:
                lock_alerts.block(change)
            seen = guard_set.snapshot
            if seen is not None and host.events.heard:
                host.events.publish(guard_changed(change, seen.now))

        leader = settings.market.leading(stake_currency)
        feeds = Feeds(host.dp, host.timeframe, leader, settings.market.basket)
        view = ExchangeView(host.dp, lambda: host.wallets)
        fees = Fees(settings.risk, view.fee)
        ledger = Ledger(stated_capital(host.config))
        portfolio = Portfolio(ledger, columns_by_pair.get)
        proposals = OrderProposals()
        stop_manager = StopManager(
            columns_by_pair.get,
            rules_of,
            proposals,
            host.disaster_ratio,
            fees.break_even_ratio,
            partial(_tell_moved, host),
        )
        lock_alerts = LockAlerts(host.dp)
        errors = ApiErrors()
        if feeds.live:
            errors.listen()
        heat = guards.PortfolioHeat if guards.is_on("PortfolioHeat") else None
        guard_set = GuardSet(guards.build(minutes(host.timeframe)))
        market_view = MarketView(columns_by_pair, feeds.traded)
        engine = RiskEngine(
            guard_set,
            ledger,
            portfolio,
            OpenRisk(
                ledger,
                stop_manager,
                fees.stop_costs,
                heat.limit_pct / 100 if heat else None,
                guard_set.heat_left,
            ),
            stop_manager,
            market_view,
            host.timeframe,
            announce,
            lambda flow, equity, now: host.events.publish(
                flowed(flow, equity, stake_currency, now)
            ),
            # Hyperopt sends this to its workers, and a log handler cannot be sent.
            errors.count if feeds.live else _none,
            partial(_tell_latches, host, guard_set),
            timedelta(seconds=settings.trust.late_candle_s if feeds.live else 0),
        )
        others = EveryCandle(
            host.config,
            [*host.extra_protections, *settings.protections],
            host.dp.current_whitelist,
            lambda: host.wallets.get_starting_balance(),
            lock_alerts.lock,
        )
        if others.any:
            engine.ask_too(others.ask)
        sizer = PositionSizer(
            settings.risk,
            heat,
            engine,
            correlations,
            proposals,
            columns_by_pair.get,
            fees.stop_costs,
            UserStake(host.config, lambda: host.wallets).cap,
            lambda setup: (rules_of(setup), sizes.get(setup, host.size)),
            host.disaster_ratio,
        )
        costs = FillCosts.of(settings.costs, host.dp.runmode, columns_by_pair.get, host.timeframe)
        # In backtests nobody switches anything off.
        kill = KillSwitch(
            Path(host.config["user_data_dir"]) / settings.kill.file if feeds.live else None,
            settings.kill.policy == "flatten",
            lock_alerts.say,
        )
        execution = Execution.of(
            host,
            view,
            fees,
            sizer,
            engine,
            columns_by_pair.get,
            proposals,
            stop_manager,
            kill,
            lock_alerts.say,
        )
        planned = PlannedExits(
            columns_by_pair.get, lambda setup: sales.get(setup, {}), stop_manager
        )
        exits = ExitChecks(stop_manager, planned, guard_set, kill, execution, host.incident)
        parts = (feeds, stop_manager, proposals, sizer, engine, execution, exits, planned, kill)
        session = cls(*parts, fees, columns_by_pair, stop_rules, sizes, sales, costs=costs)
        books: dict[str, Rulebook] = {}
        session.journal = place_of(host)
        session.lanes = lanes_of(host, session.journal, feeds.live)
        session.recorder = recorder_of(
            host,
            session.journal,
            feeds.live,
            engine,
            stop_manager,
            columns_by_pair,
            books,
            meter_of(host, engine, portfolio, stop_manager, fees, kill, session.lanes),
        )
        if session.recorder is not None:
            session.rulebooks = books
            engine.ask_too(session.recorder.on_candle, reads=True)
        if feeds.live:
            session.operator = OperatorChannel(host, engine, session.recorder, columns_by_pair.get)
            store = StateStore(Trade.session.get_bind())
            stop_manager.remember_in(StopPlanStore(store))
            flows = Flows(host.config, lambda: host.wallets, ledger, execution.is_certain)
            engine.remember_in(store, flows)
        return session

    def account_columns(self, dates: pd.Series | np.ndarray) -> dict[str, np.ndarray]:
        """The account at candles, to be drawn (see `AccountLanes.columns`); none without a bot."""
        return self.lanes.columns(dates) if self.lanes is not None else {}

    def look_anew(self) -> None:
        """A loop begins, or an order has filled: what own orders say is read once more."""
        if not self.feeds.live:
            return
        read_anew()
        self.fees.look_anew()
        self.engine.look_anew()

    @property
    def present(self) -> datetime:
        """This moment (UTC); in backtests the border that was reached last."""
        reached = self.engine.reached
        return datetime.now(UTC) if self.feeds.live or reached is None else reached

    @staticmethod
    def log_start(name: str, guards: GuardSettings) -> None:
        """Say which guards are on, and warn of those that are off."""
        for waiting in guards.waiting():
            logger.info("%s: %s, and is off until then", name, waiting)
        on = [guard for guard in guards.names() if guards.is_on(guard)]
        logger.info("%s: guards on: %s", name, ", ".join(on))
        if guards.off:
            logger.warning("%s: guards switched OFF: %s", name, ", ".join(guards.off))
