"""Figures beside their targets: those of the parts that were measured, and no others."""

from benchmarks.targets import compared

LOOP = {"to_asked": 2.0, "variants": {"Ballast": {"ratios": {"peak_mb": 1.05}}}}
ANALYSIS = {
    "1h": {"SampleStrategy": {"ratio": 1.0}, "A": {"ratio": 0.9}, "B": {"ratio": 0.7}},
    "5m": {"SampleStrategy": {"ratio": 1.0}, "A": {"ratio": 0.4}, "B": {"ratio": 0.5}},
}


def test_the_slowest_strategy_is_compared() -> None:
    rows = compared({"analysis": ANALYSIS})
    assert [(row["measured"], row["target"]) for row in rows] == [(0.9, 1.0), (0.5, 0.6)]


def test_the_slowest_example_is_compared_with_its_twin() -> None:
    (row,) = compared({"examples": {"A": {"ratio": 1.1}, "B": {"ratio": 1.3}}})
    assert (row["measured"], row["target"]) == (1.3, 1.2)


def test_the_loop_is_compared_with_empty_callbacks_and_memory_with_the_floor() -> None:
    rows = compared({"loop": LOOP, "foreign": {"to_asked": 1.2}})
    found = [(row["measured"], row["target"]) for row in rows]
    assert found == [(2.0, 1.25), (1.05, 1.1), (1.2, 1.3)]


def test_a_trade_among_many_is_compared_with_one_among_few() -> None:
    rows = [{"trades": 1_000, "per_trade_ms": 2.0}, {"trades": 20_000, "per_trade_ms": 3.0}]
    (row,) = compared({"growth": {"Ballast": rows}})
    assert row["measured"] == 1.5


def test_live_figures_that_have_a_target_are_compared_and_so_is_what_was_refused() -> None:
    figures = [
        {"figure": "share", "measured": 9.0, "target": 8.0},
        {"figure": "between candles", "measured": 4.0, "target": None},
    ]
    bots = {"Bare": {"refused": 0}, "Held": {"refused": 2}}
    rows = compared({"live": {"targets": figures, "bots": bots}})
    assert [(row["measured"], row["target"]) for row in rows] == [(9.0, 8.0), (2, 0)]


def test_a_stress_is_compared_with_its_share_of_the_time_and_makes_nothing_again() -> None:
    found = {"jobs": 8, "processes": 2, "ratio": 1.04, "again": 1}
    rows = compared({"stress": found})
    assert [(row["measured"], row["target"]) for row in rows] == [(1.04, 1.05), (1, 0)]


def test_what_was_not_measured_has_no_row() -> None:
    assert compared({"machine": {}}) == []
