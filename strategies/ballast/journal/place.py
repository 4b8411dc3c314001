"""Where journals lie, told without opening one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from freqtrade.enums import RunMode


def journal_path(
    config: Mapping[str, Any],
    set_path: str | None,
    identity: str | None,
    *,
    backtest: bool | None = None,
) -> Path:
    """
    Where the journal of a configuration lies.

    In the user data folder: ballast_journal.IDENTITY.sqlite (live), ballast_journal.dryrun.
    IDENTITY.sqlite or ballast_journal.backtest.sqlite; or, for bots, the path that is set.

    Parameters
    ----------
    set_path : str or None
        The setting `journal.path`.
    identity : str or None
        Of the bot's database; None for where journals were before databases had one.
    backtest : bool or None
        None for whatever the configuration runs.
    """
    if backtest is None:
        backtest = config.get("runmode") == RunMode.BACKTEST
    if set_path is not None and not backtest:
        return Path(set_path)
    kind = ".backtest" if backtest else ".dryrun" if config.get("dry_run", True) else ""
    whose = f".{identity}" if identity and not backtest else ""
    folder = Path(config.get("user_data_dir") or "user_data")
    return folder / f"ballast_journal{kind}{whose}.sqlite"
