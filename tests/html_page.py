"""A page as a browser reads it: what it shows, what it runs, what it lets run."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from html.parser import HTMLParser
from typing import Any


class Shown(HTMLParser):
    """
    Parts of a page.

    Attributes
    ----------
    text : str
        All text, the title's included, that of attributes not.
    scripts : list of str
        Scripts that run.
    charts : list
        What each chart draws, as plotly gets it.
    policy : dict of str to list of str
        Sources by directive.
    handlers : list of str
        Attributes that would run something.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.scripts: list[str] = []
        self._data: list[str] = []
        self.policy: dict[str, list[str]] = {}
        self.handlers: list[str] = []
        self._inside: list[str] | None = None
        self.feed(page)
        self.close()
        self.charts: list[Any] = [json.loads(data) for data in self._data]

    @property
    def digests(self) -> set[str]:
        """What allows each script that runs."""
        hashes = (hashlib.sha256(script.encode()).digest() for script in self.scripts)
        return {f"'sha256-{b64encode(found).decode()}'" for found in hashes}

    @property
    def allowed(self) -> set[str]:
        """What the page allows to run."""
        return set(self.policy["script-src"])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.handlers += [
            f"{tag} {name}={value}"
            for name, value in attrs
            if name.startswith("on") or "javascript:" in (value or "")
        ]
        if tag == "script":
            held = given.get("type") == "application/json"
            self._inside = self._data if held else self.scripts
            self._inside.append("")
        elif tag == "style":
            self._inside = [""]
        elif given.get("http-equiv") == "Content-Security-Policy":
            for directive in (given["content"] or "").split(";"):
                name, *sources = directive.split()
                self.policy[name] = sources

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is None:
            self.text += data
        else:
            self._inside[-1] += data
