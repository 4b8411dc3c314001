"""The documentation's site: opens offline, loads nothing from elsewhere, and has no dead link."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ballast.config.guards import GuardSettings
from tests.engine import ROOT


def build(project: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """As `make lint` does; with `--quiet` mkdocs would not count the warnings that end it."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = build(ROOT, folder)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


class Loaded(HTMLParser):
    """Addresses of what a page loads by itself; links that a reader may follow are none of them."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and given.get("rel") not in {"canonical", "next", "prev"}:
            self.addresses.append(given.get("href") or "")
        elif tag != "a":
            self.addresses += [given[name] or "" for name in ("src", "srcset") if name in given]


def loads(page: Path) -> list[str]:
    parser = Loaded()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser.addresses


def styled(sheet: Path) -> Iterator[str]:
    yield from re.findall(
        r"(?:url\(|@import\s+)[\"']?([^\"')\s]+)", sheet.read_text(encoding="utf-8")
    )


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = list(site.glob("*.html"))
    assert len(pages) > 15
    addresses = [address for page in pages for address in loads(page)]
    addresses += [address for sheet in site.rglob("*.css") for address in styled(sheet)]
    assert any("search" in address or "bundle" in address for address in addresses)
    assert [a for a in addresses if re.match(r"(https?:)?//", a)] == []


def test_every_file_a_page_loads_is_there(site: Path) -> None:
    for page in site.glob("*.html"):
        # The page of a server that does not find one: it has absolute addresses.
        if page.name != "404.html":
            for address in loads(page):
                assert (site / address.partition("?")[0]).exists(), f"{page.name}: {address}"


def test_search_works_without_a_server(site: Path) -> None:
    """A page that was opened as a file may read neither JSON nor a worker."""
    index = (site / "search" / "search_index.js").read_text(encoding="utf-8")
    assert index.startswith("var __index = ")
    assert "rearm" in index
    assert "assets/iframe-worker.js" in loads(site / "runbook.html")


def test_settings_rules_and_indicators_are_in_it(site: Path) -> None:
    texts = {
        name: (site / f"{name}.html").read_text() for name in ("settings", "rules", "indicators")
    }
    assert "per_trade_pct" in texts["settings"]
    assert 'id="ballast.core.rules.above"' in texts["rules"]
    assert 'id="ballast.core.indicators.Indicators.rsi"' in texts["indicators"]


def test_every_guard_is_explained(site: Path) -> None:
    text = (site / "guards.html").read_text()
    for name in GuardSettings.names():
        assert f"<code>{name}</code>" in text
    for name in GuardSettings.at_candles():
        assert re.search(rf'id="ballast\.core\.guards\.\w+\.{name}"', text)


def test_a_dead_link_ends_the_build_on_pages_of_both_folders(tmp_path: Path) -> None:
    dead = {
        "README.md": "docs/nowhere.md",
        "CONTRIBUTING.md": "docs/guards.md#nowhere",
        "docs/guards.md": "../CONTRIBUTING.md#lost",
    }
    for name in ("docs", "strategies"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tools").mkdir()
    for name in ("mkdocs.yml", "tools/site_pages.py", *(path.name for path in ROOT.glob("*.md"))):
        shutil.copy(ROOT / name, tmp_path / name)
    for page, link in dead.items():
        with (tmp_path / page).open("a", encoding="utf-8") as file:
            file.write(f"\n[a link]({link})\n")
    built = build(tmp_path, tmp_path / "site")
    assert built.returncode != 0
    warnings = [line for line in built.stderr.splitlines() if line.startswith("WARNING")]
    assert len(warnings) == len(dead), built.stderr
    for link in ("'nowhere.md'", "'guards.md#nowhere'", "'CONTRIBUTING.md#lost'"):
        assert any(link in line for line in warnings)
