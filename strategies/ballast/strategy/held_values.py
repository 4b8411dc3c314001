"""What Freqtrade keeps stops by while a bot runs: put back where a strategy has changed it."""

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any

from freqtrade.persistence import LocalTrade

from ballast.strategy.overrides import OverrideRefused

# Order types by which a bot only enters: a strategy may choose them anew.
_FREE = ("entry", "force_entry")
# Of the configuration: whether stops are raised, and whether orders are real.
_CONFIGURED = ("use_custom_stoploss", "dry_run")


class HeldValues:
    """
    What a strategy and its configuration say of stops, and of how much is open, as they were let
    start: Freqtrade reads it in every loop.

    Without `stoploss_on_exchange`, or `use_custom_stoploss` in the configuration, a stop that rests
    is neither raised nor placed again.

    Parameters
    ----------
    strategy : IStrategy
        As it was let start.
    """

    def __init__(self, strategy: Any) -> None:
        self._strategy = strategy
        self._order_types = copy(strategy.order_types)
        self._configured = {name: strategy.config.get(name) for name in _CONFIGURED}
        self._most_open = strategy.config["max_open_trades"]
        # By trade, the highest stop that it was given: price (quote currency) and ratio.
        self._stops: dict[int, tuple[float, float | None]] = {}

    def put_back(self) -> None:
        """
        Put back what is otherwise now.

        Raises
        ------
        OverrideRefused
            Naming it; it holds again.
        """
        self._refuse(sorted(self._changed()), "state it in the configuration or the class")

    def note_stop(self, trade: LocalTrade) -> None:
        """Remember the stop that the layer and the strategy's own have given a trade."""
        stop = trade.stop_loss or 0.0
        if stop > self._stops.get(trade.id, (0.0, None))[0]:
            self._stops[trade.id] = stop, trade.stop_loss_pct

    def put_back_stops(self, trades: Sequence[LocalTrade]) -> None:
        """
        Raise stops that were lowered on the trade itself, past every look at stops.

        Parameters
        ----------
        trades : sequence of LocalTrade
            All that are open.

        Raises
        ------
        OverrideRefused
            Naming them; they hold again.
        """
        kept = {trade.id: self._stops[trade.id] for trade in trades if trade.id in self._stops}
        self._stops = kept
        lowered = [t for t in trades if t.id in kept and (t.stop_loss or 0.0) < kept[t.id][0]]
        for trade in lowered:
            trade.stop_loss, trade.stop_loss_pct = kept[trade.id]
        self._refuse([f"stop_loss of {t.pair}" for t in lowered], "callbacks return what they want")

    def _refuse(self, changed: list[str], instead: str) -> None:
        if changed:
            raise OverrideRefused(
                f"{', '.join(changed)} was changed while {type(self._strategy).__name__} runs, "
                f"where the risk controls live: put back; {instead}"
            )

    def _changed(self) -> Iterator[str]:
        strategy, config = self._strategy, self._strategy.config
        if strategy.order_types != self._order_types:
            now, held = strategy.order_types, self._order_types
            now = now if isinstance(now, dict) else {}
            strategy.order_types = {**held, **{name: now[name] for name in _FREE if name in now}}
            names = {*now, *held} - {*_FREE}
            yield from (f"order_types.{name}" for name in names if now.get(name) != held.get(name))
        if not strategy.use_custom_stoploss:
            strategy.use_custom_stoploss = True
            yield "use_custom_stoploss"
        for name, value in self._configured.items():
            if config.get(name) != value:
                config[name] = value
                yield f"config.{name}"
        # A person may lower it.
        if not config["max_open_trades"] <= self._most_open:
            config["max_open_trades"] = self._most_open
            yield "config.max_open_trades"
