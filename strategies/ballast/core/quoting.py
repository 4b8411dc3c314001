"""What was given, as a sentence repeats it."""

# What is longer is recognised by its beginning.
_LONGEST = 200


def shortened(text: str) -> str:
    """A text, or its beginning and its length where it is long."""
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}... ({len(text):,} characters)"


def quoted(value: object) -> str:
    """A value as it is written in Python, or the beginning of that where it is long."""
    return shortened(repr(value))
