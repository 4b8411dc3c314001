"""From candles to signals: trust, state, rules and their conjunction, as columns of the frame.

The columns are what charts show and what callbacks look up; each is made of completed candles only.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ballast.core import regime, rules, shocks
from ballast.core.candles import Candles
from ballast.core.columns import CandleColumns
from ballast.core.data_quality import DataQualityLimits
from ballast.core.frames import PRICES
from ballast.core.market import Market
from ballast.core.rules import Rule
from ballast.core.setups import Setup
from ballast.core.trust import DataQuality
from ballast.core.trusted import trust
from ballast.core.windows import calibrated, minutes

NO_SETUP = -1
VOLATILITY_WINDOW = "10d"
TURNOVER_WINDOW = "5d"
FALL_WINDOW = "8h"
# What callbacks look up of `state_columns`.
STATE = ("atr", "volatility", "turnover", "trust", "fall", "intensity", "cooldown")


def setup_name(tag: str | None) -> str:
    """Name of the setup that an entry tag came from."""
    return (tag or "").split(":")[0]


def state_columns(
    pair: Candles, market: Market, limits: DataQualityLimits, atr_window: str
) -> dict[str, np.ndarray]:
    """
    What is true of the pair whatever the strategy.

    Columns: trust (`DataQuality` code; of this pair and the market, the graver), atr (price,
    per hour), volatility (ratio, per day), turnover (quote currency, per hour), regime and
    market_regime (-1 down, 0 range, 1 up), intensity (1 is a volatility shock), cooldown (own
    candles), fall (ratio).
    """
    return {
        "trust": np.maximum(trust(pair, limits), trust(market, limits)),
        **pair.bare(lambda: _measures(pair, atr_window)),
        "market_regime": market.once("regime", lambda: regime.of_market(market)),
        **_shock(pair),
    }


def _measures(pair: Candles, atr_window: str) -> dict[str, np.ndarray]:
    """Those of `state_columns` that are indicators of the pair."""
    measures = {
        "atr": pair.atr(atr_window),
        "volatility": pair.daily_volatility(calibrated(VOLATILITY_WINDOW, pair.timeframe)),
        "turnover": pair.hourly_turnover(calibrated(TURNOVER_WINDOW, pair.timeframe)),
        "regime": regime.of_pair(pair),
        "fall": pair.fall(calibrated(FALL_WINDOW, pair.timeframe)),
    }
    return {name: np.asarray(values) for name, values in measures.items()}


def entry_rules(setups: Sequence[Setup]) -> dict[str, Rule]:
    """
    Entry rules of all setups and their parts by the name of their column, rule_<name>.

    Raises
    ------
    ValueError
        When two setups mean different things by one name.
    """
    named: dict[str, Rule] = {}
    for setup in setups:
        for name, rule in rules.with_parts(setup.entry).items():
            known = named.setdefault(f"rule_{name}", rule)
            if not np.array_equal(known.met, rule.met):
                raise ValueError(f"two setups have a rule {name!r}, and they differ: rename one")
    return named


def signal_columns(trust: np.ndarray, setups: Sequence[Setup]) -> dict[str, np.ndarray]:
    """
    One column for each rule, the entry signal and its tag.

    Columns: rule_<name> (bool) for each entry rule, setup (position in `setups`, -1 for none),
    enter_long (0 or 1), exit_long (0) and enter_tag. Earlier setups have precedence. An untrusted
    candle gives no signal.
    """
    chosen = np.full(len(trust), NO_SETUP, dtype=np.int8)
    for position, setup in reversed(list(enumerate(setups))):
        chosen[rules.conjunction(setup.entry, len(trust))] = position
    chosen[trust != DataQuality.OK] = NO_SETUP
    tags = np.array([*(setup.tag for setup in setups), None], dtype=object)
    columns = {column: rule.met for column, rule in entry_rules(setups).items()}
    columns["setup"] = chosen
    columns["enter_long"] = (chosen != NO_SETUP).astype(np.int8)
    # Exits are taken by the layer. Where this is missing, Freqtrade renames columns in vain.
    columns["exit_long"] = np.zeros(len(chosen), dtype=np.int8)
    columns["enter_tag"] = tags[chosen]
    return columns


def first_stops(
    close: np.ndarray,
    atr: np.ndarray,
    chosen: np.ndarray,
    setups: Sequence[Setup],
    disaster_ratio: float,
) -> np.ndarray:
    """
    Where an entry at each candle would have its first stop, for charts (see `stops.initial_stop`).

    With the rules of the setup that signals (`chosen`, as the column setup); of the first one where
    none does. Quote currency, NaN where the ATR is not known.
    """
    # The last one is what NO_SETUP points at.
    distances = np.array([setup.stops.initial_atr for setup in (*setups, setups[0])])
    wanted = close - distances[chosen] * atr
    return np.where(atr > 0, np.maximum(wanted, close * (1 - disaster_ratio)), np.nan)


def columns_of(
    candles: Candles, state: Mapping[str, np.ndarray], setups: Sequence[Setup]
) -> CandleColumns:
    """
    Columns that callbacks look up: prices, those of `state_columns`, and for each setup
    exit:<name>, the number of the exit rule that is met (from 1) or 0, and sale:<name>:<sale>, for
    each sale that waits for a rule whether that is met.

    Parameters
    ----------
    candles : Candles
        The pair, on its own candles.
    """
    columns = {name: candles.base.values(name) for name in PRICES[1:5]}
    columns |= {name: state[name] for name in STATE}
    labels = {f"exit:{setup.name}": tuple(setup.exit_rules) for setup in setups}
    for setup in setups:
        met = np.zeros(len(candles), dtype=np.int8)
        for number, rule in reversed(list(enumerate(setup.exit_rules.values(), start=1))):
            met[rule.met] = number
        columns[f"exit:{setup.name}"] = met
        for name, rule in setup.rules_of_sales.items():
            columns[f"sale:{setup.name}:{name}"] = rule.met
    return CandleColumns(candles.base.opened, candles.timeframe, columns, labels)


def market_columns(market: Market, limits: DataQualityLimits) -> CandleColumns:
    """What guards look up of the market leader: close, trust, fall, intensity, cooldown."""
    columns = {
        "close": market.close.to_numpy(),
        "trust": trust(market, limits),
        "fall": market.fall(calibrated(FALL_WINDOW, market.timeframe)).to_numpy(),
        **_shock(market),
    }
    return CandleColumns(market.base.opened, market.timeframe, columns)


def _shock(candles: Candles) -> dict[str, np.ndarray]:
    """Intensity and cooldown of every candle."""
    rules = shocks.DEFAULT
    level = shocks.intensity(candles, rules)
    candle = minutes(candles.timeframe)
    pause, longest = (
        max(1, round(minutes(w) / candle)) for w in (rules.pause, rules.longest_pause)
    )
    return {"intensity": level, "cooldown": shocks.cooldown(level, pause, longest, rules)}
