"""Telegram's Bot API on loopback, as far as Freqtrade uses it, with a person typing into it.

It refuses what Telegram refuses: a wrong token, an empty or too long text, Markdown or HTML whose
entities do not close. A message that is refused here would have reached nobody.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

LONGEST = 4096
_POLL_S = 0.2
_CLOSES = {"*": "*", "_": "_", "`": "`", "[": "]"}


class Refused(Exception):
    """What Telegram answers with 400."""


@dataclass
class BotApi:
    """
    The state of one bot.

    Parameters
    ----------
    chat : int
        Of the operator.
    sent : list of str
        Texts that have reached the operator, oldest first.
    refused : list of str
        Reasons and texts that Telegram would not take.
    """

    token: str
    chat: int
    url: str = ""
    sent: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    polled: threading.Event = field(default_factory=threading.Event)
    _updates: list[dict[str, Any]] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def type(self, text: str, chat: int | None = None) -> int:
        """Type a command, in the operator's chat unless told otherwise; messages sent before."""
        with self._changed:
            self._updates.append(self._update(text, self.chat if chat is None else chat))
            self._changed.notify_all()
            return len(self.sent)

    def ask(self, text: str, answer: str, seconds: float = 10.0) -> str:
        """
        Type a command and wait for its answer; other messages may come in between.

        Parameters
        ----------
        answer : str
            Regular expression that the answer holds.

        Raises
        ------
        AssertionError
            With what was sent instead.
        """
        before = self.type(text)
        return self.wait_for(answer, before, seconds)

    def wait_for(self, answer: str, before: int = 0, seconds: float = 10.0) -> str:
        """The first message, after the first `before`, that holds a regular expression."""
        found = lambda: [m for m in self.sent[before:] if re.search(answer, m)]  # noqa: E731
        with self._changed:
            self._changed.wait_for(found, seconds)
            assert found(), f"no {answer!r} in {self.sent[before:]}"
            return found()[0]

    def answer(self, method: str, asked: dict[str, str]) -> Any:
        """The result of a method."""
        if method == "getMe":
            return {"id": 1, "is_bot": True, "first_name": "bot", "username": "ballast_bot"}
        if method == "getUpdates":
            return self._new(int(asked.get("offset", 0)), float(asked.get("timeout", 0)))
        if method == "sendMessage":
            return self._send(asked)
        return True

    def _new(self, offset: int, timeout: float) -> list[dict[str, Any]]:
        self.polled.set()
        # The newest may be dropped by asking from -1 on, as at start.
        until = time.monotonic() + min(timeout, _POLL_S)
        with self._changed:
            self._updates = [u for u in self._updates if offset >= 0 and u["update_id"] >= offset]
            while not self._updates and time.monotonic() < until:
                self._changed.wait(_POLL_S)
            return list(self._updates)

    def _send(self, asked: dict[str, str]) -> dict[str, Any]:
        text = asked.get("text", "")
        try:
            shown = readable(text, asked.get("parse_mode", ""))
        except Refused as refusal:
            self.refused.append(f"{refusal}: {text}")
            raise
        with self._changed:
            if int(asked["chat_id"]) == self.chat:
                self.sent.append(shown)
            self._changed.notify_all()
        return self._message(text, int(asked["chat_id"]))

    def _update(self, text: str, chat: int) -> dict[str, Any]:
        command = {"type": "bot_command", "offset": 0, "length": len(text.split(" ")[0])}
        message = {**self._message(text, chat), "entities": [command]}
        return {"update_id": time.monotonic_ns() // 1000, "message": message}

    def _message(self, text: str, chat: int) -> dict[str, Any]:
        person = {"id": chat, "is_bot": False, "first_name": "person"}
        where = {"id": chat, "type": "private"}
        return {"message_id": 1, "date": 1, "chat": where, "from": person, "text": text}


def readable(text: str, parse_mode: str) -> str:
    """
    What a person sees of a message.

    Raises
    ------
    Refused
        As Telegram would refuse it.
    """
    if not text.strip():
        raise Refused("message text is empty")
    if parse_mode == "HTML":
        text = _from_html(text)
    elif parse_mode == "Markdown":
        text = _from_markdown(text)
    if len(text) > LONGEST:
        raise Refused("message is too long")
    return text


def _from_html(text: str) -> str:
    opened: list[str] = []
    for slash, name in re.findall(r"<(/?)(\w+)[^>]*>", text):
        if not slash:
            opened.append(name)
        elif not opened or opened.pop() != name:
            raise Refused(f"can't parse entities: unmatched end tag {name}")
    if opened:
        raise Refused(f"can't parse entities: can't find end tag {opened[-1]}")
    text = re.sub(r"</?(b|i|u|s|a|pre|code)\b[^>]*>", "", text)
    if "<" in text:
        raise Refused("can't parse entities: unsupported start tag")
    return (
        text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", '"')
        .replace("&#x27;", "'")
        .replace("&amp;", "&")
    )


def _from_markdown(text: str) -> str:
    """Telegram's first Markdown: nothing nests, and what opens must close."""
    shown, at = [], 0
    while at < len(text):
        sign = text[at]
        if sign == "\\" and text[at + 1 : at + 2] in tuple(_CLOSES):
            shown.append(text[at + 1])
            at += 2
        elif sign not in _CLOSES:
            shown.append(sign)
            at += 1
        else:
            closing = "```" if text.startswith("```", at) else _CLOSES[sign]
            begin = at + len(closing)
            end = text.find(closing, begin)
            if end < 0:
                raise Refused(f"can't parse entities: can't find end of the entity at {at}")
            shown.append(text[begin:end])
            at = end + len(closing)
    return "".join(shown)


@contextmanager
def telegram_api(token: str, chat: int) -> Iterator[BotApi]:
    """A Bot API on a free port, for the bot with this token and the operator in this chat."""
    api = BotApi(token, chat)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            asked = {name: values[0] for name, values in parse_qs(body).items()}
            _, bot, method = self.path.split("/", 2)
            if bot != f"bot{api.token}":
                return self._reply(401, {"description": "Unauthorized"})
            try:
                return self._reply(200, {"result": api.answer(method, asked)})
            except Refused as refusal:
                return self._reply(400, {"description": f"Bad Request: {refusal}"})

        def _reply(self, status: int, body: dict[str, Any]) -> None:
            answer = {"ok": status == 200, "error_code": status, **body}
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_port}/bot"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
