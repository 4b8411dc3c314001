"""The kill file: whoever can write to the bot's folder can switch it off, API and Telegram or not.

Looked at in every loop. While the file is there nothing is entered, and by policy what is held is
sold. Where it cannot be told whether it is there, nothing is entered either, and nothing is sold:
a fault of the disk is no order.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path

from ballast.core.verdict import ALLOW, Verdict

logger = logging.getLogger(__name__)

KILL_FILE = "KILL_FILE"
UNREADABLE = "KILL_FILE_UNREADABLE"


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
        self._told = ALLOW.code

    def verdict(self) -> Verdict:
        """Whether anything may be entered now."""
        code = self._code()
        if code != self._told:
            self._told = code
            self._announce(code)
        return ALLOW if code == ALLOW.code else Verdict(code, 1.0, 0.0, 0.0)

    @property
    def flattens(self) -> str | None:
        """Why open positions are to be sold, or None."""
        return KILL_FILE if self.verdict().code == KILL_FILE and self._flatten else None

    def _code(self) -> str:
        if self._path is None:
            return ALLOW.code
        try:
            # A folder that is not there hides a file that may be.
            os.stat(self._path.parent)
            try:
                # A link to nowhere is there, too.
                os.lstat(self._path)
            except FileNotFoundError:
                return ALLOW.code
        except OSError:
            return UNREADABLE
        return KILL_FILE

    def _announce(self, code: str) -> None:
        said = {
            ALLOW.code: f"the kill file {self._path} is gone: entries are allowed again",
            UNREADABLE: f"the kill file {self._path} cannot be looked for: no entries",
            KILL_FILE: f"the kill file {self._path} is there: no entries"
            + (", positions are sold" if self._flatten else ", positions are kept"),
        }[code]
        logger.warning(said)
        try:
            self._tell(f"Ballast: {said}")
        except Exception:
            logger.exception("the operator could not be told")
