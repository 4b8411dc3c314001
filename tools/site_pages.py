"""Pages of the site that lie in the repository's root, where everybody looks for them first.

A hook of mkdocs (`mkdocs.yml`): they are shown as if they lay in `docs/`, with their links turned
round, so that the strict build checks those as well.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages; mkdocs takes a README for the home page."""
    for name in PAGES:
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=seen_from_docs(text)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links of pages in `docs/` to those of the root."""
    return re.sub(rf"\]\(\.\./({'|'.join(map(re.escape, PAGES))})", r"](\1", markdown)


def seen_from_docs(text: str) -> str:
    """A page of the root with the links that it would have in `docs/`."""
    return text.replace("](docs/", "](")
