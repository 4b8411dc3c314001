"""One word means one thing: no two classes of the product share a name."""

import re
from collections import defaultdict
from pathlib import Path

PRODUCT = Path(__file__).parents[2] / "strategies" / "ballast"


def test_no_two_classes_share_a_name() -> None:
    """A guard's protection is called like the guard: Freqtrade finds it by that name."""
    places = defaultdict(list)
    for path in PRODUCT.rglob("*.py"):
        if path != PRODUCT / "protections" / "guards.py":
            text = path.read_text(encoding="utf-8")
            for name in re.findall(r"^class ([A-Z]\w+)", text, re.MULTILINE):
                places[name].append(path.relative_to(PRODUCT).as_posix())
    assert len(places) > 100
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
