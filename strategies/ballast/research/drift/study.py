"""Everything that a drift says, worked out from the two records."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ballast.core.sequential import Answer
from ballast.core.windows import minutes
from ballast.research.drift.alarms import Alarm, result_alarm, slippage_alarm
from ballast.research.drift.consequences import separated
from ballast.research.drift.fills import Matched, Shortfall, fill_differences, match
from ballast.research.drift.layers import Comparison, Difference, DriftLayer, compare
from ballast.research.drift.record import Record, Traded


@dataclass(frozen=True)
class DriftStudy:
    """
    What a bot did against its replay.

    Parameters
    ----------
    differences : tuple of Difference
        Of settings, decisions, fills and trades, in order of time.
    following : tuple of Difference
        What follows from the first difference of the accounts, which is among `differences`.
    alarms : tuple of Alarm
        Of slippage and of results.
    """

    bot: Record
    replay: Record
    comparison: Comparison
    matched: Matched
    shortfall: Shortfall
    differences: tuple[Difference, ...]
    alarms: tuple[Alarm, ...]
    following: tuple[Difference, ...] = ()

    @property
    def drifted(self) -> bool:
        """Whether anything differs, or is worse than chance explains."""
        return bool(self.differences) or any(
            alarm.at is not None or alarm.sequential is Answer.SHIFTED for alarm in self.alarms
        )

    def by_layer(self) -> dict[DriftLayer, int]:
        """How many differences each layer has."""
        return {layer: sum(d.layer is layer for d in self.differences) for layer in DriftLayer}


def study(bot: Record, replay: Record, late: timedelta) -> DriftStudy:
    """
    Compare.

    Parameters
    ----------
    late : timedelta
        How long after the candle an order may be placed.
    """
    candle = timedelta(minutes=minutes(bot.timeframe))
    comparison = compare(bot, replay)
    first = min(moment for _, moment in bot.decisions)
    trades = [trade for trade in bot.trades if trade.enter.at >= first]
    matched = match(trades, replay.trades, candle)
    found = [
        *comparison.differences,
        *fill_differences(matched, late),
        *_unmatched(matched, comparison, candle),
    ]
    fills = matched.fills()
    closed = [(bot, replay) for bot, replay in matched.both if bot.leave and replay.leave]
    own, following = separated(sorted(found, key=_moment))
    return DriftStudy(
        bot,
        replay,
        comparison,
        matched,
        matched.shortfall(),
        own,
        (
            slippage_alarm([f.slippage for f in fills], [f.modelled for f in fills]),
            result_alarm([_result(one) for one, _ in closed], [_result(two) for _, two in closed]),
        ),
        following,
    )


def _unmatched(matched: Matched, comparison: Comparison, candle: timedelta) -> list[Difference]:
    """Trades of one side only, by the first layer that differs at the candle they follow from."""
    return [
        _one_sided(trade, side, comparison, candle)
        for side, trades in (("replay", matched.missed), ("bot", matched.extra))
        for trade in trades
    ]


def _one_sided(trade: Traded, side: str, comparison: Comparison, candle: timedelta) -> Difference:
    earliest = trade.enter.at - 2 * candle
    # Settings explain what nothing at the candle itself does.
    cause = min(
        (
            each
            for each in comparison.differences
            if each.at is None
            or (each.pair == trade.pair and earliest <= each.at <= trade.enter.at)
        ),
        key=lambda each: (each.at is None, list(DriftLayer).index(each.layer)),
        default=None,
    )
    why = f"traded ({cause.what})" if cause else "traded"
    layer = cause.layer if cause else DriftLayer.FILLS
    have = ("traded", "not traded") if side == "bot" else ("not traded", "traded")
    return Difference(layer, trade.pair, trade.enter.at, why, *have)


def _moment(difference: Difference) -> datetime:
    return difference.at or datetime.min.replace(tzinfo=UTC)


def _result(trade: Traded) -> float:
    return 100 * trade.profit / trade.value
