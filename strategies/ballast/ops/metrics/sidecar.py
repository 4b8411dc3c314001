"""The collector: asked by Prometheus, it asks the bot."""

import logging
import re
import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client.metrics_core import Metric

from ballast.config.settings import Settings
from ballast.core.guards.edge_decay import EdgeDecay
from ballast.execution import api_errors
from ballast.ops.liveness import journal_file
from ballast.ops.metrics import account, families, guards, standing
from ballast.ops.metrics.families import Sample
from ballast.ops.metrics.journal import JournalCounts
from ballast.ops.metrics.new_series import NewSeries
from ballast.tooling.bot_api import BotApi, BotSilent
from ballast.tooling.errors import CommandError

logger = logging.getLogger(__name__)

# Freqtrade keeps its last thousand log lines for the API.
_LOG_LINES = 1000
_CALL = re.compile(r"(\w+)\(\) " + api_errors.FAILED)
_KIND = re.compile(r"due to (\w+)")


class Sidecar:
    """
    Metrics of one bot.

    Parameters
    ----------
    api : BotApi
    settings : Settings
    database : str
        URL of the bot's database.
    user_data : Path
        Freqtrade's folder, with the journal.
    config : mapping or None
        Freqtrade's configuration, which may name another place for the journal.
    """

    def __init__(
        self,
        api: BotApi,
        settings: Settings,
        database: str,
        user_data: Path,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self._api = api
        self._settings = settings
        self._database = database
        self._user_data = user_data
        self._config = config or {}
        self._journal = JournalCounts()
        self._counted: Path | None = None
        self._api_errors: Counter[tuple[str, str]] = Counter()
        self._new = NewSeries()
        self._log_seen = 0.0
        self._uncovered_s = 0.0
        self._asked: datetime | None = None
        # Two scrapes at once would count twice.
        self._lock = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        """All metrics as they are now; those that cannot be had are left out."""
        with self._lock:
            now = datetime.now(UTC)
            samples = [*self._of_bot(now), *self._of_disk()]
            yield from families.of_samples(samples)
            if self._journal.latencies:
                yield families.latencies(self._journal.latencies)

    def _of_bot(self, now: datetime) -> list[Sample]:
        try:
            errors = self._new.told(self._of_logs(), now)
            samples = [*account.samples(self._api, now), *errors]
        except (BotSilent, KeyError, TypeError, ValueError) as error:
            logger.warning("the bot cannot be read: %s", error)
            return [("up", {}, 0)]
        found = {name: value for name, labels, value in samples if not labels}
        samples += self._uncovered_time(found["uncovered_positions"], now)
        (shown,) = (labels for name, labels, _ in samples if name == "info")
        samples += self._remembered(shown)
        samples += self._of_journal(shown, found["candle_seconds"], now)
        return [("up", {}, 1), *samples]

    def _uncovered_time(self, positions: float, now: datetime) -> list[Sample]:
        if self._asked is not None:
            self._uncovered_s += positions * (now - self._asked).total_seconds()
        self._asked = now
        return [("uncovered_seconds", {}, self._uncovered_s)]

    def _of_logs(self) -> list[Sample]:
        newest = self._log_seen
        for _, written, name, _, message in self._api.ask("logs", _LOG_LINES)["logs"]:
            if written <= self._log_seen or name != api_errors.LOGGER:
                continue
            if call := _CALL.search(message):
                kind = _KIND.search(message)
                self._api_errors[(call[1], kind[1] if kind else "Unknown")] += 1
            newest = max(newest, written)
        self._log_seen = newest
        return [
            ("api_errors", {"call": call, "kind": kind}, count)
            for (call, kind), count in self._api_errors.items()
        ]

    def _remembered(self, shown: Mapping[str, str]) -> list[Sample]:
        # A baseline that names nobody is of the pack's: whether this is one, the bot has judged.
        foreign = f"{EdgeDecay.__name__} waits" in shown["strategy_version"]
        under = self._settings.guards.under(shown["strategy"], foreign)
        try:
            return list(guards.samples(self._database, under))
        except CommandError as error:
            logger.warning("guards cannot be read: %s", error)
            return []

    def _of_journal(self, shown: Mapping[str, str], candle_s: float, now: datetime) -> list[Sample]:
        path = journal_file(self._config, shown, self._user_data)
        if path is None:
            return []
        if path != self._counted:
            # Another database, another journal: its rows are counted from one.
            self._counted, self._journal = path, JournalCounts()
        try:
            counted = list(self._journal.read(path, now, candle_s))
            market = self._settings.market
            leader = market.leading(str(self._config.get("stake_currency") or "USDT"))
            held = standing.samples(path, shown["strategy"], leader, market.basket)
            return [*held, *counted]
        except sqlite3.Error as error:
            logger.warning("the journal cannot be read: %s", error)
            return []

    def _of_disk(self) -> list[Sample]:
        try:
            return [("disk_free_bytes", {}, shutil.disk_usage(self._user_data).free)]
        except OSError:
            return []
