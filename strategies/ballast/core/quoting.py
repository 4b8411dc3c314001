"""What was given, as a sentence repeats it."""

from collections.abc import Iterable

# What is longer is recognised by its beginning.
_LONGEST = 200


def shortened(text: str) -> str:
    """A text, or its beginning and its length where it is long."""
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}... ({len(text):,} characters)"


def placed(path: Iterable[str | int]) -> str:
    """Where a value is, as in 'protections[0].method': an entry of a list by its number."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def quoted(value: object) -> str:
    """A value as it is written in Python, or the beginning of that where it is long."""
    return shortened(repr(value))
