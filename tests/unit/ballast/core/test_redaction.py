"""Secrets are taken out of whatever is written down."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.core.redaction import HIDDEN, Redactor

SECRETS = {
    "key": "KEY-1f0c9a",
    "secret": "SECRET-77aa01",
    "password": "PASS-phrase-9",
    "token": "12345:TOKEN-abc",
    "jwt_secret_key": "JWT-55ff",
    "ws_token": "WS-88cc77",
    "chat_id": "99887766",
    "db": "DBPASS-4321",
}
CONFIG: dict[str, Any] = {
    "exchange": {n: SECRETS[n] for n in ("key", "secret", "password")},
    "telegram": {n: SECRETS[n] for n in ("token", "chat_id")},
    "api_server": {
        **{n: SECRETS[n] for n in ("jwt_secret_key", "ws_token")},
        "password": SECRETS["password"],
    },
    "db_url": f"postgresql://bot:{SECRETS['db']}@db.example/trades",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_secret_of_the_configuration_is_hidden_wherever_it_occurs(secret: str) -> None:
    answer = {"info": [f"rejected {secret}!", {"deep": secret}], "text": f"a{secret}b"}
    assert secret not in json.dumps(Redactor(CONFIG).clean(answer))


@pytest.mark.parametrize(
    "text",
    [
        "GET /order?symbol=X&signature=deadbeefdeadbeef&timestamp=1",
        '{"apiKey": "deadbeefdeadbeef"}',
        "postgresql://bot:deadbeefdeadbeef@host/db",
        "token=deadbeefdeadbeef",
        # Letters that are others to an expression that does not look at case.
        *(f"{name}=deadbeefdeadbeef" for name in ("to\u212aen", "\u017fecret", "s\u0131gnature")),
        *(f"{name}=deadbeefdeadbeef" for name in ("PASSWORD", "Passphrase", "JWT", "Ap\u0131_Key")),
    ],
)
def test_what_looks_like_a_secret_is_hidden_without_a_configuration(text: str) -> None:
    cleaned = Redactor({}).text(text)
    assert "deadbeef" not in cleaned
    assert HIDDEN in cleaned


def test_a_value_under_a_secret_name_is_hidden() -> None:
    assert Redactor({}).clean({"apiKey": "x", "uid": 7, "status": "ok"}) == {
        "apiKey": HIDDEN,
        "uid": HIDDEN,
        "status": "ok",
    }


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("abc :/?,", max_size=12),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["status", "price", "side"]), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_what_holds_no_secret_stays_as_it_is(value: Any) -> None:
    assert Redactor(CONFIG).clean(value) == value
