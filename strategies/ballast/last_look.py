"""Why a pair was or was not entered at its newest candle, read back from its frame's columns."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ballast.core import regime
from ballast.core.trust import Trust

if TYPE_CHECKING:
    from ballast.strategy import GuardedStrategy


def last_look(strategy: "GuardedStrategy", pair: str) -> str:
    """
    The newest decision about a pair, in a few lines.

    Parameters
    ----------
    pair : str
        As Freqtrade writes it; 'BTC' stands for the pair of the whitelist that begins so.
    """
    known = strategy.dp.current_whitelist()
    pair = next((name for name in known if pair in (name, name.partition("/")[0])), pair)
    if pair not in known:
        return f"{pair} is not traded. Traded now: {', '.join(known)}"
    frame, _ = strategy.dp.get_analyzed_dataframe(pair, strategy.timeframe)
    if not len(frame) or strategy.run is None:
        return f"{pair}: no candle has been analysed yet"
    row = frame.iloc[-1]
    rules = {name.removeprefix("rule_"): row[name] for name in frame if name.startswith("rule_")}
    unmet = [name for name, met in rules.items() if not met]
    trust = Trust(int(row["trust"]))
    verdict = strategy.run.oversight.entry_verdict(pair, datetime.now(UTC))
    if trust != Trust.OK:
        decided = f"no entry: the candle is not trusted, {trust.name}"
    elif not row["enter_long"]:
        decided = f"no signal: {', '.join(unmet)} not met"
    elif verdict.blocks:
        decided = f"entry refused: {verdict}"
    else:
        decided = f"signal: {row['enter_tag']}"
    lines = [f"{pair}, candle of {row['date']:%Y-%m-%d %H:%M} UTC", decided]
    lines.append(f"regime {_name(row['regime'])}, market {_name(row['market_regime'])}")
    lines.append(f"rules met: {', '.join(n for n, met in rules.items() if met) or 'none'}")
    if verdict.multiplier < 1 and not verdict.blocks:
        lines.append(f"size {verdict.multiplier:.0%}: {verdict}")
    return "\n".join(lines)


def _name(value: float) -> str:
    return regime.NAMES.get(int(value), "unknown") if value == value else "unknown"
