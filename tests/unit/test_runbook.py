"""The runbook has an entry for every alert and every reason code that the source can give."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
SOURCE = ROOT / "strategies" / "ballast"
# Two words or more: what is written like this in the source is a reason code ...
CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
# ... except the exchange's and the system's own words.
NOT_OURS = {"REQUEST_WEIGHT", "DRILL_KILL"}


def texts(tree: ast.AST) -> Iterator[str]:
    """Texts of a module, whole and by their first word, and all words of its formatted ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.split(" ")[0].rstrip(":")
        if isinstance(node, ast.JoinedStr):
            parts = [part for part in node.values if isinstance(part, ast.Constant)]
            yield from (word for part in parts for word in re.split(r"[\s:,]", str(part.value)))


def guard_codes(tree: ast.AST) -> Iterator[str]:
    """`code: ClassVar[str] = "..."` of guards, one-word ones among them."""
    for node in ast.walk(tree):
        named = isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "code"
        if named and isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def codes() -> set[str]:
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found |= {text for text in texts(tree) if CODE.fullmatch(text)} | set(guard_codes(tree))
    return found - NOT_OURS


def test_codes_are_found_where_they_are_written() -> None:
    """Otherwise the test below would hold of an empty list."""
    written = {"DAILY_LOSS", "VOLATILITY", "DRAWDOWN", "KILL_FILE", "API_SILENT", "NOT_SIZED"}
    assert written <= codes()


@pytest.mark.parametrize("code", sorted(codes()))
def test_every_reason_code_has_an_entry(code: str) -> None:
    assert f"| `{code}` |" in RUNBOOK


def test_every_alert_has_an_entry_where_its_link_leads() -> None:
    groups = yaml.safe_load((ROOT / "deploy" / "rules.yml").read_text(encoding="utf-8"))["groups"]
    for rule in (rule for group in groups for rule in group["rules"]):
        assert f"\n### {rule['alert']}\n" in RUNBOOK


def test_every_service_and_port_is_in_the_table_of_rights() -> None:
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = operations.partition("## Rights that remain")[2].partition("\n## ")[0]
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    for name, service in compose["services"].items():
        assert f"`{name}`" in table
        for port in service.get("ports", []):
            assert port.rpartition(":")[0] in table
        for capability in service.get("cap_add", []):
            assert capability in table
