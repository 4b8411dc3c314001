"""One self-contained HTML file: style, script, plotly.js and data inside, nothing from outside."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field

from markupsafe import Markup

from ballast.tooling.pages.charts import Chart
from ballast.tooling.pages.rendering import asset, render

# Where a live page finds its scripts, and their names in the order in which they run.
ASSETS = "/assets/"
_PLOTLY = "plotly.js"
SCRIPTS = (_PLOTLY, "script.js", "live.js")


class PlotlyMissing(Exception):
    """The package that draws is not installed."""


@dataclass(frozen=True)
class Script:
    """A script of our own, put into a page as it is."""

    text: str

    def __html__(self) -> str:
        return self.text

    @property
    def source(self) -> str:
        """What lets this script run, and no other, in a Content-Security-Policy."""
        digest = hashlib.sha256(self.text.encode()).digest()
        return f"'sha256-{b64encode(digest).decode()}'"


@dataclass(frozen=True)
class Linked:
    """A script of a page's own server, which is fetched once and not with each page."""

    address: str


@dataclass(frozen=True)
class Section:
    """
    Part of a page, from top to bottom.

    Parameters
    ----------
    title : str
        Empty for a part without a heading.
    lead : str
        How to read it, in a sentence or two.
    blocks : list of Markup or Chart
        What `tables` and `texts` make, and charts, in order.
    """

    title: str
    lead: str = ""
    blocks: list[Markup | Chart] = field(default_factory=list)


@dataclass(frozen=True)
class Tab:
    """
    What is shown for one choice of the tabs on top.

    Parameters
    ----------
    anchor : str
        Its address within the page.
    contents : bool
        Begin with a list of its sections.
    """

    anchor: str
    title: str
    sections: list[Section]
    contents: bool = False

    @property
    def anchored(self) -> list[tuple[str, Section]]:
        """Its sections, each with its address within the page."""
        return [(f"{self.anchor}.{n}", each) for n, each in enumerate(self.sections, start=1)]


@dataclass(frozen=True)
class Page:
    """
    A whole page.

    Parameters
    ----------
    title, subtitle : str
    tabs : list of Tab
        One alone is shown without tabs.
    footer : str
        Below everything.
    """

    title: str
    subtitle: str
    tabs: list[Tab]
    footer: str = ""

    def html(self, *, live: bool = False) -> str:
        """
        The file's text.

        Parameters
        ----------
        live : bool
            Served rather than kept: it asks its own server for what is new.

        Raises
        ------
        PlotlyMissing
            When plotly is not installed and there is a chart to draw.
        """
        sections = [section for tab in self.tabs for section in tab.sections]
        drawn = any(isinstance(block, Chart) for section in sections for block in section.blocks)
        scripts: list[Script | Linked] = [*([_plotly()] if drawn else [])]
        scripts.append(Script(asset("script.js")))
        if live:
            scripts = [Linked(f"{ASSETS}{name}") for name in SCRIPTS]
        page = render(
            "page.html",
            title=self.title,
            subtitle=self.subtitle,
            tabs=self.tabs,
            footer=self.footer,
            style=Markup(asset("style.css")),  # noqa: S704 - our own file
            scripts=scripts,
            policy=_policy(scripts, live),
            live=live,
        )
        return str(page)


def _policy(scripts: Iterable[Script | Linked], live: bool) -> str:
    """Whatever a page is made of, it contacts nothing, and nothing runs but the page's scripts."""
    given = (script.source for script in scripts if isinstance(script, Script))
    allowed = "'self'" if live else " ".join(given)
    connect = "connect-src 'self'; " if live else ""
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        f"{connect}img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def script(name: str) -> str:
    """
    Text of a script that a live page asks its server for, one of `SCRIPTS`.

    Raises
    ------
    PlotlyMissing
        When plotly is not installed.
    """
    return _plotly().text if name == _PLOTLY else asset(name)


def _plotly() -> Script:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise PlotlyMissing(
            "plotly, which draws the report, is not installed: pip install plotly"
        ) from None
    return Script(get_plotlyjs())
