"""A drift in words."""

import math

from ballast.core.sequential import Answer
from ballast.research.drift.alarms import FALSE_ALARMS, OBSERVATIONS, Alarm
from ballast.research.drift.consequences import first_of_account
from ballast.research.drift.layers import Difference, DriftLayer
from ballast.research.drift.study import DriftStudy


def headline(study: DriftStudy) -> list[str]:
    """The few sentences that matter, the worst first."""
    counts = {layer: count for layer, count in study.by_layer().items() if count}
    ended = study.replay.decisions and study.replay.last < study.bot.last
    sentences = [_end_sentence(study)] if ended else []
    sentences += [_layer_sentence(layer, count, study) for layer, count in counts.items()]
    if study.following:
        sentences.append(following_sentence(study))
    sentences += [alarm_sentence(alarm) for alarm in study.alarms if _raised(alarm)]
    match = study.comparison.signal_match
    share = f"{100 * match:.4g} %" if math.isfinite(match) else "not known"
    sentences.append(
        f"Signal match {share}: {study.comparison.alike} of {study.comparison.compared} candles of "
        "pairs have the same candle, indicators and rules."
    )
    matched = study.matched
    sentences.append(
        f"{len(matched.both)} trades of both, {len(matched.missed)} missed, {len(matched.extra)} "
        f"of the bot alone; shortfall {study.shortfall.total:+.1f} bps of what was bought."
    )
    return sentences


def _end_sentence(study: DriftStudy) -> str:
    """That the candles end before the journal does."""
    ended, until = (f"{run.last:%Y-%m-%d %H:%M}" for run in (study.replay, study.bot))
    return (
        f"The replay's candles end with {ended} UTC, the journal with {until}: what lies between "
        "differs for want of candles; download them (freqtrade download-data) and compare again."
    )


def following_sentence(study: DriftStudy) -> str:
    """How many differences follow from which one."""
    first = first_of_account(study.differences)
    count = len(study.following)
    if first is None or not count:
        return ""
    _, pair, at, what, *_ = difference_row(first)
    many = f"{count} more follow" if count > 1 else "One more follows"
    return (
        f"{many} from the first difference of the accounts ({what}, {pair} {at}): once they "
        "differ, sizes, guards and entries do."
    )


def alarm_sentence(alarm: Alarm) -> str:
    """What the tests say of one series."""
    if not alarm.judged:
        return f"{alarm.name.capitalize()}: {alarm.observed} seen, too few to judge by."
    means = (
        f"mean {alarm.mean:+.2f} {alarm.unit} of {alarm.observed}, {alarm.expected:+.2f} expected"
    )
    raised = (
        f"CUSUM alarms at number {alarm.at + 1}"
        if alarm.at is not None
        else f"no CUSUM alarm ({alarm.highest:.1f} of {alarm.threshold:.1f})"
    )
    chance = f"{100 * FALSE_ALARMS:g} % in {OBSERVATIONS}"
    return (
        f"{alarm.name.capitalize()}: {means}; {raised} (false alarms: {chance}); sequential test: "
        f"{alarm.sequential}."
    )


def difference_row(difference: Difference) -> list[str]:
    """One line of the table."""
    at = f"{difference.at:%Y-%m-%d %H:%M}" if difference.at else "all"
    return [
        difference.layer.value,
        difference.pair or "all",
        at,
        difference.what,
        difference.bot,
        difference.replay,
    ]


def where(study: DriftStudy) -> str:
    """How many there are."""
    count = len(study.differences)
    return f"{count} in all, in order of time." if count else "There are none."


def _layer_sentence(layer: DriftLayer, count: int, study: DriftStudy) -> str:
    first = next(each for each in study.differences if each.layer is layer)
    _, pair, at, what, bot, replay = difference_row(first)
    place = "" if at == "all" else f", {pair} {at}"
    return (
        f"{layer.value.capitalize()}: {count} difference{'s' if count > 1 else ''}; the first: "
        f"{what}{place}: {bot} (bot), {replay} (replay)."
    )


def _raised(alarm: Alarm) -> bool:
    return alarm.at is not None or alarm.sequential is Answer.SHIFTED
