"""Areas and lines of a chart say what held, when, and why; Freqtrade takes every one of them."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from freqtrade.ft_types.plot_annotation_type import AnnotationTypeTA

from ballast.charts.annotations import Block, StopPath, labelled, of_blocks, of_frame, of_stop
from ballast.core.regime import DOWN, RANGE, UP
from tests.engine import START

HOUR = timedelta(hours=1)


def at(hours: float) -> datetime:
    return START + hours * HOUR


def frame(count: int, **columns: Any) -> pd.DataFrame:
    """Calm candles without a regime, but for some columns."""
    calm = {"regime": RANGE, "market_regime": RANGE, "trust": 0, "intensity": 0.2, "cooldown": 0}
    dates = {"date": pd.date_range(START, periods=count, freq="1h")}
    return pd.DataFrame(dates | calm | columns)


def spans(areas: list[dict[str, Any]]) -> list[tuple[float, float]]:
    return [((a["start"] - START) / HOUR, (a["end"] - START) / HOUR) for a in areas]


def taken(annotations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same, if Freqtrade would show them: an unknown key invalidates an annotation."""
    for annotation in annotations:
        AnnotationTypeTA.validate_python(annotation, extra="forbid")
    return annotations


def test_calm_candles_have_no_areas() -> None:
    assert of_frame(frame(10), HOUR) == []


def test_regimes_are_areas_whole_candles_wide() -> None:
    columns = {"regime": [UP] * 4 + [DOWN] * 4, "market_regime": [UP] * 6 + [DOWN] * 2}
    areas = taken(of_frame(frame(8, **columns), HOUR))
    assert spans(areas) == [(0, 4), (4, 6), (6, 8)]
    assert areas[0]["color"] != areas[1]["color"]


def test_only_wide_regimes_are_labelled() -> None:
    columns = {"regime": [UP] * 30 + [DOWN] * 10, "market_regime": UP}
    wide, narrow = of_frame(frame(40, **columns), HOUR)
    assert wide["label"] == "up"
    assert "label" not in narrow


def test_a_cooldown_says_how_strong_the_shock_was() -> None:
    columns = {"cooldown": [0, 3, 2, 1, 0], "intensity": [0.5, 1.4, 1.2, 0.8, 0.4]}
    (area,) = taken(of_frame(frame(5, **columns), HOUR))
    assert spans([area]) == [(1, 4)]
    assert area["label"] == "VOLATILITY 1.4x"


def test_data_that_is_not_trusted_is_marked_with_its_gravest_finding() -> None:
    (area,) = taken(of_frame(frame(6, trust=[0, 5, 3, 3, 0, 0]), HOUR))
    assert spans([area]) == [(1, 4)]
    assert area["label"] == "absurd bar"


def test_a_halt_that_is_prolonged_is_one_area_with_its_first_reason() -> None:
    blocks = [
        Block(at(2), at(6), "MARKET_SHOCK began at 7 % (limit 6 %), until 2024-01-01 06:00 UTC"),
        Block(at(5), at(9), "MARKET_SHOCK began at 8 % (limit 6 %), until 2024-01-01 09:00 UTC"),
        Block(at(12), at(13), "MARKET_SHOCK began at 9 % (limit 6 %)"),
        Block(at(3), at(4), "LOSS_STREAK value=3 limit=3"),
    ]
    areas = taken(of_blocks(blocks, at(0), at(20)))
    assert spans(areas) == [(2, 9), (3, 4), (12, 13)]
    assert areas[0]["label"] == "MARKET_SHOCK began at 7 % (limit 6 %)"


def test_halts_are_cut_to_the_chart_and_those_beyond_it_are_left_out() -> None:
    blocks = [Block(at(-5), at(2), "A"), Block(at(8), at(30), "B"), Block(at(-9), at(-6), "C")]
    assert spans(of_blocks(blocks, at(0), at(10))) == [(0, 2), (8, 10)]


def labels(annotations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [a for a in taken(annotations) if "label" in a]


def heights(annotations: list[dict[str, Any]]) -> list[int]:
    return [len(a["label"]) - len(a["label"].lstrip()) for a in labels(annotations)]


def test_halts_close_to_one_another_have_their_labels_at_different_heights() -> None:
    blocks = [Block(at(n), at(n + 1), f"CODE{n} 1 (limit 1)") for n in (0, 2, 4, 90)]
    first, second, third, far = heights(labelled(of_blocks(blocks, at(0), at(200)), HOUR, at(200)))
    assert len({first, second, third}) == 3
    assert far == first


def test_labels_a_day_apart_do_not_meet_in_the_narrow_chart_beside_the_list_of_pairs() -> None:
    """'VOLATILITY 1.3x' and 'VOLATILITY 1.06x' were written over one another in FreqUI."""
    blocks = [Block(at(0), at(8), "VOLATILITY 1.3x"), Block(at(21), at(29), "VOLATILITY2 1.06x")]
    first, second = heights(labelled(of_blocks(blocks, at(0), at(200)), HOUR, at(200)))
    assert first != second


def test_labels_of_different_kinds_do_not_lie_over_one_another() -> None:
    """An absurd bar is a shock as well, and its area begins where the cooldown's does."""
    columns = {"cooldown": [0, 2, 1], "intensity": [0.5, 9.4, 1.2], "trust": [0, 5, 0]}
    areas = of_frame(frame(3, **columns), HOUR)
    areas += of_blocks([Block(at(1), at(2), "A")], at(0), at(3))
    assert len(set(heights(labelled(areas, HOUR, at(3))))) == len(areas) == 3


def test_a_label_is_read_on_white_as_well_as_on_black() -> None:
    """FreqUI outlines it in the colour of its area: one that lets white through left grey on it."""
    shown = labelled(of_blocks([Block(at(1), at(4), "A 1")], at(0), at(9)), HOUR, at(9))
    (area,) = [a for a in shown if "label" not in a]
    (label,) = labels(shown)
    assert spans([area, label]) == [(1, 4), (2.5, 2.5)]
    assert (area["color"].startswith("rgba"), label["color"]) == (True, "#333333")


def test_a_label_at_the_end_of_a_chart_moves_back_as_far_as_its_area_goes() -> None:
    def place(begin: float) -> float:
        block = Block(at(begin), at(99), "ROLLING_DRAWDOWN began at 3.29 % (limit 3.25 %)")
        areas = of_blocks([block], at(0), at(100))
        (label,) = labels(labelled(areas, HOUR, at(100)))
        return float((label["start"] - START) / HOUR)

    assert place(0) == 49.5
    assert 60 < place(60) < 79.5
    assert place(98) == 98


def test_a_long_regime_is_named_wherever_a_chart_shows_part_of_it() -> None:
    areas = of_frame(frame(600, regime=UP, market_regime=UP), HOUR)
    named = [(a["start"] - START) / HOUR for a in labels(labelled(areas, HOUR, at(600)))]
    assert named == [60, 180, 300, 420, 540]


def test_a_stop_is_a_staircase_without_gaps() -> None:
    lines = taken(of_stop(StopPath([at(0), at(3), at(5), at(9)], [95.0, 97.0, 98.0])))
    ends = [(line["end"], line["y_end"]) for line in lines]
    starts = [(line["start"], line["y_start"]) for line in lines]
    assert ends[:-1] == starts[1:]
    assert (starts[0], ends[-1]) == ((at(0), 95.0), (at(9), 98.0))
    assert [line.get("label") for line in lines] == [None] * 4 + ["stop"]
    (line,) = of_stop(StopPath([at(0), at(3)], [95.0]), named=False)
    assert "label" not in line, "FreqUI names it itself"


def test_an_empty_chart_has_no_areas() -> None:
    assert of_frame(frame(0).astype({"cooldown": float, "trust": np.int8}), HOUR) == []
