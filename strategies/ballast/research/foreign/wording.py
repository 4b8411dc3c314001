"""A comparison in words, the same in the terminal and on the page."""

from collections.abc import Iterator
from dataclasses import dataclass

from ballast.core.guards.drawdown_limit import DrawdownLimit
from ballast.research.foreign.comparison import Side, StrategyComparison
from ballast.research.report.crises import Crisis, is_known
from ballast.research.report.wording import counted, day, percent, share

# Of reasons and caps, in a sentence.
_MOST_NAMED = 4
# Change of the pairs in a window that was a crash for them.
_A_FALL = -0.1
# Less of all sizes is not worth a word.
_LEAST_SHARE = 0.005
_LEAST_PRICE = 0.0005


@dataclass(frozen=True)
class Figure:
    """
    One figure of both sides.

    Parameters
    ----------
    better : float
        Positive where the layer's side is better, negative where it is worse, 0 where neither.
    """

    name: str
    alone: str
    under: str
    better: float = 0.0


def figures(found: StrategyComparison) -> list[Figure]:
    """Side by side, what everybody asks for first."""
    alone, under = found.alone, found.under
    latched = [Figure("no entries from", "-", day(under.latched))] if under.latched else []
    return [
        Figure(
            "return",
            percent(alone.total_return),
            percent(under.total_return),
            under.total_return - alone.total_return,
        ),
        Figure(
            "largest drawdown",
            share(alone.max_drawdown, 1),
            share(under.max_drawdown, 1),
            alone.max_drawdown - under.max_drawdown,
        ),
        Figure(
            "of it, below the stops",
            share(alone.gaps_in_drawdown, 1),
            share(under.gaps_in_drawdown, 1),
        ),
        *latched,
        Figure(
            "worst day",
            _worst_day(alone),
            _worst_day(under),
            under.worst_day[0] - alone.worst_day[0],
        ),
        *crash_windows(found),
        Figure("in the market", share(alone.exposure), share(under.exposure)),
        Figure("mean position", share(alone.mean_position, 1), share(under.mean_position, 1)),
        Figure("trades", f"{len(alone.run.trades):,}", f"{len(under.run.trades):,}"),
    ]


def crash_windows(found: StrategyComparison) -> Iterator[Figure]:
    """Drawdowns within known crashes; where these pairs had none, in their worst weeks."""
    both = list(zip(found.alone.crises, found.under.crises, strict=True))
    known = [pair for pair in both if is_known(pair[0].name)]
    fallen = [pair for pair in known if pair[0].market < _A_FALL]
    for alone, under in fallen or [pair for pair in both if pair not in known]:
        better = alone.drawdown - under.drawdown
        name = f"drawdown in: {alone.name}"
        yield Figure(name, _window(alone), _window(under), better)


def differences(found: StrategyComparison) -> Iterator[str]:
    """What ended the run, which cap bound, which guard made the difference, what was refused."""
    if found.under.latched:
        yield (
            f"{DrawdownLimit.__name__} ended all entries on {day(found.under.latched)}, and nobody "
            "re-arms in a backtest: the figures under the layer are those of an account at rest."
        )
    named = [(code, part) for code, part in found.bound if part >= _LEAST_SHARE]
    bound = ", ".join(f"{code} {share(part)}" for code, part in named[:_MOST_NAMED])
    if bound:
        yield f"{sizes(found)}; they were bound by {bound}."
    refused = ", ".join(f"{code} {count:,}" for code, count in found.refused[:_MOST_NAMED])
    if refused:
        count = counted(sum(found.entries.refused.values()), "entry was", "entries were")
        yield f"{count} refused: {refused}."
    for guard in found.guards:
        if not guard.taken:
            continue
        began = counted(guard.taken, "trade")
        yield (
            f"{guard.name} locked a pair in {share(guard.share, 1)} of the time: {began} of the "
            f"strategy alone began there, and came to {percent(guard.came_to)} of its account."
        )
    for price in found.prices:
        if max(abs(price.total_return), abs(price.drawdown)) >= _LEAST_PRICE:
            gained, fell = percent(price.total_return), percent(price.drawdown)
            yield f"{price.guard}: {gained} return, {fell} drawdown, against a run without it."


def sizes(found: StrategyComparison) -> str:
    """How many entries got a size, and how many of them a smaller one."""
    got = f"{counted(found.sized, 'entry', 'entries')} got a size under the layer"
    scaled = ", ".join(f"{code} {count:,}" for code, count in found.scaled)
    return f"{got}, some a smaller one because of guards: {scaled}" if scaled else got


def _worst_day(side: Side) -> str:
    change, date = side.worst_day
    return f"{percent(change)}, {day(date)}" if change < 0 else percent(change)


def _window(crisis: Crisis) -> str:
    return share(crisis.drawdown, 1)
