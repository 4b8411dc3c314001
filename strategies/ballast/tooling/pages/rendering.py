"""The one place where HTML is made: templates beside this module, every value escaped."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_HERE = Path(__file__).parent


def render(template: str, **values: Any) -> Markup:
    """
    A template of `templates/`, filled in.

    Parameters
    ----------
    values
        Text is escaped; what another template made is put in as it is.
    """
    return Markup(_ENVIRONMENT.get_template(template).render(values))  # noqa: S704 - autoescaped


def asset(name: str) -> str:
    """Text of a file beside this module."""
    return (_HERE / name).read_text(encoding="utf-8")


def _unbroken(value: Any) -> Any:
    """A number and its sign stay on one line."""
    return value.replace(" %", "\N{NO-BREAK SPACE}%") if isinstance(value, str) else value


_ENVIRONMENT = Environment(
    # Files, not a package's resources: a copied `strategies/` folder is enough.
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_unbroken,
)
_ENVIRONMENT.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
