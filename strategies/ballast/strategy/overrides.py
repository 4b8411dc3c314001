"""Who answers Freqtrade: the risk layer, and no class that stands before it."""

from collections.abc import Iterator

from freqtrade.exceptions import OperationalException

_LAYER, _FREQTRADE = "ballast.strategy.", "freqtrade."
# What a strategy is meant to state, and what changes nothing that is decided.
_FREE = {"entry_rules", "exit_rules", "setups", "lines", "plot_config", "plot_annotations"}
_FREE |= {"__init__"}
# By which a class answers for names that it does not have.
_HOOKS = {"__getattribute__", "__getattr__", "__setattr__", "__init_subclass__", "__getstate__"}


class OverrideRefused(OperationalException, TypeError):
    """A strategy redefines what the risk layer lives in; Freqtrade shows the sentence alone."""


def refuse_overrides(strategy: type, own: Iterator[str] | tuple[str, ...] = ()) -> None:
    """
    Refuse a strategy in which anything but the layer or Freqtrade answers one of Freqtrade's calls.

    Mixins count: for each name the class that answers is looked for in the order of resolution.

    Parameters
    ----------
    own : names
        Attributes that the instance itself has, which come before those of its classes.

    Raises
    ------
    OverrideRefused
        Naming the class and what it redefines.
    """
    found = sorted(overrides(strategy, set(own)))
    if not found:
        return
    if any(name == "protections" for _, name in found):
        raise OverrideRefused(
            f"{strategy.__name__} redefines protections, which would leave the guards out: "
            "name its own in extra_protections instead, they are added"
        )
    names = ", ".join(name for _, name in found)
    raise OverrideRefused(
        f"{', '.join(dict.fromkeys(owner for owner, _ in found))} redefines {names}: the risk "
        "controls live there; state entry_rules, exit_rules and stops instead"
    )


def refuse_before_layer(strategy: type, own: Iterator[str] | tuple[str, ...] = ()) -> None:
    """
    Refuse what stands before the layer and answers one of Freqtrade's calls in its place.

    What stands behind the layer is another's strategy, which the layer asks; only the user's own
    class, and what it mixes in, come first.

    Raises
    ------
    OverrideRefused
        Naming the class and what it redefines.
    """
    order = strategy.__mro__
    first = next(number for number, owner in enumerate(order) if is_trusted(owner))
    calls = answered(strategy)
    found = {(strategy.__name__, name) for name in calls & set(own)}
    found |= {(o.__name__, name) for o in order[:first] for name in calls & set(vars(o))}
    if found:
        names = ", ".join(name for _, name in sorted(found))
        raise OverrideRefused(
            f"{', '.join(sorted({owner for owner, _ in found}))} redefines {names} before the "
            "layer: the risk controls live there; put it into the strategy behind"
        )


def answered(strategy: type) -> set[str]:
    """Names that the layer or Freqtrade answers for, and by which others could in their place."""
    names = {name for owner in strategy.__mro__ if is_trusted(owner) for name in _calls(owner)}
    return (names | _HOOKS) - _FREE


def overrides(strategy: type, own: set[str]) -> Iterator[tuple[str, str]]:
    """What is redefined, as (who, name)."""
    for name in answered(strategy):
        if name in own:
            yield strategy.__name__, name
        owner = next((owner for owner in strategy.__mro__ if name in vars(owner)), object)
        if owner is not object and not is_trusted(owner):
            yield owner.__name__, name


def is_trusted(owner: type) -> bool:
    """Whether a class is of the layer or of Freqtrade."""
    return owner.__module__.startswith((_LAYER, _FREQTRADE))


def _calls(owner: type) -> Iterator[str]:
    """Functions, properties and the like; plain values are judged by what they are."""
    for name, member in vars(owner).items():
        if not name.startswith("__") and (callable(member) or hasattr(member, "__get__")):
            yield name
