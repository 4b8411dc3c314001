"""Which protections Freqtrade is given, where it finds them, and whether they can be built.

The guards that are on come first and cannot be left out; then a strategy's `extra_protections`;
then `ballast.protections` of the configuration: Freqtrade's own and the user's, who drops them into
`user_data/protections/`.
"""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from freqtrade.exceptions import OperationalException
from freqtrade.plugins.protectionmanager import ProtectionManager
from freqtrade.resolvers import ProtectionResolver
from freqtrade.resolvers.iresolver import IResolver

from ballast.config import protections
from ballast.config.guards import GuardSettings
from ballast.core.quoting import quoted, shortened
from ballast.core.wording import one_line
from ballast.protections import guard_protection

_OURS = Path(guard_protection.__file__).parent

Entry = dict[str, Any]


def register() -> None:
    """
    Make Freqtrade look for protections in our folder and in `user_data/protections/` too.

    The resolver's own settings name one folder and one key of the configuration, of which Freqtrade
    hands every strategy of a list its own copy; hence its search is extended here.
    """

    def build_search_paths(
        cls: type[IResolver],
        config: Mapping[str, Any],
        user_subdir: str | None = None,
        extra_dirs: list[str] | None = None,
    ) -> list[Path]:
        users = Path(config.get("user_data_dir", "user_data")) / "protections"
        more = [str(folder) for folder in (users, _OURS) if folder.is_dir()]
        return IResolver.build_search_paths.__func__(
            cls, config, user_subdir, [*(extra_dirs or []), *more]
        )

    ProtectionResolver.build_search_paths = classmethod(build_search_paths)


def entries(guards: GuardSettings, verdict: Any, *others: Sequence[Entry]) -> list[Entry]:
    """
    What Freqtrade is given: the guards that are on, then what others name.

    PortfolioHeat has no entry: it limits the size of an entry and draws stops closer, and locks
    nothing.

    Parameters
    ----------
    verdict : callable
        See `guard_protection.VERDICT`.
    others : sequences of dict
        A guard that is named there as well is not listed twice.
    """
    register()
    on = guards.judged_at_candles()
    ours = [
        {"method": name, guard_protection.VERDICT: verdict, **getattr(guards, name).model_dump()}
        for name in on
    ]
    return ours + [entry for part in others for entry in part if entry["method"] not in on]


def check(
    listed: Sequence[Entry], label: str, config: Mapping[str, Any], guards: GuardSettings
) -> None:
    """
    Refuse entries that cannot be built.

    Parameters
    ----------
    listed : sequence of dict
        As Freqtrade's `protections`.
    label : str
        What the list is called where it was written.
    config : mapping
        Freqtrade's, with `user_data_dir` and `timeframe`.

    Raises
    ------
    OperationalException
        One sentence naming the entry, its value and what is accepted.
    """
    register()
    for number, entry in enumerate(listed):
        _check_entry(entry, f"{label}[{number}]", dict(config), guards)


def _check_entry(entry: Entry, where: str, config: dict[str, Any], guards: GuardSettings) -> None:
    try:
        protections.is_entry(entry)
    except ValueError as error:
        raise OperationalException(f"{where} is {quoted(entry)}: expected {error}") from None
    method = entry["method"]
    if method in guards.names():
        _check_guard(entry, where, guards)
        return
    _check_options(entry, where, protections.COMMON)
    options = _Options(entry)
    built = _built(options, where, config)
    # A user's own may read its options later; Freqtrade's read them all when they are built.
    if Path(built.__file__).parent != ProtectionResolver.initial_search_path:
        return
    _check_options(entry, where, protections.OWN)
    accepted = {"method", *protections.COMMON} | options.read
    unknown = sorted(set(entry) - accepted)
    if unknown:
        raise OperationalException(
            f"{where}.{shortened(unknown[0])} is {quoted(entry[unknown[0]])}, and no option of "
            f"{method}: expected {', '.join(sorted(accepted - {'method'}))}"
        )


def _check_options(entry: Entry, where: str, options: Mapping[str, protections.Taken]) -> None:
    if wrong := protections.wrong_option(entry, options):
        raise OperationalException(f"{where}.{wrong}")


def _check_guard(entry: Entry, where: str, guards: GuardSettings) -> None:
    """A guard may be named as well, but is switched and set in its own place."""
    name = entry["method"]
    if not guards.is_on(name):
        why = "ballast.guards.off switches off" if name in guards.off else guards.state(name)
        raise OperationalException(f"{where}.method is {name!r}, which {why}")
    if name not in guards.judged_at_candles():
        raise OperationalException(
            f"{where}.method is {name!r}, which locks nothing and is on without being named"
        )
    if set(entry) - {"method"}:
        raise OperationalException(
            f"{where} is {quoted(entry)}: expected no options, those of a guard are in "
            f"ballast.guards.{name}"
        )


def _built(entry: "_Options", where: str, config: dict[str, Any]) -> Any:
    """The protection, built for trial."""
    method = entry["method"]
    try:
        ProtectionManager.validate_protections([entry])
        return ProtectionResolver.load_protection(method, config, entry)
    except Exception as error:
        reason = one_line(error)
        if not reason.startswith(f"Impossible to load Protection '{method}'"):
            raise OperationalException(f"{where} ({method}) cannot be built: {reason}") from None
    names = _names(config)
    close = difflib.get_close_matches(method, names, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    raise OperationalException(
        f"{where}.method is {quoted(method)}: expected one of {', '.join(names)}{hint}"
    )


def _names(config: dict[str, Any]) -> list[str]:
    """Protections that Freqtrade can load, the guards excepted."""
    found = ProtectionResolver.search_all_objects(config, enum_failed=False)
    return sorted({item["name"] for item in found if item["location"].parent != _OURS})


class _Options(dict[str, Any]):
    """An entry that notes which of its options are read."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.read.add(str(key))
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """As `dict.get`."""
        self.read.add(key)
        return super().get(key, default)
