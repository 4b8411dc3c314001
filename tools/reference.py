"""The tables of the documentation that follow from the source: settings, faults, reason codes.

`python -m tools.reference` writes them anew; a test holds that they are what the source says, so
that a setting, a fault or a code without a line there does not pass.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_origin

import griffe
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ballast.config.described import in_words
from ballast.config.settings import SECTION, Settings
from ballast.ops import runbook
from sandbox.faults import KINDS

DOCS = Path(__file__).parents[1] / "docs"


class Undocumented(Exception):
    """A setting of which nothing says what it means; the text names it."""


def settings_tables(settings: BaseModel | None = None) -> str:
    """
    One table for each part of the `ballast` section, in the order of the schema.

    Raises
    ------
    Undocumented
        Where neither the field nor the docstring of its section or guard says what it is.
    """
    sections = _sections(SECTION, Settings() if settings is None else settings)
    return "\n\n".join(_part(path, section) for path, section in sections)


def faults_table() -> str:
    """Every kind of fault: what happens, and its numbers with their defaults."""
    rows = [
        (f"`{kind}`", rule.what, ", ".join(f"`{n}` {v.default:g}" for n, v in rule.numbers.items()))
        for kind, rule in KINDS.items()
    ]
    return _table(("kind", "what happens", "its numbers"), rows)


def rewritten(page: str, name: str, content: str) -> str:
    """
    A page with new content between the marks of a part.

    Raises
    ------
    ValueError
        Where the marks are not there.
    """
    begin, end = f"<!-- {name}: made by python -m tools.reference -->", f"<!-- end of {name} -->"
    before, mark, rest = page.partition(begin)
    _, other, after = rest.partition(end)
    if not mark or not other:
        raise ValueError(f"there is no place for {name}: expected '{begin}' and '{end}'")
    return f"{before}{begin}\n\n{content}\n\n{end}{after}"


# By page of docs/: the page as it is, to the page as the source has it.
PAGES: dict[str, Callable[[str], str]] = {
    "settings.md": lambda page: rewritten(page, "settings", settings_tables()),
    "sandbox.md": lambda page: rewritten(page, "faults", faults_table()),
    "runbook.md": runbook.page,
}


def main() -> None:
    """Write every page anew."""
    for name, as_it_is in PAGES.items():
        path = DOCS / name
        path.write_text(as_it_is(path.read_text(encoding="utf-8")), encoding="utf-8")


def _sections(path: str, section: BaseModel) -> Iterator[tuple[str, BaseModel]]:
    yield path, section
    for name, value in section:
        if isinstance(value, BaseModel):
            yield from _sections(f"{path}.{name}", value)


def _part(path: str, section: BaseModel) -> str:
    guard = getattr(section, "guard", None)
    head = f"## `{path}`\n\n{_plain(_first_paragraph(guard or type(section)))}"
    described = (*type(section).__mro__, *(guard.__mro__ if guard else ()))
    rows = [
        (f"`{name}`", f"`{json.dumps(value)}`", _accepted(field), _meaning(name, field, described))
        for name, field, value in _own(section)
    ]
    nameless = [name for name, *_, meaning in rows if not meaning]
    if nameless:
        raise Undocumented(f"{path}: nothing says what {', '.join(nameless)} means")
    if not rows:
        return f"{head} It has no settings of its own."
    return f"{head}\n\n" + _table(("setting", "default", "accepted", "meaning"), rows)


def _own(section: BaseModel) -> Iterator[tuple[str, FieldInfo, Any]]:
    fields = type(section).model_fields
    for name, value in section:
        if not isinstance(value, BaseModel):
            yield name, fields[name], value


def _first_paragraph(described: type) -> str:
    return (inspect.getdoc(described) or "").split("\n\n")[0]


def _meaning(name: str, field: FieldInfo, described: Sequence[type]) -> str:
    """What the field says of itself, or what the docstring of its section or guard says of it."""
    if field.description:
        return _plain(field.description)
    texts = [_parameters(one).get(name, "") for one in described]
    sentence = next(filter(None, texts), "").removesuffix(".")
    # 'UTC days' stays as it is, 'A trade' does not.
    abbreviated = sentence[1:2].isupper()
    return _plain(sentence if abbreviated else sentence[:1].lower() + sentence[1:])


def _parameters(described: type) -> dict[str, str]:
    sections = griffe.Docstring(inspect.cleandoc(described.__doc__ or "")).parse("numpy")
    wanted = griffe.DocstringSectionKind.parameters
    return {p.name: p.description for part in sections if part.kind is wanted for p in part.value}


def _accepted(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{word}`" for word in in_words(field).split(", "))
    return in_words(field)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines).replace("|  |", "| |")


def _plain(text: str) -> str:
    """One line, without the docstrings' references to modules."""
    text = re.sub(r" \(see `ballast\.[\w.]+`\)", "", " ".join(text.split()))
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
