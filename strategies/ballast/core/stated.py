"""What a strategy states, held against what is expected."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

from ballast.core.quoting import quoted

_EXPECTED = {
    "entry": "a rule such as above(...)",
    "exit": "a rule such as below(...), or sell(...)",
}


def rules_fault(part: str, stated: object, kinds: Any) -> str:
    """What is wrong with rules by name, in one sentence; empty if nothing is."""
    if not isinstance(stated, Mapping):
        return f"{part} is {told(stated)}: expected rules by name, {{'name': above(...)}}"
    for name, one in stated.items():
        if not isinstance(name, str) or not name:
            return f"{part} has the name {told(name)}: expected a text that is not empty"
        if not isinstance(one, kinds):
            return f"{part}.{name} is {told(one)}: expected {_EXPECTED[part]}"
    return ""


def told(value: object) -> str:
    """A value that is short; of others what they are."""
    if value is None or isinstance(value, str | Real):
        return quoted(value)
    return f"a {type(value).__name__}"
