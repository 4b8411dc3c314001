"""A strategy's class in a folder of strategies, and the file that puts it under the layer."""

import ast
import keyword
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

GUARDED, ALONE = "Guarded", "Alone"
_FILE = """\
from {package} import {function}
from {module} import {name}


class {made}({function}({name})):
    \"\"\"{name}, {how}.\"\"\"
"""


class SourceError(Exception):
    """A strategy cannot be found or imported; the text is one sentence for the user."""


@dataclass(frozen=True)
class Source:
    """
    Where a strategy's class is.

    Parameters
    ----------
    name : str
        Of the class.
    module : str
        By which it is imported where `folder` is on the path.
    path, folder : Path
        Of its file, and of the strategies.
    """

    name: str
    module: str
    path: Path
    folder: Path

    @property
    def guarded(self) -> str:
        """Name of the class under the layer."""
        return f"{GUARDED}{self.name}"

    @property
    def alone(self) -> str:
        """Name of the class that a comparison makes of it."""
        return f"{ALONE}{self.name}"

    @property
    def guarded_path(self) -> Path:
        """Its file, beside the other strategies."""
        return self.folder / f"{self.guarded}.py"

    def guarded_text(self) -> str:
        """The file that puts it under the layer: what lies there, else the two lines."""
        if self.guarded_path.is_file():
            return self.guarded_path.read_text(encoding="utf-8")
        return self.two_lines()

    def two_lines(self) -> str:
        """The file as it is written."""
        return self._file("ballast", "guarded", self.guarded, "under the risk layer")

    def alone_text(self) -> str:
        """A file of the strategy without the layer's decisions, whose fills bear their costs."""
        return self._file("ballast.strategy.costs_only", "alone", self.alone, "alone, with costs")

    def _file(self, package: str, function: str, made: str, how: str) -> str:
        values = {"module": self.module, "name": self.name, "made": made, "how": how}
        return _FILE.format(package=package, function=function, **values)


def find(name: str, folder: Path) -> Source:
    """
    The class of a name in a folder of strategies, or below it.

    Raises
    ------
    SourceError
        Where it is no name of a class, is not there or is there twice, or its file cannot be
        imported by its name.
    """
    if not is_name(name):
        raise SourceError(f"{name!r} is not the name of a class: expected one such as MACDStrategy")
    if not folder.is_dir():
        raise SourceError(f"--strategy-path {folder} is not a folder")
    classes = dict.fromkeys(classes_below(folder, name))
    found = [path for known, path in classes if known == name]
    if not found:
        near = get_close_matches(name, {known for known, _ in classes}, 3)
        meant = f": did you mean {', '.join(near)}?" if near else ""
        raise SourceError(f"{folder} has no class {name}, nor has a folder in it{meant}")
    if len(found) > 1:
        where = ", ".join(str(path.relative_to(folder)) for path in found)
        raise SourceError(f"{name} is in several files of {folder}, keep one: {where}")
    (path,) = found
    parts = path.relative_to(folder).with_suffix("").parts
    wrong = [part for part in parts if not is_name(part)]
    if wrong:
        raise SourceError(
            f"{path.relative_to(folder)} cannot be imported because {wrong[0]!r} is no name in "
            f"Python: rename it, to {_as_name(wrong[0])!r} for instance"
        )
    return Source(name, ".".join(parts), path, folder)


def is_name(text: str) -> bool:
    """Whether a text can name a class or a module."""
    return text.isidentifier() and not keyword.iskeyword(text)


def classes_below(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    """
    Classes that files state on their top level, but those of the layer itself.

    Raises
    ------
    SourceError
        Where a file that is no Python states the class that is looked for.
    """
    for path in sorted(folder.rglob("*.py")):
        if _hidden(path, folder):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            if f"class {name}(" in text:
                where = f"{path.relative_to(folder)}, line {error.lineno}"
                raise SourceError(f"{where} cannot be read as Python: {error.msg}") from None
            continue
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.bases:
                yield node.name, path


def _hidden(path: Path, folder: Path) -> bool:
    """Whether a file is of the layer itself, or of a folder that nobody looks into."""
    parts = path.relative_to(folder).parts
    return parts[0] == "ballast" or any(part.startswith((".", "__pycache__")) for part in parts)


def _as_name(text: str) -> str:
    made = "".join(letter if letter.isalnum() else "_" for letter in text)
    return made if is_name(made) else f"_{made}"
