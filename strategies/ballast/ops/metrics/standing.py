"""Samples of the account as the journal has it: what `status`, Telegram, panel and charts show."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import fmean

from ballast.core.account import Account
from ballast.core.reasons import Reason
from ballast.journal.reader import Reader
from ballast.ops.metrics.families import Sample


def samples(
    path: Path, strategy: str, leader: str = "", basket: Sequence[str] | None = None
) -> Iterator[Sample]:
    """
    The account at the newest candle, and what holding had come to by then; nothing where the
    journal does not tell.

    Parameters
    ----------
    path : Path
        Of the journal.
    strategy : str
        That of the bot.
    leader : str
        Pair that the market is judged by.
    basket : sequence of str or None
        Pairs that are held in equal parts; None for all that are traded.

    Raises
    ------
    sqlite3.Error
        If the journal cannot be read.
    """
    if not path.is_file():
        return
    with closing(Reader(path, strategy)) as reader:
        account, rows = reader.account(), reader.newest()
        first = reader.first_account()
        before = reader.closes(first.candle) if first is not None else {}
    if account is not None:
        yield from _of_account(account, rows[0].guards if rows else ())
    if first is not None:
        now = {row.decision.pair: row.decision.close for row in rows}
        yield from _of_holding(first.equity, before, now, leader, basket)


def _of_holding(
    equity: float,
    before: Mapping[str, float],
    now: Mapping[str, float],
    leader: str,
    basket: Sequence[str] | None,
) -> Iterator[Sample]:
    """
    What an equity has come to that was held since.

    Nothing where the close of any pair that was bought is no longer known: without those that were
    delisted on the way holding looks better than it was.
    """
    bought = {
        "leader": [pair for pair in before if pair == leader],
        "basket": [pair for pair in before if basket is None or pair in basket],
    }
    for of, pairs in bought.items():
        grown = [now.get(pair, math.nan) / before[pair] for pair in pairs if before[pair] > 0]
        if grown and math.isfinite(fmean(grown)):
            yield "holding_equity", {"of": of}, equity * fmean(grown)


def _of_account(account: Account, guards_on: Sequence[str]) -> Iterator[Sample]:
    yield "equity", {}, account.equity
    yield "size_multiplier", {}, account.multiplier
    fallen, heat = account.drawdown, account.heat
    exposure = account.gauges.get(Reason.EXPOSURE_CAP)
    if fallen is not None:
        yield "drawdown_ratio", {}, fallen.value / 100
    if heat is not None:
        yield "heat_ratio", {}, heat.value / 100
        if math.isfinite(heat.limit):
            yield "heat_limit_ratio", {}, heat.limit / 100
    if exposure is not None:
        yield "exposure_ratio", {}, exposure.value / 100
    for name in dict.fromkeys([*guards_on, *account.guards]):
        standing = account.guards.get(name)
        multiplier = standing.multiplier if standing is not None else 1.0
        yield "guard_multiplier", {"guard": name}, multiplier
    for held in account.positions:
        pair = {"pair": held.pair}
        yield "position_stop_ratio", pair, 1 - held.stop / held.close
        yield "position_risk_ratio", pair, held.risk / account.equity
        yield "position_r", pair, held.r
