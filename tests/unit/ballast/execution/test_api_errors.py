"""Failed requests to the exchange are counted from what Freqtrade really logs."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from freqtrade.exceptions import TemporaryError
from freqtrade.exchange.common import retrier

from ballast.execution.api_errors import LOGGER, ApiErrors

pytestmark = pytest.mark.usefixtures("any_hour")


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiErrors]:
    # Freqtrade's own set-up may have silenced loggers in an earlier test of this process.
    monkeypatch.setattr(logging.root.manager, "disable", logging.NOTSET)
    counter = ApiErrors(window=timedelta(minutes=10))
    counter.listen()
    yield counter
    logging.getLogger(LOGGER).removeHandler(counter)


@retrier(retries=2)
def failing_request() -> None:
    raise TemporaryError("no answer")


def now() -> datetime:
    return datetime.now(UTC)


def test_every_failed_attempt_of_a_request_counts(errors: ApiErrors) -> None:
    with pytest.raises(TemporaryError):
        failing_request()
    assert errors.count(now()) == 3


@retrier(retries=2)
def failing_candles(pair: str, why: str = "NetworkError") -> None:
    raise TemporaryError(f"Could not fetch candle data for {pair}, 1h, spot due to {why}.")


@pytest.mark.parametrize(("pairs", "counted"), [(["XYZ/USDT"], 0), (["XYZ/USDT", "ETH/BTC"], 6)])
def test_what_fails_of_one_pair_alone_is_not_the_exchange(
    pairs: list[str], counted: int, errors: ApiErrors
) -> None:
    """That pair has no candles then, and is not bought."""
    for pair in pairs:
        with pytest.raises(TemporaryError):
            failing_candles(pair)
    assert errors.count(now()) == counted
    with pytest.raises(TemporaryError):
        failing_request()
    assert errors.count(now()) == counted + 3


def test_a_pair_that_is_not_listed_never_counts(errors: ApiErrors) -> None:
    """Coins that are held are asked for by Freqtrade, at every loop, for ever."""
    for pair in ("XYZ/USDT", "ABC/USDT"):
        with pytest.raises(TemporaryError):
            failing_candles(pair, "BadSymbol")
    assert errors.count(now()) == 0


def test_other_warnings_of_the_exchange_do_not_count(errors: ApiErrors) -> None:
    logging.getLogger(LOGGER).warning("a market has been renamed")
    assert errors.count(now()) == 0


def test_a_failure_is_forgotten_after_the_window(errors: ApiErrors) -> None:
    with pytest.raises(TemporaryError):
        failing_request()
    assert errors.count(now() + timedelta(minutes=11)) == 0


def test_a_new_run_takes_the_place_of_the_counter_before_it(errors: ApiErrors) -> None:
    later = ApiErrors()
    later.listen()
    try:
        with pytest.raises(TemporaryError):
            failing_request()
        assert (errors.count(now()), later.count(now())) == (0, 3)
    finally:
        logging.getLogger(LOGGER).removeHandler(later)


@pytest.mark.parametrize("silenced", ["disabled", "level"])
def test_a_silenced_log_does_not_blind_the_counter(
    silenced: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = logging.getLogger(LOGGER)
    monkeypatch.setattr(logging.root.manager, "disable", logging.NOTSET)
    monkeypatch.setattr(source, silenced, True if silenced == "disabled" else logging.CRITICAL)
    counter = ApiErrors()
    counter.listen()
    try:
        with pytest.raises(TemporaryError):
            failing_request()
        assert counter.count(now()) == 3
    finally:
        source.removeHandler(counter)
