"""Callbacks that are hung on a strategy while it runs: refused, and on its classes taken off."""

from abc import ABC
from collections.abc import Iterator
from typing import Any

from ballast.strategy.overrides import OverrideRefused, answered, is_trusted

# Nothing is hung on these.
_OF_PYTHON = (ABC, object)


class HeldCallbacks:
    """
    Who answers Freqtrade's calls of a strategy that has started, which stays as it is.

    A name that is set makes a dictionary larger, of the strategy or of one of its classes: a look
    that finds all of them as large as they were ends there.

    Parameters
    ----------
    strategy : IStrategy
        As it was let start: what it has by then has been judged.
    instead : str
        What it does where a callback is not its own.
    """

    def __init__(self, strategy: Any, instead: str) -> None:
        classes = [owner for owner in type(strategy).__mro__ if not is_trusted(owner)]
        self._names = answered(type(strategy))
        self._owners = (strategy, *(owner for owner in classes if owner not in _OF_PYTHON))
        self._own = [self._names & vars(owner).keys() for owner in self._owners]
        self._sizes = self._counted()
        self._note_sizes()
        self._instead = instead
        # What a property's setter takes is heard as that says.
        self._methods = {
            name
            for name in self._names
            if not isinstance(getattr(type(strategy), name, None), property)
        }

    def refuse(self, name: str) -> None:
        """
        Refuse a name that is set on the strategy itself, where the layer answers for it.

        Raises
        ------
        OverrideRefused
            Naming it.
        """
        if name in self._methods:
            strategy = getattr(self._owners[0], "_own", type(self._owners[0]))
            raise OverrideRefused(
                f"{strategy.__name__} sets {name} on itself while it runs: the risk controls live "
                f"there; {self._instead}"
            )

    def take_off(self) -> None:
        """
        Take off what was hung on since.

        Raises
        ------
        OverrideRefused
            Naming it and where it was.
        """
        if (sizes := self._counted()) == self._sizes:
            return
        found = list(self._found())
        for owner, name in found:
            delattr(owner, name)
        self._sizes = self._counted() if found else sizes
        self._note_sizes()
        if found:
            strategy = type(self._owners[0]).__name__
            where = {o.__name__ if isinstance(o, type) else strategy for o, _ in found}
            raise OverrideRefused(
                f"{', '.join(sorted({name for _, name in found}))} was set on "
                f"{', '.join(sorted(where))} while it runs, where the risk controls live: taken "
                "off again, and nothing is bought until the strategy is mended and started anew"
            )

    def _note_sizes(self) -> None:
        """Of the strategy and of its own class, the first places to hang anything on."""
        self.size = len(self._owners[0].__dict__)
        self.size_of_class = len(type(self._owners[0]).__dict__)

    def _counted(self) -> list[int]:
        return [len(owner.__dict__) for owner in self._owners]

    def _found(self) -> Iterator[tuple[Any, str]]:
        for owner, own in zip(self._owners, self._own, strict=True):
            for name in (self._names & vars(owner).keys()) - own:
                yield owner, name
