"""A page is one file that opens offline and runs nothing that it is told."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from ballast.research.report.pages import charts
from ballast.research.report.pages.charts import Chart
from ballast.research.report.pages.page import Page, Section, Tab
from ballast.research.report.pages.tables import Cell, facts, table, tone

EVIL = "<script>alert('x')</script>"


def page_of(*blocks: str | Chart, tabs: int = 1) -> str:
    made = [Tab(f"t{n}", f"Tab {n}", [Section("Title", "Lead", list(blocks))]) for n in range(tabs)]
    return Page("A report", "of something", made, "The end").html()


def own_part(text: str) -> str:
    """A page without plotly.js, which is not ours."""
    start = text.index("<script>")
    return text[:start] + text[text.index("<script>const CHARTS=") :]


def data_of(text: str) -> list[dict]:
    found = re.search(r"<script>const CHARTS=(.*?);</script>", text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_nothing_comes_from_outside() -> None:
    own = own_part(page_of("<p>text</p>"))
    assert not re.search(r"(https?:)?//[a-z]", own)
    assert "src=" not in own
    assert "default-src 'none'" in own


def test_plotly_is_inside_and_the_file_stays_below_ten_megabytes() -> None:
    text = page_of()
    assert "plotly.js v" in text
    assert len(text.encode()) < 8_000_000


def test_charts_keep_their_data_and_their_place() -> None:
    days = pd.date_range("2021-01-01", periods=3, freq="1D", tz="UTC")
    line = charts.line("value", pd.Series([1.0, float("nan"), 3.123456789], index=days), "--c1")
    text = page_of("<p>before</p>", Chart("What it shows", [line], {"title": "x"}, 200))
    (chart,) = data_of(text)
    assert chart["data"][0]["x"] == ["2021-01-01", "2021-01-02", "2021-01-03"]
    assert chart["data"][0]["y"] == [1.0, None, 3.1235]
    assert chart["height"] == 200
    assert 'aria-label="What it shows" data-chart="0"' in text


def test_what_it_is_told_is_text_and_not_code() -> None:
    chart = Chart(EVIL, [{"name": "</script>" + EVIL}])
    text = own_part(page_of(table([EVIL, "b"], [[EVIL, Cell(EVIL)]], EVIL), chart))
    text += own_part(Page(EVIL, EVIL, [Tab('"' + EVIL, EVIL, [Section(EVIL, EVIL)])] * 2).html())
    assert EVIL not in text
    assert text.count("<script>") == 4
    assert data_of(page_of(chart))[0]["data"][0]["name"] == "</script>" + EVIL


def test_one_tab_needs_no_navigation() -> None:
    assert "<nav" not in page_of()
    text = page_of(tabs=3)
    assert text.count('<a href="#t') == 3
    assert text.count('<article class="tab') == 3


def test_a_number_and_its_sign_stay_on_one_line() -> None:
    assert "<p>12&nbsp;% of it</p>" in page_of("<p>12 % of it</p>")


def test_cells_are_tinted_by_their_tone_unless_there_is_too_little_behind_them() -> None:
    text = table(
        ["", "a", "b", "c"], [["row", Cell("1", 1.0), Cell("2", -0.5), Cell("3", 1.0, True)]]
    )
    assert "var(--good) 38%" in text
    assert "var(--bad) 19%" in text
    assert text.count("style=") == 2
    assert '<td class="grey">3</td>' in text


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
