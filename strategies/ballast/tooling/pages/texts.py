"""Text of a page: paragraphs, lists, key figures, and what is folded away."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ballast.tooling.pages.rendering import render


@dataclass(frozen=True)
class Badged:
    """
    A sentence with a badge before it.

    Parameters
    ----------
    kind : str
        'alarm', 'warning', 'note' or 'fine'.
    who : str
        Whom it is about; '' where that is plain.
    """

    kind: str
    badge: str
    text: str
    who: str = ""


def paragraph(text: str, kind: str = "") -> Markup:
    """A paragraph; `kind` is '', 'quiet' or 'notice'."""
    return render("paragraph.html", text=text, kind=kind)


def bullets(sentences: Sequence[str], boxed: bool = False) -> Markup:
    """A list of sentences."""
    return render("bullets.html", sentences=sentences, boxed=boxed)


def badged(rows: Sequence[Badged]) -> Markup:
    """A list of sentences, each with its badge."""
    return render("badged.html", rows=rows)


def tiles(rows: Sequence[tuple[str, str]]) -> Markup:
    """Key figures beside one another, each with what it is."""
    return render("tiles.html", rows=rows)


def folded(summary: str, inside: Markup) -> Markup:
    """A part that is shown when its summary is clicked."""
    return render("folded.html", summary=summary, inside=inside)
