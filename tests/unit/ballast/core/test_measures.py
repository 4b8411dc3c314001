"""Value against limit in one wording, with units, beginning and end."""

import math
from datetime import UTC, datetime

import pytest

from ballast.core.measures import against, duration, measure, number
from ballast.core.reasons import Reason
from ballast.core.verdict import Verdict

END = datetime(2024, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.42, "0.42 s"), (119, "119 s"), (120, "2 min"), (43_200.0, "12 h"), (300_000, "3.47 d")],
)
def test_a_length_of_time_is_said_in_the_unit_people_use(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("code", "value", "pair", "said"),
    [
        ("DAILY_LOSS", 3.14159, "", "3.14 %"),
        ("VOLATILITY", 1.6179, "BTC/USDT", "1.62x"),
        ("NO_SIZE", 207.5, "BTC/USDT", "207.5 USDT"),
        ("OWN_HOLDING", 0.25, "BTC/USDT", "0.25 BTC"),
        ("ENTRY_TIMEOUT", 43_200.0, "BTC/USDT", "12 h"),
        ("CANDLE_UNTRUSTED", 3, "BTC/USDT", "AFTER_ABSURD_BAR"),
        ("SPREAD_WIDE", 12.0, "BTC/USDT", "12 bps"),
        ("my_rule", 1_234_567.0, "", "1,234,567"),
        ("DRAWDOWN", math.nan, "", "unknown"),
    ],
)
def test_a_number_has_the_unit_of_its_code(code: str, value: float, pair: str, said: str) -> None:
    assert measure(code, value, pair) == said


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason.seen])
def test_no_code_s_number_goes_without_its_unit(reason: Reason) -> None:
    """'DATA_OUTAGE began at 50 (limit 50)' was read as fifty of anything."""
    for unit in reason.unit.replace(" or ", ", ").split(", "):
        said = measure(reason, 3.0, "BTC/USDT", unit)
        assert said == "AFTER_ABSURD_BAR" if unit == "code" else said.strip("3 "), said


def test_one_of_what_is_counted_is_one() -> None:
    assert against("SLOTS_FULL", 1.0, 2.0) == "1 trade (limit 2 trades)"
    assert against("ADDITIONS", 1.0, 3.0) == "1 entry (limit 3 entries)"


def test_a_block_that_has_calmed_says_where_it_began_and_when_it_ends() -> None:
    text = against("VOLATILITY", 0.6179, 1.0, "", began=1.6, until=END)
    assert text == "began at 1.6x (limit 1x), now 0.618x, until 2024-03-02 00:00 UTC"


def test_a_cut_says_below_what_it_ends() -> None:
    verdict = Verdict("DRAWDOWN", 1.658, 2.0, 0.78, began=2.1, below=1.5)
    numbers = "began at 2.1 % (limit 2 %), now 1.66 %, until below 1.5 %"
    assert str(verdict) == f"DRAWDOWN {numbers}"


@pytest.mark.parametrize(
    ("code", "value", "limit", "said"),
    [
        ("NO_SIZE", 3.0, 10.0, "3 USDT (needed 10 USDT)"),
        ("SPREAD_WIDE", 30.0, 20.0, "30 bps (limit 20 bps)"),
        ("POSITION_CAP", 500.0, 500.0, "500 USDT (cap 500 USDT)"),
        ("BACKOFF", 12.0, 0.0, "12 s"),
        ("CANDLE_UNTRUSTED", 3.0, 0.0, "AFTER_ABSURD_BAR"),
        ("SIGNAL_STALE", 0.0, 1.0, ""),
        ("my_rule", 2.0, 1.0, "2 (limit 1)"),
        ("my_rule", math.nan, math.nan, ""),
        ("DAILY_LOSS", math.nan, 1.5, "unknown (limit 1.5 %)"),
    ],
)
def test_a_limit_is_named_for_what_it_is(code: str, value: float, limit: float, said: str) -> None:
    assert against(code, value, limit, "BTC/USDT") == said


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [(99_999.4, 5, "99999"), (123.456, 3, "123"), (1234.5, 3, "1,234"), (1e-5, 5, "1.0000e-05")],
)
def test_no_number_has_an_exponent_where_people_write_none(
    value: float, digits: int, said: str
) -> None:
    assert number(value, digits) == said


def test_what_a_subtraction_leaves_of_nothing_is_nothing() -> None:
    """A cap that was used up read 'NO_SIZE 1.6594e-12 USDT'."""
    assert measure("NO_SIZE", 1.6594e-12, "ETH/USDT") == "0 USDT"
    assert measure("NO_SIZE", 0.00012, "ETH/USDT") == "0.00012 USDT"
