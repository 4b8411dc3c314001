"""A decision worked out from stored candles, for where no journal was kept.

The strategy analyses the candles as it did; the guards see them one after the other, from ten days
before, with an account in which nothing happens. What depends on the account (its losses, what it
holds, its size) is not in the candles and is not told.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from freqtrade.configuration import Configuration
from freqtrade.data.dataprovider import DataProvider
from freqtrade.data.history import get_datahandler
from freqtrade.enums import RunMode
from freqtrade.exceptions import FreqtradeException
from freqtrade.resolvers import StrategyResolver

from ballast.core.guard_set import GuardSet
from ballast.core.rulebook import Rulebook, decide
from ballast.core.snapshot import Snapshot
from ballast.core.times import candle_border
from ballast.core.windows import minutes
from ballast.core.wording import one_line
from ballast.data.market_view import MarketView
from ballast.journal.reader import Row
from ballast.research import missing_candles
from ballast.runtime.session import TradingSession
from ballast.strategy.guarded import GuardedStrategy
from ballast.tooling.errors import CommandError
from ballast.tooling.quiet import quiet

# Longer than any guard remembers what it has seen in candles alone.
_LOOK_BACK = timedelta(days=10)


class Stored(DataProvider):
    """Freqtrade's data provider over stored candles, for the pairs that are listed."""

    def current_whitelist(self) -> list[str]:
        """The listed pairs."""
        return list(self._config["exchange"]["pair_whitelist"])


def load_config(options: dict[str, Any]) -> dict[str, Any]:
    """
    Freqtrade's whole configuration, as its own commands have it.

    Raises
    ------
    CommandError
        If it cannot be loaded.
    """
    try:
        with quiet():
            return Configuration(options, RunMode.OTHER).get_config()
    except (FreqtradeException, ValueError, OSError, KeyError) as error:
        raise CommandError(f"the configuration cannot be loaded: {one_line(error)}") from None


def of_stored_pairs(config: Mapping[str, Any], *, every: bool) -> tuple[dict[str, Any], list[str]]:
    """
    The configuration with the listed pairs that candles are stored of, and the others.

    Of these nothing can be worked out, and they would count as an outage.

    Parameters
    ----------
    every : bool
        Trade all pairs that are stored instead of those listed, and judge the market by them.
    """
    handler = get_datahandler(config["datadir"], config["dataformat_ohlcv"])
    kind = config["candle_type_def"]
    found = handler.ohlcv_get_available_data(config["datadir"], config["trading_mode"])
    stored = sorted({pair for pair, _, of in found if of == kind})
    listed = stored if every else list(config["exchange"].get("pair_whitelist", []))
    kept = [pair for pair in listed if pair in stored]
    changed = {**config, "exchange": {**config["exchange"], "pair_whitelist": kept}}
    if every:
        section = config.get("ballast") or {}
        market = {**(section.get("market") or {}), "basket": kept}
        changed["ballast"] = {**section, "market": market}
    return changed, [pair for pair in listed if pair not in stored]


def recomputed(config: dict[str, Any], pair: str, moment: datetime | None) -> Row:
    """
    The decision by the candle that had ended at a moment (UTC), or by the last one stored.

    Raises
    ------
    CommandError
        If there are no candles of that time, or no strategy that can be asked.
    """
    try:
        with quiet():
            return _recomputed(config, pair, moment)
    except FreqtradeException as error:
        raise CommandError(f"{pair}: {one_line(error)}") from None


def _recomputed(config: dict[str, Any], pair: str, moment: datetime | None) -> Row:
    listed = list(config["exchange"].get("pair_whitelist", []))
    exchange = {**config["exchange"], "pair_whitelist": list(dict.fromkeys([*listed, pair]))}
    strategy = _loaded({**config, "exchange": exchange, "runmode": RunMode.OTHER})
    candle = timedelta(minutes=minutes(strategy.timeframe))
    end = candle_border(moment or _newest(strategy, pair, candle), candle)
    session, books = _analysed(strategy, end)
    columns = session.columns_by_pair.get(pair)
    if columns is None:
        raise _no_candles(strategy, pair)
    guard_set = _guards_at(session, strategy, end, candle)
    verdicts = guard_set.said([pair])[pair]
    position = columns.newest_at(end)
    decision = decide(pair, end - candle, columns, position, books.get(pair), verdicts)
    # Of the others, which follow the account and its trades, candles tell nothing.
    on = [n for n, g in guard_set.guards.items() if g.follows_candles and not g.follows_equity]
    name = type(strategy).__name__
    return Row(decision, name, strategy.timeframe, strategy.settings.digest(), on)


def _loaded(config: dict[str, Any]) -> GuardedStrategy:
    strategy = StrategyResolver.load_strategy(config)
    if not isinstance(strategy, GuardedStrategy):
        raise CommandError(f"{type(strategy).__name__} is no strategy of this pack")
    return strategy


def _newest(strategy: GuardedStrategy, pair: str, candle: timedelta) -> datetime:
    """When the last stored candle of a pair ended."""
    config = strategy.config
    handler = get_datahandler(config["datadir"], config["dataformat_ohlcv"])
    kind = config["candle_type_def"]
    _, opened, count = handler.ohlcv_data_min_max(pair, strategy.timeframe, kind)
    if not count:
        raise _no_candles(strategy, pair)
    return opened + candle


def _no_candles(strategy: GuardedStrategy, pair: str) -> CommandError:
    folder, when = strategy.config["datadir"], " of that time"
    said = missing_candles.sentence(folder, pair, strategy.timeframe, when)
    return CommandError(f"there is no journal, and {said}")


def _analysed(
    strategy: GuardedStrategy, end: datetime
) -> tuple[TradingSession, dict[str, Rulebook]]:
    """Let the strategy analyse what every listed pair had stored by `end`."""
    start = end - _LOOK_BACK
    config = strategy.config
    config["timerange"] = f"{int(start.timestamp())}-{int(end.timestamp())}"
    config["startup_candle_count"] = strategy.startup_candle_count
    strategy.dp = Stored(config, None)
    strategy.ft_bot_start()
    session = strategy.session
    if session is None:
        raise CommandError(f"{type(strategy).__name__} could not be started")
    session.rulebooks = {}
    for name in strategy.dp.current_whitelist():
        frame = strategy.dp.historic_ohlcv(name, strategy.timeframe)
        if len(frame):
            frame = strategy.advise_indicators(frame, {"pair": name})
            strategy.ft_advise_signals(frame, {"pair": name})
    return session, session.rulebooks


def _guards_at(
    session: TradingSession, strategy: GuardedStrategy, end: datetime, candle: timedelta
) -> GuardSet:
    """The guards, shown every candle of the last days with an account that rests."""
    guard_set = session.engine.guard_set
    market_view = MarketView(session.columns_by_pair, strategy.dp.current_whitelist)
    now = end - _LOOK_BACK
    while now < end:
        now += candle
        trust, fall = market_view.leader(now)
        row, pairs = market_view.row(now), market_view.pairs
        seen = Snapshot(now, 1.0, row=row, pairs=pairs, leader_trust=trust, leader_fall=fall)
        guard_set.observe(seen)
    return guard_set
