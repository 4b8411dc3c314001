"""The runbook has an entry for every alert, and for every reason code as the source has it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import talib
import yaml

from ballast.core.decision import Outcome
from ballast.core.reasons import Reason
from ballast.core.trust import DataQuality
from ballast.ops import runbook

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
SOURCE = ROOT / "strategies" / "ballast"
# Two words or more: what is written like this in the source looks like a reason code ...
CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
# ... except the exchange's and the system's own words.
NOT_CODES = {"REQUEST_WEIGHT", "DRILL_KILL", "PRIVATE_KEY", "WALLET_ADDRESS", *Outcome}
# Indicators are named as TA-Lib does.
NOT_CODES |= set(talib.get_functions())


def texts(tree: ast.AST) -> Iterator[str]:
    """
    Texts of a module, whole and by their first word, and all words of its formatted ones; those of
    docstrings left out.
    """
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value.split(" ")[0].rstrip(":")
        if isinstance(node, ast.JoinedStr):
            parts = [part for part in node.values if isinstance(part, ast.Constant)]
            yield from (word for part in parts for word in re.split(r"[\s:,]", str(part.value)))


def sources() -> list[Path]:
    return [path for path in SOURCE.rglob("*.py") if path.name != "reasons.py"]


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_reason_codes_are_written_in_one_place(path: Path) -> None:
    """A code written as text elsewhere would have no meaning, and no entry in the runbook."""
    found = set(texts(ast.parse(path.read_text(encoding="utf-8"))))
    assert not {text for text in found if CODE.fullmatch(text)} - NOT_CODES
    assert not found & {reason for reason in Reason if CODE.fullmatch(reason)}


def test_codes_written_as_text_are_found() -> None:
    """Otherwise the test above would hold of anything."""
    written = ast.parse("""refuse("DAILY_LOSS", f"{x} KILL_FILE: gone", "API_SILENT none")""")
    assert {"DAILY_LOSS", "KILL_FILE", "API_SILENT"} <= set(texts(written))


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_only_codes_that_there_are_are_used(path: Path) -> None:
    """`Reason.X` fails only where it is reached."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "Reason":
            assert node.attr in Reason.__members__


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_code_is_given_somewhere(reason: Reason) -> None:
    used = f"Reason.{reason.name}"
    by_name = reason.name in DataQuality.__members__
    assert by_name or any(
        re.search(rf"{used}\b", path.read_text(encoding="utf-8"))
        for path in sources()
        if path.name != "runbook.py"
    )


def test_every_quality_of_data_but_the_good_one_is_a_reason() -> None:
    assert {quality.name for quality in DataQuality} - {"OK"} <= set(Reason)


def test_a_reason_is_its_text() -> None:
    """What was stored as text is found again, compared and looked up."""
    by_code: dict[str, int] = {Reason.DAILY_LOSS: 1, Reason.TIME_STOP: 2}
    assert by_code["DAILY_LOSS"] == {"DAILY_LOSS": 1}[Reason.DAILY_LOSS] == 1
    assert by_code["time_stop"] == 2
    assert f"{Reason.TIME_STOP}" == str(Reason.TIME_STOP) == "time_stop"
    assert type(str(Reason.TIME_STOP)) is str


def test_the_tables_are_as_the_codes_have_it() -> None:
    """After a change: `python -m tools.reference`."""
    assert runbook.page(RUNBOOK) == RUNBOOK


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
