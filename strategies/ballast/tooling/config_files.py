"""Freqtrade's configuration files and environment, read as it reads them.

Not by its own functions: importing those takes seconds, and a health check or a question to the
journal needs three words of a file. A contract test holds that the answer is the same.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import reduce
from pathlib import Path
from typing import Any

import rapidjson

from ballast.tooling.errors import CommandError

DRY_RUN_DATABASE = "sqlite:///tradesv3.dryrun.sqlite"
LIVE_DATABASE = "sqlite:///tradesv3.sqlite"

_PREFIX = "FREQTRADE__"
_AS_TEXT = tuple(name.upper() for name in ("chat_id", "password"))
_CASE_KEPT = ("ccxt_config", "ccxt_sync_config", "ccxt_async_config")
_PARSING = rapidjson.PM_COMMENTS | rapidjson.PM_TRAILING_COMMAS
_DEEPEST = 5


def read_config(paths: Sequence[str]) -> dict[str, Any]:
    """
    The configuration from files, later ones over earlier ones, the environment over all.

    Raises
    ------
    CommandError
        If one cannot be read.
    """
    return _merged(_environment(os.environ), reduce(_under, _read(paths), {}))


def sources(paths: Sequence[str], section: str) -> dict[tuple[str, ...], str]:
    """
    Where the values of a section come from, by their place in it: a file, or the environment.

    Raises
    ------
    CommandError
        If one cannot be read.
    """
    found: dict[tuple[str, ...], str] = {}
    for path, config in _read(paths):
        found |= dict.fromkeys(_leaves(config.get(section)), str(path))
    return found | dict.fromkeys(_leaves(_environment(os.environ).get(section)), "environment")


def _read(paths: Sequence[str]) -> list[tuple[Path, dict[str, Any]]]:
    for path in paths:
        if not Path(path).is_file():
            raise CommandError(f"--config {path} is not a file: expected Freqtrade's config.json")
    try:
        return list(_layers(paths))
    except (ValueError, OSError) as error:
        text = " ".join(str(error).split())
        raise CommandError(f"--config {' '.join(paths)}: {text}") from None


def _under(known: dict[str, Any], layer: tuple[Path, dict[str, Any]]) -> dict[str, Any]:
    return _merged(layer[1], known)


def _leaves(section: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(section, Mapping):
        for name, below in section.items():
            yield from _leaves(below, (*path, name))
    elif path:
        yield path


def database_url(given: str | None, config: Mapping[str, Any]) -> str:
    """The database asked for, else the configuration's, else the one Freqtrade would choose."""
    named = config.get("db_url")
    if config.get("dry_run", True):
        # As Freqtrade, whose paper trading never takes the usual database of real money.
        named = named if named not in (None, LIVE_DATABASE) else DRY_RUN_DATABASE
    return given or named or LIVE_DATABASE


def _layers(
    paths: Sequence[str], beside: Path | None = None, depth: int = 0
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Files and what they hold, each over the ones before it."""
    if depth > _DEEPEST:
        raise ValueError("add_config_files name each other in a circle")
    for name in paths:
        path = Path(name) if beside is None else beside / name
        with path.open(encoding="utf-8") as file:
            config = rapidjson.load(file, parse_mode=_PARSING)
        if not isinstance(config, dict):
            raise ValueError(f"{path} holds no configuration")
        if "add_config_files" in config:
            yield from _layers(config["add_config_files"], path.resolve().parent, depth + 1)
        yield path, config


def _merged(over: Mapping[str, Any], under: dict[str, Any]) -> dict[str, Any]:
    """`under`, changed: what `over` has, section by section, in its place."""
    for key, value in over.items():
        if isinstance(value, Mapping):
            node = under.setdefault(key, {})
            under[key] = _merged(value, node if isinstance(node, dict) else {})
        else:
            under[key] = deepcopy(value)
    return under


def _environment(variables: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, text in sorted(variables.items()):
        if not name.startswith(_PREFIX):
            continue
        keys = name.removeprefix(_PREFIX).split("__")
        kept = keys[0].lower() == "exchange" and any(key.lower() in _CASE_KEPT for key in keys)
        value: Any = text if keys[-1] in _AS_TEXT else _typed(text)
        for position, key in reversed(list(enumerate(keys))):
            last = position == len(keys) - 1
            value = {key if kept and last else key.lower(): value}
        found = _merged(value, found)
    return found


def _typed(text: str) -> Any:
    if re.fullmatch(r"\s*[+-]?\d+\s*", text):
        return int(text)
    try:
        return float(text)
    except ValueError:
        pass
    if text.lower() in ("t", "true", "f", "false"):
        return text.lower().startswith("t")
    try:
        listed = rapidjson.loads(text)
    except rapidjson.JSONDecodeError:
        return text
    return listed if isinstance(listed, list) else text
