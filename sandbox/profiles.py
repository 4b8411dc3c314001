"""What is particular to each generated pair: price, steps, beta, liquidity, part in the script.

Ticks, lots and turnovers are of the order Binance showed for these pairs early in 2024. ``beta``
is the exposure to the market factor; ``own_volatility`` is the pair's own movement relative to its
market part [ratio], set so that 5m correlations fall where real ones do (0.5 to 0.83).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """Constants of a pair; ``price`` and ``daily_turnover`` in quote currency."""

    pair: str
    price: float
    tick: str
    lot: str
    beta: float
    own_volatility: float
    daily_turnover: float
    spread_ratio: float
    role: str = ""


PROFILES: dict[str, Profile] = {
    profile.pair: profile
    for profile in (
        Profile("BTC/USDT", 42_000.0, "0.01", "0.00001", 1.00, 0.55, 1.6e9, 0.000001),
        Profile("ETH/USDT", 2_300.0, "0.01", "0.0001", 1.10, 0.50, 9.0e8, 0.000005),
        Profile("BNB/USDT", 310.0, "0.1", "0.001", 0.85, 0.80, 2.5e8, 0.0003),
        Profile("SOL/USDT", 100.0, "0.01", "0.001", 1.50, 0.80, 5.0e8, 0.0001),
        Profile("XRP/USDT", 0.62, "0.0001", "1", 1.00, 0.85, 2.0e8, 0.0001, "bad_tick"),
        Profile("ADA/USDT", 0.60, "0.0001", "0.1", 1.20, 0.75, 1.2e8, 0.0001),
        Profile("DOGE/USDT", 0.09, "0.00001", "1", 1.25, 0.90, 1.0e8, 0.0001, "bad_tick"),
        Profile("SUI/USDT", 1.20, "0.0001", "0.1", 1.50, 0.95, 6.0e7, 0.0003, "late"),
        Profile("XMR/USDT", 165.0, "0.1", "0.001", 0.80, 0.90, 2.0e7, 0.0008, "delisted"),
        Profile("WAN/USDT", 0.22, "0.0001", "1", 0.90, 1.40, 1.5e5, 0.012, "thin"),
    )
}
