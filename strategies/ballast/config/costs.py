"""Settings of the cost model: what is charged to every fill of a backtest, with its sources.

The budget that a trade is sized with is `risk.fee_pct`, `risk.slippage_bps` and `risk.gap_pct`;
here is what fills then cost. A level above `base` may cost more than that budget: this is what it
is for.
"""

from typing import Literal

from pydantic import Field

from ballast.core.costs import LEVELS, CostModel, LiquidityClass
from ballast.core.section import SettingsSection

_BPS = 10_000


class CostSettings(SettingsSection):
    """
    Costs of fills in backtests and hyperopt; paper and live trading are never touched.

    Turnover is in quote currency a day: the bounds are dollars, and need changing for another.
    Half spreads are one-sided from published books of Binance (median of a panel of USDT pairs
    2 bps; BTC and ETH below 1 bp since 2020, far above it in 2017).
    """

    enabled: bool = Field(True, description="false for Freqtrade's own fills, without these costs")
    level: Literal["none", "base", "stressed", "worst"] = Field(
        "base", description="how hard the same costs are charged"
    )
    major_turnover_millions: float = Field(
        200.0, gt=0, le=100_000, description="a day: from here on a pair is a major one"
    )
    large_turnover_millions: float = Field(
        20.0, gt=0, le=100_000, description="a day: from here on a pair is a large one"
    )
    major_half_spread_bps: float = Field(1.0, ge=0, le=500, description="basis points, one-sided")
    large_half_spread_bps: float = Field(3.0, ge=0, le=500, description="basis points, one-sided")
    other_half_spread_bps: float = Field(10.0, ge=0, le=500, description="basis points, one-sided")
    impact_factor: float = Field(
        1.0, ge=0, le=10, description="Y in Y * daily volatility * sqrt(order / daily turnover)"
    )
    impact_cap_pct: float = Field(
        1.0, ge=0, le=10, description="impact at most, and where turnover is unknown"
    )
    shock_multiple: float = Field(
        5.0, ge=1, le=50, description="of the spread while a volatility shock is on"
    )

    def model(self) -> CostModel:
        """The model in ratios."""
        classes = (
            LiquidityClass(1e6 * self.major_turnover_millions, self.major_half_spread_bps / _BPS),
            LiquidityClass(1e6 * self.large_turnover_millions, self.large_half_spread_bps / _BPS),
            LiquidityClass(0.0, self.other_half_spread_bps / _BPS),
        )
        return CostModel(
            classes,
            self.impact_factor,
            self.impact_cap_pct / 100,
            self.shock_multiple,
            LEVELS[self.level],
        )
