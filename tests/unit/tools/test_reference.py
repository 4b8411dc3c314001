"""The documentation's tables are what the source says, and nothing is left out of them."""

import pytest
from pydantic import BaseModel, Field

from tools.reference import DOCS, PAGES, Undocumented, rewritten, settings_tables


@pytest.mark.parametrize("name", PAGES)
def test_the_tables_of_a_page_are_what_the_source_says(name: str) -> None:
    """`python -m tools.reference` writes them anew."""
    page = (DOCS / name).read_text(encoding="utf-8")
    assert PAGES[name](page) == page


class Part(BaseModel):
    """
    What a part is for (see `ballast.core.sizing`).

    Parameters
    ----------
    from_docstring : float
        Percent of something.
    """

    from_docstring: float = Field(1.5, gt=0, le=2)
    described: int | None = Field(None, ge=1, le=9, description="a number | of things")


class Whole(BaseModel):
    """All of it."""

    part: Part = Part(from_docstring=0.5)


class Silent(BaseModel):
    """A part."""

    pct: float = 1.0


def test_a_setting_has_default_range_and_meaning_from_field_or_docstring() -> None:
    lines = settings_tables(Whole()).splitlines()
    assert "## `ballast.part`" in lines
    assert "What a part is for." in lines
    assert "| `from_docstring` | `0.5` | a number above 0 to 2 | percent of something |" in lines
    row = "| `described` | `null` | a whole number from 1 to 9 or null | a number \\| of things |"
    assert row in lines


class Days(BaseModel):
    """
    A part.

    Parameters
    ----------
    days : int
        UTC days.
    trade_r : float
        A trade counts.
    """

    days: int = 1
    trade_r: float = 1.0


def test_a_meaning_begins_with_a_small_letter_but_for_abbreviations() -> None:
    """The page said 'uTC days'."""
    table = settings_tables(Days())
    assert "| UTC days |" in table
    assert "| a trade counts |" in table


def test_a_setting_that_nothing_says_the_meaning_of_is_refused() -> None:
    with pytest.raises(Undocumented, match="ballast: nothing says what `pct` means"):
        settings_tables(Silent())


def test_a_page_without_a_place_for_its_table_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no place for faults"):
        rewritten("# A page", "faults", "| a |")
