"""Only fresh requests of the holder of a key are heard."""

import hashlib
import hmac

import pytest

from sandbox.errors import ApiError
from sandbox.signing import DEFAULT_KEY, DEFAULT_SECRET, ApiKey, Signatures

NOW_MS = 1_704_067_200_000
SIGNATURES = Signatures([ApiKey()])
KEY = ApiKey()


def signed(query: str, secret: str = DEFAULT_SECRET) -> str:
    signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return f"{query}&signature={signature}"


def verify(query: str, body: str = "") -> dict[str, str]:
    return SIGNATURES.verify(KEY, query, body, NOW_MS)


def code(query: str, body: str = "") -> int:
    with pytest.raises(ApiError) as refusal:
        verify(query, body)
    return refusal.value.code


def test_a_signed_query_and_a_signed_body_are_read() -> None:
    assert verify(signed(f"symbol=BTCUSDT&timestamp={NOW_MS}"))["symbol"] == "BTCUSDT"
    assert verify("", signed(f"symbol=BTC%2FX&timestamp={NOW_MS}"))["symbol"] == "BTC/X"


def test_the_example_of_binances_documentation_verifies() -> None:
    key = ApiKey(secret="NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j")  # noqa: S106
    body = (
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
        "&timestamp=1499827319559"
        "&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    )
    assert SIGNATURES.verify(key, "", body, 1499827319559)["price"] == "0.1"


def test_a_changed_parameter_or_another_secret_is_refused() -> None:
    query = signed(f"quantity=1&timestamp={NOW_MS}")
    assert code(query.replace("quantity=1", "quantity=2")) == -1022
    assert code(signed(f"quantity=1&timestamp={NOW_MS}", "another")) == -1022


def test_a_signature_and_a_time_stamp_are_mandatory() -> None:
    assert code(f"timestamp={NOW_MS}") == -1102
    assert code(signed("symbol=BTCUSDT")) == -1102
    assert code(signed("timestamp=now")) == -1102


@pytest.mark.parametrize(
    ("offset_ms", "window", "accepted"),
    [
        (-5000, "", True),
        (-5001, "", False),
        (-10_000, "&recvWindow=10000", True),
        (-10_001, "&recvWindow=10000", False),
        (1000, "", True),
        (1001, "", False),
    ],
)
def test_a_request_is_heard_within_its_window(offset_ms: int, window: str, accepted: bool) -> None:
    query = signed(f"timestamp={NOW_MS + offset_ms}{window}")
    if accepted:
        verify(query)
    else:
        assert code(query) == -1021


def test_a_window_above_a_minute_is_refused() -> None:
    assert code(signed(f"timestamp={NOW_MS}&recvWindow=60001")) == -1131


@pytest.mark.parametrize(("name", "refusal"), [(None, -2014), ("", -2014), ("other", -2015)])
def test_a_missing_and_an_unknown_key_are_told_apart(name: str | None, refusal: int) -> None:
    with pytest.raises(ApiError) as error:
        SIGNATURES.key(name)
    assert (error.value.code, error.value.status) == (refusal, 401)


def test_the_right_key_is_found() -> None:
    assert SIGNATURES.key(DEFAULT_KEY).spot_trading
