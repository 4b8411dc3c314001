"""Samples of the account as the journal has it: what `status`, Telegram, panel and charts show."""

import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from ballast.core.account import Account
from ballast.core.reasons import Reason
from ballast.journal.reader import Reader
from ballast.ops.metrics.families import Sample


def samples(path: Path, strategy: str) -> Iterator[Sample]:
    """
    The account at the newest candle; nothing where the journal does not tell.

    Parameters
    ----------
    path : Path
        Of the journal.
    strategy : str
        That of the bot.

    Raises
    ------
    sqlite3.Error
        If the journal cannot be read.
    """
    if not path.is_file():
        return
    with closing(Reader(path, strategy)) as reader:
        account, rows = reader.account(), reader.newest()
    if account is not None:
        yield from _of_account(account, rows[0].guards if rows else ())


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
