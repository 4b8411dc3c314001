"""Settings of orders: what is checked before one is sent, how it is priced, how it is watched."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from ballast.core.backoff import Backoff
from ballast.core.section import SettingsSection


class PreTradeSettings(SettingsSection):
    """
    Limits just before an order is sent (see `ballast.core.pre_trade`).

    A signal is worth acting on for two minutes: by then price has moved by a fifth of an hour's
    usual range, and half of one (`move_atr`) is more than four standard deviations. Half of a
    spread of 20 basis points is twice the slippage that the sizer counts with.
    """

    signal_age_s: float = Field(120.0, gt=0, le=3600, description="seconds since the candle closed")
    move_atr: float = Field(0.5, gt=0, le=10, description="hourly ATR from the signal's close")
    spread_bps: float = Field(20.0, gt=0, le=1000, description="basis points of the middle price")
    depth_bps: float = Field(50.0, gt=0, le=1000, description="basis points from the best price")
    depth_times: float = Field(3.0, ge=1, le=1000, description="times the stake")
    backoff_s: float = Field(
        30.0, gt=0, le=3600, description="seconds after a failed order, doubled at each in a row"
    )
    backoff_longest_s: float = Field(3600.0, gt=0, le=86_400, description="seconds")

    watch_silent_s: float = Field(
        120.0, gt=0, le=3600, description="seconds since the order watch last looked"
    )

    def backoff(self) -> Backoff:
        """The pauses after failed orders."""
        longest = timedelta(seconds=max(self.backoff_s, self.backoff_longest_s))
        return Backoff(timedelta(seconds=self.backoff_s), longest)


class WatchSettings(SettingsSection):
    """
    What is not left as it is found (see `ballast.execution.order_watch`).

    What stands unprotected is worth a few of Freqtrade's loops (5 s each), not more. `unknown` says
    what is done about a position that orders of a bot have built and the database does not know;
    coins that nobody's order explains are the owner's, and are told about but never touched.
    """

    partial_fill_s: float = Field(
        15.0, gt=0, le=3600, description="seconds from the first fill until the rest is cancelled"
    )
    stop_stuck_s: float = Field(
        10.0, gt=0, le=3600, description="seconds that price may stand below a stop on the exchange"
    )
    stop_missing_s: float = Field(
        15.0, gt=0, le=3600, description="seconds without a stop on the exchange until it is told"
    )
    leave_bare_s: float = Field(
        60.0, gt=0, le=3600, description="seconds without a stop until the position is left"
    )
    reconcile_minutes: float = Field(
        10.0, ge=1, le=1440, description="minutes between two comparisons with the exchange"
    )
    unknown: Literal["alert", "stop", "close"] = Field(
        "alert", description="tell of an unknown position, give it a stop as well, or sell it"
    )


class PricingSettings(SettingsSection):
    """
    How long an order may wait, and how far an entry may follow the market.

    The one place where that is decided: Freqtrade's `unfilledtimeout` stands behind it where a
    configuration has one. An entry is sent at the best price of the other side, so that one which
    waits has been left behind. Freqtrade lets it follow at a new candle only, so that it does so
    where candles are shorter than `entry_timeout_s`.
    """

    entry_timeout_s: float = Field(
        120.0, gt=0, le=86_400, description="seconds until an unfilled entry is cancelled"
    )
    exit_timeout_s: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="seconds until an exit that hangs is cancelled and sent anew",
    )
    chase_atr: float = Field(
        0.5, ge=0, le=10, description="hourly ATR above the signal's close, at most"
    )
