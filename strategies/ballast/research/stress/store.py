"""The folder of a stress: one result zip a backtest under its key, and the index."""

import json
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

from ballast.research.backtests import BacktestExport
from ballast.research.report.results import INDEX, IndexEntry


class Store:
    """Results of backtests by key. What is there whole was finished; a broken run left no part."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def has(self, key: str) -> bool:
        """Whether the result is there already; a damaged one is not."""
        return zipfile.is_zipfile(self.path(key))

    def path(self, key: str) -> Path:
        """Where a result is, or will be."""
        return self._folder / f"{key}.zip"

    def put(self, key: str, outcome: BacktestExport) -> None:
        """Keep a result."""
        self._write(self.path(key), outcome.zipped)

    def index(self, entries: Iterable[IndexEntry]) -> None:
        """Write which results belong together; what lies there besides is left alone."""
        listed = [entry.model_dump(mode="json") for entry in entries]
        self._write(self._folder / INDEX, (json.dumps(listed, indent=1) + "\n").encode())

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        partly = path.with_suffix(f".{os.getpid()}.part")
        partly.write_bytes(content)
        partly.replace(path)
