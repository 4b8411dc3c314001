"""One run of a strategy: everything that rules, guards and account share, connected once."""

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade.persistence import Trade

from ballast.api_errors import ApiErrors
from ballast.book import Book
from ballast.contact import Contact
from ballast.core.decision import Rulebook
from ballast.core.market import Market
from ballast.core.stops import StopRules
from ballast.core.tape import Tapes
from ballast.core.warden import Change, Warden
from ballast.core.windows import minutes
from ballast.costs import FillCosts
from ballast.entries import EntryDesk
from ballast.every_candle import EveryCandle
from ballast.execution import Execution
from ballast.exits import StopKeeper
from ballast.feeds import Feeds
from ballast.guard_settings import GuardSettings
from ballast.journal.recorder import Recorder
from ballast.journal.wiring import recorder_of
from ballast.kill_switch import KillSwitch
from ballast.lookout import Lookout
from ballast.notices import Notices
from ballast.oversight import Oversight
from ballast.state import GuardStore
from ballast.tellings import guard_changed, stop_moved

if TYPE_CHECKING:
    from ballast.strategy import GuardedStrategy

logger = logging.getLogger(__name__)

CORRELATION_WINDOW = "20d"


def _none(now: datetime) -> int:
    """Failed requests of a run that makes none."""
    return 0


@dataclass
class Run:
    """
    The parts of one run.

    Parameters
    ----------
    tapes : Tapes
        Looked-up columns by pair; those of the market leader under `lookout.MARKET`.
    stop_rules : dict of str to StopRules
        By the name of the setup.
    sizes : dict of str to float
        Share of the usual risk by the name of the setup.
    market : Market or None
        As last seen.
    costs : FillCosts or None
        What fills are charged; None outside of backtests.
    rulebooks : dict of str to Rulebook, or None
        Entry rules by pair, where somebody reads them.
    recorder : Recorder or None
        None in a backtest that keeps no journal.
    contact : Contact or None
        With the operator; None in backtests.
    """

    feeds: Feeds
    keeper: StopKeeper
    desk: EntryDesk
    oversight: Oversight
    execution: Execution
    kill: KillSwitch
    tapes: Tapes = field(default_factory=Tapes)
    stop_rules: dict[str, StopRules] = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)
    market: Market | None = None
    costs: FillCosts | None = None
    rulebooks: dict[str, Rulebook] | None = None
    recorder: Recorder | None = None
    contact: Contact | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Hyperopt's workers make the market anew."""
        return {**self.__dict__, "market": None}

    @classmethod
    def of(cls, strategy: "GuardedStrategy") -> "Run":
        """Connect the parts for a strategy that Freqtrade has given its data provider."""
        settings, stake_currency = strategy.settings, strategy.config["stake_currency"]
        tapes = Tapes()
        sizes: dict[str, float] = {}
        stop_rules: dict[str, StopRules] = {}
        disaster_ratio = abs(strategy.stoploss)
        guards = settings.guards

        def rules_of(setup: str) -> StopRules:
            # A trade somebody forced, or of a setup since renamed, is managed like the first; at
            # start, before any candle is analysed, closed trades are looked at.
            return stop_rules.get(setup) or next(iter(stop_rules.values()), strategy.stops)

        def correlation(one: str, other: str, now: datetime) -> float:
            market = run.market
            return market.correlation(one, other, now, CORRELATION_WINDOW) if market else 1.0

        def announce(change: Change) -> None:
            if change.verdict.blocks:
                notices.block(change)
            seen = oversight.warden.snapshot
            if seen is not None:
                strategy.events.publish(guard_changed(change, seen.now))

        leader = settings.market.leader or f"BTC/{stake_currency}"
        feeds = Feeds(strategy.dp, strategy.timeframe, leader, settings.market.basket)
        book = Book(lambda: strategy.wallets, tapes.get, stake_currency)
        keeper = StopKeeper(
            tapes.get,
            rules_of,
            lambda pair: run.desk.ticket(pair),
            disaster_ratio,
            settings.risk.round_trip_cost,
            lambda move: strategy.events.publish(stop_moved(move)),
        )
        notices = Notices(strategy.dp)
        errors = ApiErrors()
        if feeds.live:
            errors.listen()
        heat = guards.PortfolioHeat if guards.is_on("PortfolioHeat") else None
        warden = Warden(guards.build(minutes(strategy.timeframe)))
        oversight = Oversight(
            warden,
            book,
            keeper,
            Lookout(tapes, strategy.dp.current_whitelist, warden),
            strategy.timeframe,
            heat.limit_pct / 100 if heat else None,
            correlation,
            announce,
            # Hyperopt sends this to its workers, and a log handler cannot be sent.
            errors.count if feeds.live else _none,
            timedelta(seconds=settings.trust.late_candle_s if feeds.live else 0),
        )
        others = EveryCandle(
            strategy.config,
            [*strategy.extra_protections, *settings.protections],
            strategy.dp.current_whitelist,
            lambda: strategy.wallets.get_starting_balance(),
            notices.lock,
        )
        if others.any:
            oversight.ask_too(others.ask)
        desk = EntryDesk(
            settings.risk,
            heat,
            oversight,
            tapes.get,
            lambda setup: (rules_of(setup), sizes.get(setup, 1.0)),
            disaster_ratio,
        )
        costs = FillCosts.of(settings.costs, strategy.dp.runmode, tapes.get, strategy.timeframe)
        # In backtests nobody switches anything off.
        kill = KillSwitch(
            Path(strategy.config["user_data_dir"]) / settings.kill.file if feeds.live else None,
            settings.kill.policy == "flatten",
            notices.say,
        )
        execution = Execution.of(strategy, desk, oversight, tapes.get)
        parts = (feeds, keeper, desk, oversight, execution, kill)
        run = cls(*parts, tapes, stop_rules, sizes, costs=costs)
        run.recorder = recorder_of(strategy, run)
        if run.recorder is not None:
            oversight.ask_too(run.recorder.on_candle)
        if feeds.live:
            run.contact = Contact(strategy, oversight, run.recorder, tapes.get)
            store = GuardStore(Trade.session.get_bind())
            oversight.remember_in(store, strategy.wallets.get_starting_balance())
        return run

    @property
    def present(self) -> datetime:
        """This moment (UTC); in backtests the border that was reached last."""
        seen = self.oversight.warden.snapshot
        return datetime.now(UTC) if self.feeds.live or seen is None else seen.now

    @staticmethod
    def log_start(name: str, guards: GuardSettings) -> None:
        """Say which guards are on, and warn of those that are off."""
        on = [guard for guard in guards.names() if guards.is_on(guard)]
        logger.info("%s: guards on: %s", name, ", ".join(on))
        if guards.off:
            logger.warning("%s: guards switched OFF: %s", name, ", ".join(guards.off))
