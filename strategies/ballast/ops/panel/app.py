"""The panel's server: FastAPI on loopback, behind the name and password of the bot's API."""

import secrets
import sqlite3
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.middleware.base import RequestResponseEndpoint
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response

from ballast.core.windows import minutes
from ballast.journal.reader import Reader
from ballast.journal.rows import account_data
from ballast.ops.panel import trade, views
from ballast.tooling.bot_api import BotApi, BotSilent
from ballast.tooling.pages.page import ASSETS, SCRIPTS, script

# A page of another site must not reach it by a name that leads here.
HOSTS = ["127.0.0.1", "localhost", "[::1]"]
_MOST_CANDLES = 1500
_ASK = {"WWW-Authenticate": 'Basic realm="Ballast", charset="UTF-8"'}
# A script changes with the version alone.
_KEPT = {"Cache-Control": "private, max-age=3600"}
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def panel(
    journal: Callable[[], Reader],
    username: str,
    password: str,
    api: BotApi | None,
    clock: Callable[[], datetime | None] = lambda: datetime.now(UTC),
) -> FastAPI:
    """
    The server.

    Parameters
    ----------
    journal : callable
        Opens the bot's journal; raises sqlite3.Error or OSError where it cannot.
    username, password : str
        Of `api_server`; neither may be empty.
    api : BotApi or None
        Asked for candles; None where the bot's API is off.
    clock : callable
        Present time (UTC); None for when the journal's newest candle ended.
    """
    app = FastAPI(
        dependencies=[Depends(_only(username, password))],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)
    app.middleware("http")(_with_headers)
    app.include_router(_pages(journal, api, clock))
    return app


def _only(username: str, password: str) -> Callable[[Request], None]:
    """Lets in who has both."""

    def allowed(request: Request) -> None:
        name, word = _credentials(request.headers.get("authorization", ""))
        # Both, always: how long it takes tells nothing.
        named = secrets.compare_digest(name, username.encode())
        known = secrets.compare_digest(word, password.encode())
        if not (named and known):
            raise HTTPException(401, "name and password of the bot's API, please", _ASK)

    return allowed


def _credentials(header: str) -> tuple[bytes, bytes]:
    """Name and password as they were sent; empty where they were not."""
    scheme, _, sent = header.partition(" ")
    if scheme.lower() != "basic":
        return b"", b""
    try:
        name, _, word = b64decode(sent, validate=True).partition(b":")
    except ValueError:
        return b"", b""
    return name, word


async def _with_headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response = await call_next(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _pages(
    journal: Callable[[], Reader], api: BotApi | None, clock: Callable[[], datetime | None]
) -> APIRouter:
    router = APIRouter()

    @router.get("/", response_class=HTMLResponse)
    def overview() -> str:
        with _opened(journal) as reader:
            return views.overview(reader, clock()).html(live=True)

    @router.get("/trade/{number}", response_class=HTMLResponse)
    def one_trade(number: int) -> str:
        with _opened(journal) as reader:
            found = trade.life(reader, number, _bars(reader, number, api))
        if found is None:
            raise HTTPException(404, "the journal knows no such trade")
        return found.html(live=True)

    @router.get(ASSETS + "{name}")
    def one_script(name: str) -> Response:
        if name not in SCRIPTS:
            raise HTTPException(404, "no such script")
        return Response(script(name), media_type="text/javascript", headers=_KEPT)

    @router.get("/status.json")
    def status() -> JSONResponse:
        with _opened(journal) as reader:
            account = reader.account()
        if account is None:
            raise HTTPException(503, "the journal does not tell of the account yet")
        return JSONResponse({"strategy": reader.strategy, **account_data(account)})

    return router


@contextmanager
def _opened(journal: Callable[[], Reader]) -> Iterator[Reader]:
    reader = None
    try:
        reader = journal()
        yield reader
    except (sqlite3.Error, OSError) as error:
        raise HTTPException(503, f"the journal cannot be read: {error}") from None
    finally:
        if reader is not None:
            reader.close()


def _bars(reader: Reader, number: int, api: BotApi | None) -> trade.Bars:
    """Candles of a trade's pair, as far as the bot gives them."""
    rows, _ = reader.life(number)
    if api is None or not rows:
        return {}
    pair, timeframe = rows[0].decision.pair, rows[0].timeframe
    candle_s = 60 * minutes(timeframe)
    age_s = (datetime.now(UTC) - rows[0].decision.candle).total_seconds()
    count = min(int(age_s / candle_s) + 50, _MOST_CANDLES)
    try:
        answer: dict[str, Any] = api.ask("pair_candles", pair, timeframe, count)
    except BotSilent:
        return {}
    return _read_bars(answer)


def _read_bars(answer: dict[str, Any]) -> trade.Bars:
    columns = {name: place for place, name in enumerate(answer.get("columns") or [])}
    names = ("open", "high", "low", "close")
    if not {"date", *names} <= set(columns):
        return {}
    found = {}
    for row in answer.get("data") or []:
        moment = datetime.fromisoformat(str(row[columns["date"]])).replace(tzinfo=UTC)
        o, h, low, c = (float(row[columns[name]]) for name in names)
        found[moment] = (o, h, low, c)
    return found
