"""A sale says at which profit, after which time and with what share, or is refused by name."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ballast.core.candles import Candles
from ballast.core.combinations import hours, within
from ballast.core.exits import Sell, explained, sell
from ballast.core.rules import Axis, holds
from ballast.core.setups import Setup, SetupRefused
from ballast.core.signals import STATE, columns_of
from ballast.core.stops import StopRules
from tests.unit.ballast.core.made import walk

# Bought at 100 with a stop at 96.
ENTRY, RISK = 100.0, 4.0


def due(sale: Sell, close: float, held_minutes: float = 0.0) -> bool:
    return sale.is_due(close, ENTRY, RISK, held_minutes)


@pytest.mark.parametrize(
    ("at", "price"), [("2R", 108.0), ("0.5 R", 102.0), ("5%", 105.0), ("2.5 %", 102.5), ("0%", 100)]
)
def test_profit_is_met_by_a_close_at_its_price_and_not_a_tick_below(at: str, price: float) -> None:
    sale = sell(at=at)
    assert sale.price(ENTRY, RISK) == pytest.approx(price)
    assert due(sale, price)
    assert not due(sale, price - 0.01)


def test_unknown_close_is_no_profit() -> None:
    assert not due(sell(at="0%"), math.nan, 9_999)


def test_time_is_up_at_its_end_and_not_a_minute_before() -> None:
    sale = sell(after="2h")
    assert math.isnan(sale.price(ENTRY, RISK))
    assert due(sale, math.nan, 120)
    assert not due(sale, 200.0, 119)


def test_profit_and_time_must_both_be_met() -> None:
    sale = sell(at="1%", after="1d")
    assert [due(sale, close, held) for close in (100.9, 101) for held in (1439, 1440)] == [
        False,
        False,
        False,
        True,
    ]


def test_a_rule_must_be_met_as_well() -> None:
    sale = sell(at="1%", when=holds(pd.Series([True])))
    found = [
        sale.is_due(close, ENTRY, RISK, 0, met) for close in (100.9, 101) for met in (False, True)
    ]
    assert found == [False, False, False, True]
    assert str(sale) == "sell(at='1%', when=...)"


def test_a_sales_rule_is_bound_looked_up_and_read() -> None:
    frame = walk(3, 48)
    stated = setup(
        half=sell(share=0.5, when=within(3, hours(8, 9))), late=holds(frame["close"] > 0)
    )
    bound = stated.on(Axis(frame["date"], "1h"))
    assert bound.history == 2
    assert list(bound.read_for_exit) == ["late", "half.when"]
    columns = columns_of(Candles(frame, "1h"), dict.fromkeys(STATE, np.zeros(48)), [bound])
    ends = (frame["date"] + pd.Timedelta(hours=1)).dt.hour
    assert list(columns["sale:Mini:half"]) == list(ends.isin([8, 9, 10]))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "sell() says none of at='2R', after='3d' and when=below(...)"),
        ({"when": True}, "sell(when=True): expected a rule such as below(...)"),
        ({"share": 0.5}, "sell(share=0.5) says none of at='2R', after='3d' and when=below(...)"),
        (
            {"at": "2 x"},
            "sell(at='2 x'): expected a profit such as '2R' or '5%', up to 100R or 1000%",
        ),
        ({"at": 2}, "sell(at=2): expected a profit such as '2R' or '5%', up to 100R or 1000%"),
        ({"at": "-1R"}, "sell(at='-1R'): expected a profit such as '2R' or '5%', up to 100R or"),
        ({"at": "101R"}, "sell(at='101R'): expected a profit such as"),
        ({"after": "soon"}, "sell(after='soon'): expected a length of time such as '36h' or '10d'"),
        ({"at": "2R", "share": 0}, "sell(share=0): expected a number above 0 to 1, of what was"),
        ({"at": "2R", "share": 1.1}, "sell(share=1.1): expected a number above 0 to 1"),
        ({"at": "2R", "share": True}, "sell(share=True): expected a number above 0 to 1"),
    ],
)
def test_what_cannot_be_used_is_named_with_what_is_accepted(
    said: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        sell(**said)


def setup(**exits: Any) -> Setup:
    return Setup("Mini", {"up": holds(pd.Series([True]))}, StopRules(initial_atr=2), exits)


def test_rules_and_sales_of_a_setup_are_told_apart() -> None:
    stated = setup(late=holds(pd.Series([False])), target=sell(at="3R"))
    assert (list(stated.exit_rules), list(stated.sales)) == (["late"], ["target"])


def test_what_is_neither_rule_nor_sale_is_refused() -> None:
    with pytest.raises(SetupRefused, match=r"^Mini\.exit\.target is '3R': expected a rule such as"):
        setup(target="3R")


def test_shares_that_leave_nothing_are_refused() -> None:
    thirds = {"one": sell(at="1R", share=1 / 3), "two": sell(at="2R", share=1 / 3)}
    assert setup(**thirds, rest=sell(at="3R")).sales["rest"].share == 1
    with pytest.raises(SetupRefused) as refused:
        setup(**thirds, three=sell(at="3R", share=1 / 3))
    assert str(refused.value) == (
        "Mini.exit: shares of one, two, three are 1 together: expected less than 1, what is left "
        "is sold without a share"
    )


def test_a_sale_is_explained_by_its_profit_and_its_time() -> None:
    assert explained(106, ENTRY, RISK, 180) == "close 106 is +1.50 R, +6.00 % from the entry; " + (
        "held 3 h"
    )
    assert explained(math.nan, ENTRY, RISK, 180) == "held 3 h"
