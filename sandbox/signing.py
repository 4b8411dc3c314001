"""API keys and what they may do; signatures and time stamps of requests."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from sandbox.errors import ApiError, missing_parameter

DEFAULT_KEY = "sandbox-key"
DEFAULT_SECRET = "sandbox-secret"  # noqa: S105
DEFAULT_WINDOW_MS, MAX_WINDOW_MS = 5_000, 60_000
# A request may be this far ahead of the exchange's clock.
MAX_AHEAD_MS = 1_000
UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, its secret and its rights as apiRestrictions shows them."""

    key: str = DEFAULT_KEY
    secret: str = DEFAULT_SECRET
    reading: bool = True
    spot_trading: bool = True
    withdrawals: bool = False
    ip_restricted: bool = True

    def restrictions(self, created_ms: int) -> dict[str, Any]:
        """The body of apiRestrictions."""
        return {
            "ipRestrict": self.ip_restricted,
            "createTime": created_ms,
            "enableReading": self.reading,
            "enableSpotAndMarginTrading": self.spot_trading,
            "enableWithdrawals": self.withdrawals,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableFutures": False,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enablePortfolioMarginTrading": False,
            "enableFixApiTrade": False,
            "enableFixReadOnly": False,
        }


class Signatures:
    """Checks that a request comes from the holder of a key, and is fresh."""

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        self._keys = {key.key: key for key in keys}

    def key(self, name: str | None) -> ApiKey:
        """The key of the header X-MBX-APIKEY; ApiError -2014 without one, -2015 if unknown."""
        if not name:
            raise ApiError(-2014, "API-key format invalid.", UNAUTHORIZED)
        if name not in self._keys:
            raise not_permitted()
        return self._keys[name]

    def verify(self, key: ApiKey, query: str, body: str, now_ms: int) -> dict[str, str]:
        """The parameters of a signed request.

        Parameters
        ----------
        query, body : as they were sent, form-encoded; the signature is the last parameter.
        now_ms : the exchange's time [Unix ms].

        Raises
        ------
        ApiError
            -1102 without a time stamp or a signature, -1021 for one outside of recvWindow, -1022
            for a signature that is not HMAC-SHA256 of what was sent.
        """
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        parameters |= dict(parse_qsl(body, keep_blank_values=True))
        given = parameters.pop("signature", "")
        if not given:
            raise missing_parameter("signature")
        _check_time(parameters, now_ms)
        payload = _unsigned(query) + _unsigned(body)
        expected = hmac.new(key.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), given.lower().encode()):
            raise ApiError(-1022, "Signature for this request is not valid.")
        return parameters


def not_permitted() -> ApiError:
    """The refusal of an unknown key, or of one that may not do what it asks (-2015)."""
    return ApiError(-2015, "Invalid API-key, IP, or permissions for action.", UNAUTHORIZED)


def _unsigned(text: str) -> str:
    return "&".join(part for part in text.split("&") if not part.startswith("signature="))


def _check_time(parameters: dict[str, str], now_ms: int) -> None:
    stamp = _milliseconds("timestamp", parameters.get("timestamp", ""))
    window = _milliseconds("recvWindow", parameters.get("recvWindow", str(DEFAULT_WINDOW_MS)))
    if window > MAX_WINDOW_MS:
        raise ApiError(-1131, f"recvWindow must be less than {MAX_WINDOW_MS}.")
    if stamp > now_ms + MAX_AHEAD_MS:
        message = "Timestamp for this request was 1000ms ahead of the server's time."
        raise ApiError(-1021, message)
    if stamp < now_ms - window:
        raise ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")


def _milliseconds(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise missing_parameter(name)
    return int(text)
