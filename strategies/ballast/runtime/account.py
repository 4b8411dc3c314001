"""Connects what shows the account to a run."""

import math
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial

from ballast.charts.account_lanes import MOST, AccountLanes
from ballast.core.account import Account
from ballast.core.windows import minutes
from ballast.journal.ownership import Place
from ballast.journal.reader import Reader
from ballast.risk.account_meter import AccountMeter
from ballast.risk.engine import RiskEngine
from ballast.risk.fees import Fees
from ballast.risk.kill_switch import KillSwitch
from ballast.risk.portfolio import Portfolio
from ballast.risk.stop_manager import StopManager
from ballast.runtime.host import Host


def lanes_of(host: Host, place: Place | None, live: bool) -> AccountLanes | None:
    """
    What charts show of the account; None where no bot runs.

    Parameters
    ----------
    place : Place or None
        Of the journal, which tells what was before this start.
    live : bool
        Whether a bot trades, paper trading included.
    """
    if not live:
        return None
    return AccountLanes(partial(_written, place, host.get_strategy_name()), host.timeframe)


def meter_of(
    host: Host,
    engine: RiskEngine,
    portfolio: Portfolio,
    stop_manager: StopManager,
    fees: Fees,
    kill: KillSwitch,
    lanes: AccountLanes | None,
) -> Callable[[datetime], Account]:
    """What measures the account at a candle's end, and shows it to the charts."""
    guards = host.settings.guards
    heat = guards.PortfolioHeat.limit_pct if guards.is_on("PortfolioHeat") else math.nan
    meter = AccountMeter(
        engine,
        portfolio,
        stop_manager,
        fees.stop_costs,
        heat,
        host.settings.risk.exposure_cap_pct,
        kill.verdict,
        timedelta(minutes=minutes(host.timeframe)),
    )
    return partial(_measured, meter, lanes)


def _written(place: Place | None, strategy: str) -> list[Account]:
    if place is None or not place.path.is_file():
        return []
    with closing(Reader(place.path, strategy)) as reader:
        return reader.accounts(None, MOST)


def _measured(meter: AccountMeter, lanes: AccountLanes | None, end: datetime) -> Account:
    account = meter.at(end)
    if lanes is not None:
        lanes.add(account)
    return account
