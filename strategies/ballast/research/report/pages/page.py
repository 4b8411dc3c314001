"""One self-contained HTML file: style, script, plotly.js and data inside, nothing from outside."""

import html
import json
from dataclasses import dataclass, field
from importlib import resources

from ballast.research.report.pages.charts import Chart

# Whatever a page is made of, it contacts nothing.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)


class PlotlyMissing(Exception):
    """The package that draws is not installed."""


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
    blocks : list of str or Chart
        HTML and charts in order.
    """

    title: str
    lead: str = ""
    blocks: list[str | Chart] = field(default_factory=list)


@dataclass(frozen=True)
class Tab:
    """What is shown for one choice of the tabs on top; `anchor` is its address within the page."""

    anchor: str
    title: str
    sections: list[Section]


@dataclass(frozen=True)
class Page:
    """
    A whole page.

    Parameters
    ----------
    title, subtitle : str
        Plain text.
    tabs : list of Tab
        One alone is shown without tabs.
    footer : str
        HTML below everything.
    """

    title: str
    subtitle: str
    tabs: list[Tab]
    footer: str = ""

    def html(self) -> str:
        """
        The file's text.

        Raises
        ------
        PlotlyMissing
            When plotly is not installed.
        """
        charts: list[dict[str, object]] = []
        body = "".join(_tab(tab, charts, number) for number, tab in enumerate(self.tabs))
        # A number and its sign stay on one line.
        body = body.replace(" %", "&nbsp;%")
        # A tag inside the data could end the script.
        data = json.dumps(charts, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
        title = html.escape(self.title)
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
            '<meta name="color-scheme" content="light dark">'
            f'<link rel="icon" href="data:,"><title>{title}</title>'
            f"<style>{_file('style.css')}</style></head><body>"
            f'<header><div class="wide"><h1>{title}</h1><p>{html.escape(self.subtitle)}</p>'
            f"</div></header>{self._navigation()}<main>{body}</main>"
            f'<footer><div class="wide">{self.footer}</div></footer>'
            f"<script>{_plotly()}</script><script>const CHARTS={data};</script>"
            f"<script>{_file('script.js')}</script></body></html>"
        )

    def _navigation(self) -> str:
        if len(self.tabs) < 2:
            return ""
        links = "".join(
            f'<a href="#{html.escape(tab.anchor, quote=True)}">{html.escape(tab.title)}</a>'
            for tab in self.tabs
        )
        return f'<nav aria-label="Strategies"><div class="wide">{links}</div></nav>'


def _tab(tab: Tab, charts: list[dict[str, object]], number: int) -> str:
    inside = "".join(_section(section, charts) for section in tab.sections)
    first = "" if number == 0 else " later"
    anchor = html.escape(tab.anchor, quote=True)
    return f'<article class="tab{first}" id="{anchor}">{inside}</article>'


def _section(section: Section, charts: list[dict[str, object]]) -> str:
    head = f"<h2>{html.escape(section.title)}</h2>" if section.title else ""
    lead = f'<p class="lead">{html.escape(section.lead)}</p>' if section.lead else ""
    blocks = "".join(_block(block, charts) for block in section.blocks)
    return f'<section class="wide">{head}{lead}{blocks}</section>'


def _block(block: str | Chart, charts: list[dict[str, object]]) -> str:
    if isinstance(block, str):
        return block
    charts.append({"data": block.data, "layout": block.layout, "height": block.height})
    label = html.escape(block.label, quote=True)
    return (
        f'<figure><div class="chart" role="img" aria-label="{label}" data-chart="{len(charts) - 1}"'
        f' style="height:{block.height}px"></div><figcaption>{html.escape(block.label)}'
        "</figcaption></figure>"
    )


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise PlotlyMissing(
            "plotly, which draws the report, is not installed: pip install plotly"
        ) from None
    return str(get_plotlyjs())
