"""Which backtests a stress is made of, and the key under which each one's result is kept."""

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import freqtrade

import ballast
from ballast.config import settings
from ballast.core.frames import SLOW_TIMEFRAME
from ballast.research import changes
from ballast.research.backtests import Task
from ballast.research.report.results import IndexEntry

# Settings of Freqtrade's that say who trades and where it answers, not what is traded.
_NOT_ABOUT_RESULTS = ("telegram", "api_server", "db_url", "bot_name", "user_data_dir", "logfile")
# The layers above the strategy, as the contract of imports has them: nothing there decides in a
# backtest.
ABOVE_STRATEGY = ("tooling", "ops", "research", "commands")


@dataclass(frozen=True)
class StressRun:
    """A backtest and what is said about it in the index."""

    task: Task
    level: str
    without_guard: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is, for people."""
        return f"{self.task.strategy} {self.task.timerange} {self.level}"

    def entry(self, key: str) -> IndexEntry:
        """Its line of the index."""
        return IndexEntry(
            file=f"{key}.zip",
            strategy=self.task.strategy,
            timerange=self.task.timerange,
            costs=self.level,
            pairs=self.task.pairs,
            without_guard=self.without_guard,
            parameters=dict(self.parameters),
        )

    def key(self) -> str:
        """
        Twenty hex digits that change with anything the result depends on: sources of strategy and
        layer, Freqtrade's version, configuration, markets, candles, period, pairs, parameters.
        """
        task = self.task
        parts = [
            freqtrade.__version__,
            _sources(task.strategy_path, task.strategy, task.source),
            json.dumps(_deciding(task.config), sort_keys=True),
            json.dumps(task.markets, sort_keys=True, default=str),
            *(_digest(path) for path in candle_files(task)),
            *(_stamp(path) for path in _beside(task)),
            task.timerange,
            json.dumps([task.strategy, task.pairs, dict(task.parameters)], sort_keys=True),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


def candle_files(task: Task) -> list[Path]:
    """Files of the candles that a task reads, by name: its pairs' and the market's."""
    section = settings.load(task.config.get(settings.SECTION))
    market = [section.market.leader, *(section.market.basket or [])]
    pairs = dict.fromkeys([*task.pairs, *(pair for pair in market if pair)])
    timeframes = dict.fromkeys([str(task.config["timeframe"]), SLOW_TIMEFRAME])
    names = [f"{p.replace('/', '_')}-{t}.feather" for p in sorted(pairs) for t in timeframes]
    return [path for path in (Path(task.datadir) / name for name in names) if path.is_file()]


def _beside(task: Task) -> list[Path]:
    """Files of all other candles, which a strategy that is not of this pack may read, too."""
    known = set(candle_files(task))
    files = Path(task.datadir).glob("*.feather") if task.source else ()
    return sorted(path for path in files if path not in known)


def guards_on(config: Mapping[str, Any]) -> list[str]:
    """
    Guards that a configuration has on.

    Raises
    ------
    SettingsError
    """
    guards = settings.load(config.get(settings.SECTION)).guards
    return [name for name in guards.names() if guards.is_on(name)]


def with_settings(config: Mapping[str, Any], level: str, without_guard: str = "") -> dict[str, Any]:
    """A configuration with a cost level, and one guard less if it is named."""
    changed = deepcopy(dict(config))
    section = changed.setdefault(settings.SECTION, {})
    section["costs"] = {**section.get("costs", {}), "enabled": level != "none", "level": level}
    if without_guard:
        guards = section.setdefault("guards", {})
        guards["off"] = [*guards.get("off", []), without_guard]
    return changed


def subsets(pairs: Sequence[str], count: int, size: int, seed: int) -> list[tuple[str, ...]]:
    """Random choices of `size` pairs, in the order of them all."""
    chosen = random.Random(seed)  # noqa: S311 - which pairs are left out is no secret
    draws = [chosen.sample(list(pairs), size) for _ in range(count)]
    return [tuple(sorted(draw, key=list(pairs).index)) for draw in draws]


def orders(pairs: Sequence[str], count: int, seed: int) -> list[tuple[str, ...]]:
    """The pairs in random orders: Freqtrade fills its slots in the order of the whitelist."""
    drawn = random.Random(seed)  # noqa: S311
    return [tuple(drawn.sample(list(pairs), len(pairs))) for _ in range(count)]


def jobs(
    first: Task,
    strategies: Sequence[str],
    timeranges: Sequence[str],
    levels: Sequence[str],
    choices: Sequence[tuple[str, ...]],
    guards: Sequence[str] = (),
    trials: Mapping[str, Sequence[Mapping[str, Any]]] = MappingProxyType({}),
) -> list[StressRun]:
    """
    Every combination; the first choice of pairs and the base level once more without each guard,
    and with each trial (changes by name, by strategy).

    Neighbours in the list share their candles.
    """
    made = []
    for timerange, strategy, pairs in product(timeranges, strategies, choices):
        for level in levels:
            made.append(_job(first, strategy, timerange, pairs, level))
    usual = "base" if "base" in levels else levels[0]
    for timerange, strategy in product(timeranges, strategies):
        of = (first, strategy, timerange, choices[0], usual)
        made += [_job(*of, without_guard=guard) for guard in guards]
        made += [_job(*of, parameters=trial) for trial in trials.get(strategy, ())]
    return made


def _job(
    first: Task,
    strategy: str,
    timerange: str,
    pairs: tuple[str, ...],
    level: str,
    *,
    without_guard: str = "",
    parameters: Mapping[str, Any] | None = None,
) -> StressRun:
    changed = dict(parameters or {})
    task = Task(
        changes.with_settings(with_settings(first.config, level, without_guard), changed),
        first.markets,
        strategy,
        first.strategy_path,
        first.datadir,
        timerange,
        pairs,
        changed,
    )
    return StressRun(task, level, without_guard, changed)


def _deciding(config: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in config.items() if name not in _NOT_ABOUT_RESULTS}
    # Markets are hashed by themselves; what is left are addresses and keys.
    return {**kept, "exchange": config["exchange"]["name"]}


@lru_cache(maxsize=32)
def _sources(strategy_path: str, strategy: str, source: str) -> str:
    """
    Of the strategy, and of all that it may import: what lies in its folder, and the layer.

    Parameters
    ----------
    source : str
        Text of a strategy's file that is made up: what it imports may lie deep in the folder.
    """
    folder = Path(strategy_path)
    package = folder / "ballast" if (folder / "ballast").is_dir() else Path(ballast.__file__).parent
    files = {
        *(folder.rglob("*.py") if source else folder.glob("*.py")),
        *(path for path in folder.rglob("*.json") if path.stem == strategy or path.stem in source),
        *package.rglob("*.py"),
    }
    digest = hashlib.sha256(source.encode())
    for path in sorted(files):
        inside = path.relative_to(package).parts if path.is_relative_to(package) else ("",)
        if inside[0] not in ABOVE_STRATEGY:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _digest(path: Path) -> str:
    stat = path.stat()
    return f"{path.name} {_content(path, stat.st_mtime_ns, stat.st_size)}"


def _stamp(path: Path) -> str:
    """Without reading it: there may be many, and most are not looked at."""
    stat = path.stat()
    return f"{path.name} {stat.st_mtime_ns} {stat.st_size}"


@lru_cache(maxsize=4096)
def _content(path: Path, modified: int, size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
