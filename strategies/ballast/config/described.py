"""Every setting with what it is, what it may be and what it means."""

import json
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ballast.config.refusals import accepted


class Described(NamedTuple):
    """
    One setting.

    Parameters
    ----------
    path : tuple of str
        Its place in the section, such as ('risk', 'per_trade_pct').
    """

    path: tuple[str, ...]
    value: Any
    default: Any
    accepted: str
    meaning: str

    @property
    def name(self) -> str:
        """As it is written in a sentence: 'risk.per_trade_pct'."""
        return ".".join(self.path)


def described(section: BaseModel, default: BaseModel) -> Iterator[Described]:
    """
    The settings of a section and of those in it, in the order of the schema.

    Parameters
    ----------
    default : BaseModel
        The same section where nothing is set.
    """
    for name, field in type(section).model_fields.items():
        value, usual = getattr(section, name), getattr(default, name)
        if isinstance(value, BaseModel):
            for below in described(value, usual):
                yield below._replace(path=(name, *below.path))
        else:
            yield Described((name,), value, usual, in_words(field), field.description or "")


def in_words(field: FieldInfo) -> str:
    """What a setting accepts."""
    if get_origin(field.annotation) is Literal:
        return ", ".join(json.dumps(value) for value in get_args(field.annotation))
    words = accepted(field) or "a list"
    return f"{words} or null" if type(None) in get_args(field.annotation) else words
