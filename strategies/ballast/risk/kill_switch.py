"""The kill file: whoever can write to the bot's folder can switch it off, API and Telegram or not.

Looked at in every loop. While the file is there nothing is entered, and by policy what is held is
sold. Where it cannot be told whether it is there, nothing is entered either, and nothing is sold:
a fault of the disk is no order.
"""

import os
from collections.abc import Callable
from pathlib import Path

from ballast.core.reasons import Reason
from ballast.core.verdict import ALLOW, Verdict
from ballast.risk.warning import warn


class KillSwitch:
    """
    Watches a file.

    Parameters
    ----------
    path : Path or None
        None in backtests, where nobody switches anything off.
    flatten : bool
        Whether positions are sold while the file is there.
    tell : callable
        Told in a sentence when it appears, goes, or cannot be looked for.
    """

    def __init__(self, path: Path | None, flatten: bool, tell: Callable[[str], None]) -> None:
        self._path = path
        self._flatten = flatten
        self._tell = tell
        self._told = Reason.OK

    def verdict(self) -> Verdict:
        """Whether anything may be entered now."""
        code = self._code()
        if code != self._told:
            self._told = code
            self._announce(code)
        return ALLOW if code == Reason.OK else Verdict(code, 1.0, 0.0, 0.0)

    @property
    def flattens(self) -> str | None:
        """Why open positions are to be sold, or None."""
        is_there = self.verdict().code == Reason.KILL_FILE
        return Reason.KILL_FILE if is_there and self._flatten else None

    def _code(self) -> Reason:
        if self._path is None:
            return Reason.OK
        try:
            # A folder that is not there hides a file that may be.
            os.stat(self._path.parent)
            try:
                # A link to nowhere is there, too.
                os.lstat(self._path)
            except FileNotFoundError:
                return Reason.OK
        except OSError:
            return Reason.KILL_FILE_UNREADABLE
        return Reason.KILL_FILE

    def _announce(self, code: Reason) -> None:
        held = "sold" if self._flatten else "kept"
        found = {
            Reason.OK: "is gone: entries are allowed again",
            Reason.KILL_FILE_UNREADABLE: "cannot be looked for: no entries",
            Reason.KILL_FILE: f"is there: no entries, positions are {held}",
        }[code]
        warn(f"the kill file {self._path} {found}", self._tell)
