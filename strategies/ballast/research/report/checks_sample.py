"""Checks of what the sample holds: how much, how long, and which weather."""

from ballast.research.report.drawdowns import Fall, falls
from ballast.research.report.findings import Finding, Severity, above, below
from ballast.research.report.regimes import LEAST_TRADES, TRENDS
from ballast.research.report.results import AS_RUN
from ballast.research.report.study import Study
from ballast.research.report.wording import counted, day, days, number, percent, share

BEAR_DEPTH, BEAR_DAYS = 0.5, 180
_TREND_DAYS = 60
_NAMES = {"up": "rising", "range": "sideways", "down": "falling"}


def trade_count(study: Study) -> Finding | None:
    """Are there enough trades to say anything?"""
    count = len(study.trades)
    if count == 0:
        text = "No trade was made: nothing can be said about this strategy."
    elif count == 1:
        text = "One trade was made: it is an anecdote, and every figure below is that trade's."
    else:
        text = f"{count:,} trades were made."
        if count < 100:
            text = f"Only {count} trades were made: any figure below may be luck."
    return Finding("trade_count", below(count, 100, 30), text, count, 100)


def period(study: Study) -> Finding | None:
    """Is it long enough to have seen anything?"""
    # As skill is told of: days that it touches.
    length = len(study.daily)
    text = f"The test covers {days(length)}."
    if study.years < 2:
        text = f"The test covers only {days(length)}: markets change more slowly than that."
    return Finding("period", below(study.years, 2.0, 0.5), text, study.years, 2.0)


def bear_market(study: Study) -> Finding | None:
    """Was there a long fall to survive?"""
    if study.holding is None:
        return None
    found = falls(study.holding.pairs)
    bears = [f for f in found if f.depth >= BEAR_DEPTH and f.days_down >= BEAR_DAYS]
    if bears:
        text = f"A bear market is in the sample: {_told(bears[0])}."
        return Finding("bear_market", Severity.FINE, text, bears[0].depth, BEAR_DEPTH)
    depth = found[0].depth if found else 0.0
    text = "No bear market in the sample (half of the value lost over half a year)"
    if found and depth >= BEAR_DEPTH:
        text = (
            f"The pairs fell deep, but sooner than in a bear market ({_told(found[0])}; half of "
            "the value lost over half a year is one)"
        )
    elif found:
        text += f"; the deepest fall was {_told(found[0])}"
    text += ". What this does in one is not known."
    return Finding("bear_market", Severity.WARNING, text, depth, BEAR_DEPTH)


def tailwind(study: Study) -> Finding | None:
    """Was it easy to make money by buying?"""
    if study.holding is None or study.years < 0.25:
        return None
    times = float(study.holding.pairs.iloc[-1])
    yearly = times ** (1 / study.years) - 1
    if yearly < 0.5:
        return None
    text = (
        f"The pairs rose to {number(times, 1)} times their value meanwhile, {percent(yearly)} a "
        "year: anything that buys looks good in such years."
    )
    return Finding("tailwind", above(yearly, 0.5, 10.0), text, yearly, 0.5)


def missing_trend(study: Study) -> Finding | None:
    """Was every direction of the market there?"""
    if not study.regimes:
        return None
    by_trend = {t: sum(c.days for c in study.regimes if c.trend == t) for t in TRENDS}
    trend, count = min(by_trend.items(), key=lambda item: item[1])
    listed = ", ".join(f"{n} {_NAMES[t]}" for t, n in by_trend.items())
    text = f"Days by direction of the market: {listed}."
    if count < _TREND_DAYS:
        text = f"Only {counted(count, 'day')} of a {_NAMES[trend]} market in the sample."
    return Finding("missing_trend", below(count, _TREND_DAYS, 0), text, count, _TREND_DAYS)


def thin_regimes(study: Study) -> Finding | None:
    """In how many regimes is there too little to say anything?"""
    if not study.regimes:
        return None
    thin = sum(not cell.enough_trades for cell in study.regimes)
    if not thin:
        return None
    text = (
        f"{thin} of {len(study.regimes)} regimes have fewer than {LEAST_TRADES} trades: what is "
        "said of those is greyed, and is no evidence."
    )
    return Finding("thin_regimes", Severity.NOTE, text, thin, 1)


def losing_regime(study: Study) -> Finding | None:
    """Is there a regime in which it surely loses?"""
    losing = [cell for cell in study.regimes if cell.enough_days and cell.daily_high < 0]
    if not losing:
        return None
    cell = min(losing, key=lambda c: c.daily * c.days)
    text = (
        f"In a {_NAMES[cell.trend]} market of {cell.volatility} volatility it loses: "
        f"{percent(cell.daily, 3)} a day on {cell.days} days (90 % interval "
        f"{percent(cell.daily_low, 3)} to {percent(cell.daily_high, 3)})."
    )
    return Finding("losing_regime", Severity.WARNING, text, cell.daily, 0.0)


def perfect_stops(study: Study) -> Finding | None:
    """How much rests on stops that fill where they stand?"""
    if study.base.costs not in ("none", AS_RUN) or not len(study.trades):
        return None
    value = float(study.trades["exit_reason"].str.contains("stop").mean())
    if value < 0.1:
        return None
    text = (
        f"{share(value)} of the exits are stops, which Freqtrade fills exactly at their level "
        "unless costs are charged; real ones slip."
    )
    return Finding("perfect_stops", Severity.NOTE, text, value, 0.1)


def _told(fall: Fall) -> str:
    return f"{share(fall.depth)} down in {days(fall.days_down)}, to {day(fall.low)}"
