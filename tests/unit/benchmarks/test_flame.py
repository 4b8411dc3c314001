"""A flame graph shows what took the time, and whose it was."""

import re
from collections import Counter

from benchmarks.flame import drawn, sampled

ROOT, OURS, THEIRS = ("loop", False), ("judge", True), ("<b>", False)


def test_each_function_is_as_wide_as_its_share_on_top_of_its_caller() -> None:
    stacks = Counter({(ROOT,): 20, (ROOT, OURS): 30, (ROOT, THEIRS): 40, (ROOT, THEIRS, OURS): 10})
    svg = drawn(stacks)
    titles = re.findall(r"<title>(.*?)</title>", svg)
    assert titles == [
        "loop: 100.0 %",
        "&lt;b&gt;: 50.0 %",
        "judge: 10.0 %",
        "judge: 30.0 %",
    ]
    heights = [int(y) for y in re.findall(r'<rect x="[^"]*" y="(\d+)"', svg)]
    assert heights[0] > heights[1] > heights[2]
    assert heights[3] == heights[1]
    colours = re.findall(r'fill="(#\w+)"/>', svg)
    assert colours[0] == colours[1] != colours[2] == colours[3]


def test_what_is_too_narrow_to_be_seen_is_left_out() -> None:
    svg = drawn(Counter({(ROOT,): 9_999, (ROOT, OURS): 1}))
    assert "judge" not in svg


def busy() -> float:
    return sum(number**0.5 for number in range(3_000_000))


def test_the_looks_find_what_is_busy() -> None:
    with sampled() as stacks:
        busy()
    names = [name for stack in stacks for name, _ in stack]
    assert "busy" in names
