"""Why a setting was refused, in a sentence, and what settings accept, in words."""

import difflib
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ballast.core.quoting import placed, quoted, shortened


def sentence(error: Any, model: type[BaseModel], section: str) -> str:
    """
    A setting that was refused: its name, its value and what is accepted.

    Parameters
    ----------
    error : mapping
        One of pydantic's.
    model : type
        Of all settings, in the section of this name.
    """
    # Where an entry of a list lacks something, it is the entry that is given.
    place = error["loc"][:-1] if error["type"] == "missing" else error["loc"]
    name, path = shortened(placed([section, *place])), [str(part) for part in place]
    if error["type"] == "extra_forbidden":
        known = _model_at(model, path[:-1]).model_fields
        close = difflib.get_close_matches(path[-1], known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"
        return f"{name} is not a setting: {hint}"
    return f"{name} is {quoted(error['input'])}: expected {_accepted(model, path, error)}"


def _accepted(model: type[BaseModel], path: list[str], error: Any) -> str:
    field = _model_at(model, path[:-1]).model_fields.get(path[-1])
    if error["type"] == "model_type":
        return "a section of settings"
    if error["type"] == "literal_error":
        return str(error["ctx"]["expected"])
    if error["type"] == "value_error":
        return str(error["msg"]).removeprefix("Value error, ").removeprefix("expected ")
    if field is None:
        # An entry of a list, which the setting's description tells of.
        return _described(model, path)
    note = f" ({field.description})" if field.description else ""
    return (accepted(field) or "a list") + note


def _described(model: type[BaseModel], path: list[str]) -> str:
    """What the setting takes to which an entry of a list belongs."""
    while path[-1].isdecimal():
        path = path[:-1]
    return str(_model_at(model, path[:-1]).model_fields[path[-1]].description)


def accepted(field: FieldInfo) -> str:
    """Type and range of a setting in words; empty where its type is no plain one."""
    kind = {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}.get(
        _plain_type(field.annotation), ""
    )
    signs = (("gt", "above"), ("ge", "from"), ("lt", "below"), ("le", "to"))
    bounds = {
        sign: getattr(m, sign) for m in field.metadata for sign, _ in signs if hasattr(m, sign)
    }
    within = " ".join(f"{word} {bounds[sign]}" for sign, word in signs if sign in bounds)
    if any(getattr(m, "min_length", 0) for m in field.metadata):
        within = "that is not empty"
    return " ".join(filter(None, (kind, within)))


def _model_at(model: type[BaseModel], path: list[str]) -> type[BaseModel]:
    for part in path:
        kind = _plain_type(model.model_fields[part].annotation)
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            break
        model = kind
    return model


def _plain_type(annotation: Any) -> Any:
    """The type behind `X | None`."""
    if get_origin(annotation) in (Union, UnionType):
        return next(arg for arg in get_args(annotation) if arg is not type(None))
    return annotation
