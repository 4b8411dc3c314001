"""A page is one file that opens offline and runs nothing that it is told."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from markupsafe import Markup

import ballast
from ballast.tooling.pages import charts
from ballast.tooling.pages.charts import Chart
from ballast.tooling.pages.page import Page, Section, Tab
from ballast.tooling.pages.tables import Cell, facts, table, tone
from ballast.tooling.pages.texts import Badged, badged, bullets, folded, paragraph, tiles
from tests.engine import ROOT
from tests.html_page import Shown

EVIL = "<script>alert('x')</script>"
TAG = re.compile(
    r"</?(a|b|code|dd|div|dl|dt|figure|h\d|li|p|pre|script|section|span|svg|t[dhr]|ul)\b"
)


def page_of(*blocks: Markup | Chart, tabs: int = 1) -> str:
    made = [Tab(f"t{n}", f"Tab {n}", [Section("Title", "Lead", list(blocks))]) for n in range(tabs)]
    return Page("A report", "of something", made, "The end").html()


def fixed_text(node: ast.JoinedStr) -> str:
    parts = (part.value for part in node.values if isinstance(part, ast.Constant))
    return " ".join(map(str, parts))


def test_nothing_comes_from_outside() -> None:
    text = page_of(paragraph("text"))
    # Two slashes in a digest are no address.
    assert not re.search(r"(https?:)?//[a-z]", re.sub(r"sha256-\S+", "", text))
    assert "src=" not in text
    assert Shown(text).policy["default-src"] == ["'none'"]


def test_plotly_is_inside_and_the_file_stays_below_ten_megabytes() -> None:
    text = page_of(Chart("Nothing", []))
    assert "plotly.js v" in text
    assert len(text.encode()) < 8_000_000


def test_a_page_without_charts_carries_no_plotly() -> None:
    assert len(page_of(paragraph("text"))) < 50_000


def test_no_script_runs_but_those_that_the_page_came_with() -> None:
    """The policy names them by their digest: what slips past an escape does not run either."""
    shown = Shown(page_of(Chart("Nothing", [])))
    assert len(shown.scripts) == 2
    assert shown.allowed == shown.digests
    assert "'unsafe-inline'" not in shown.policy["script-src"]


def test_charts_keep_their_data_and_their_place() -> None:
    days = pd.date_range("2021-01-01", periods=3, freq="1D", tz="UTC")
    line = charts.line("value", pd.Series([1.0, float("nan"), 3.123456789], index=days), "--c1")
    text = page_of(paragraph("before"), Chart("What it shows", [line], {"title": "x"}, 200))
    (chart,) = Shown(text).charts
    assert chart["data"][0]["x"] == ["2021-01-01", "2021-01-02", "2021-01-03"]
    assert chart["data"][0]["y"] == [1.0, None, 3.1235]
    assert chart["height"] == 200
    assert 'aria-label="What it shows"' in text
    assert text.index("before") < text.index("What it shows")


def test_what_it_is_told_is_text_and_not_code() -> None:
    blocks: list[Markup | Chart] = [
        table([EVIL, "b"], [[EVIL, Cell(EVIL)]], EVIL, words=["b"]),
        facts([(EVIL, EVIL, EVIL)]),
        paragraph(EVIL, "notice"),
        bullets([EVIL]),
        badged([Badged("note", EVIL, EVIL, EVIL)]),
        tiles([(EVIL, EVIL)]),
        folded(EVIL, paragraph(EVIL)),
        Chart(EVIL, []),
    ]
    tabs = [Tab('"' + EVIL, EVIL, [Section(EVIL, EVIL, blocks)])] * 2
    shown = Shown(Page(EVIL, EVIL, tabs, EVIL).html())
    # Head, header and footer; links; of each tab its title, its lead, and the blocks.
    assert shown.text.count(EVIL) == 4 + 2 + 2 * (2 + 4 + 3 + 1 + 1 + 3 + 2 + 2 + 1)
    assert shown.allowed == shown.digests
    assert shown.handlers == []


def test_text_that_is_no_template_s_is_escaped_wherever_it_is_put() -> None:
    assert EVIL in Shown(page_of(EVIL)).text  # type: ignore[arg-type]


def test_no_text_is_pasted_into_a_tag_outside_the_templates() -> None:
    """What is put together by hand is escaped only where somebody thought of it."""
    pasted = {
        f"{path.name}:{node.lineno}"
        for folder in ("strategies", "sandbox", "tools")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr) and TAG.search(fixed_text(node))
    }
    assert pasted == set()


def test_names_in_charts_are_text_to_plotly_which_reads_tags_in_text() -> None:
    name = "</script><b>one & two</b>"
    text = page_of(Chart("c", [{"name": name, "y": [name]}], {"title": name}))
    (chart,) = Shown(text).charts
    escaped = "&lt;/script&gt;&lt;b&gt;one &amp; two&lt;/b&gt;"
    assert chart["data"] == [{"name": escaped, "y": [escaped]}]
    assert chart["layout"]["title"] == escaped


def test_templates_style_and_script_are_installed_with_the_package() -> None:
    package = Path(ballast.__file__).parent
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["ballast"]
    files = {
        path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert len(files) > 5
    assert files == {path for pattern in patterns for path in package.glob(pattern)}


def test_one_tab_needs_no_navigation() -> None:
    assert "<nav" not in page_of()
    text = page_of(tabs=3)
    assert text.count('<a href="#t') == 3
    assert text.count('<article class="tab') == 3
    # What a window or a bookmark is called, by the tab that is shown.
    assert re.findall(r'data-title="(.*?)"', text) == ["Tab 0", "Tab 1", "Tab 2"]


def test_a_number_and_its_sign_stay_on_one_line() -> None:
    assert "<p>12\N{NO-BREAK SPACE}% of it</p>" in page_of(paragraph("12 % of it"))


def test_cells_are_tinted_by_their_tone_unless_there_is_too_little_behind_them() -> None:
    text = table(
        ["", "a", "b", "c"], [["row", Cell("1", 1.0), Cell("2", -0.5), Cell("3", 1.0, True)]]
    )
    assert "var(--good) 38%" in text
    assert "var(--bad) 19%" in text
    assert text.count("style=") == 2
    assert '<td class="grey">3</td>' in text


def test_words_stand_on_the_left_of_their_column_and_numbers_on_the_right() -> None:
    text = table(["", "why", "n"], [["row", "because", Cell("1", grey=True)]], words=["why"])
    assert '<th scope="col" class="words">why</th>' in text
    assert '<td class="words">because</td>' in text
    assert text.count("words") == 2


def test_long_names_may_break_at_their_dots() -> None:
    assert "risk.<wbr>per_<wbr>trade&lt;" in table(["a"], [["risk.per_trade<"]])


def test_facts_have_a_remark_only_where_there_is_one() -> None:
    text = facts([("a", "1", ""), ("b", "2", "why")])
    assert text.count("<span>") == 1


@pytest.mark.parametrize(
    ("value", "expected"), [(0.5, 0.5), (3.0, 1.0), (-3.0, -1.0), (float("nan"), 0.0)]
)
def test_tones_end_at_full_colour(value: float, expected: float) -> None:
    assert tone(value, 1.0) == expected


def test_what_lies_outside_a_histogram_is_counted_at_its_edges() -> None:
    bars = charts.histogram("r", [-9.0, -0.5, 0.2, 99.0], -1, 1, 0.5, "--c1")
    assert bars["x"] == [-0.75, -0.25, 0.25, 0.75]
    assert bars["y"] == [1, 1, 1, 1]


def test_stretches_of_time_are_apart_on_their_row() -> None:
    moments = pd.date_range("2021-01-01", periods=4, freq="1h")
    line = charts.spans("g", "Guard", [(moments[0], moments[1]), (moments[2], moments[3])], "--c1")
    assert line["x"][2] is None
    assert line["y"] == ["Guard", "Guard", None, "Guard", "Guard", None]
