"""Secrets never leave the bot: not in its journal, not in its logs."""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

HIDDEN = "***"
_SECRET_NAME = re.compile(
    r"(^|_|-|\b)(api_?key|key|secret|pass(word|phrase)?|pwd|token|jwt\w*|signature|authorization"
    r"|credential\w*|private_?key|wallet_?address|uid|account_?id|chat_?id)($|_|-|\b)",
    re.IGNORECASE,
)
# In addresses and texts: name=value, the way requests are signed; user:password@host.
_IN_TEXT = re.compile(
    r"(?i)\b((?:api_?key|secret|pass(?:word|phrase)?|token|signature|jwt)\w*[\"']?\s*[=:]\s*[\"']?)"
    r"[^\s&\"',;}]+"
)
_IN_ADDRESS = re.compile(r"(://[^/\s:@]*:)[^@\s/]+@")
# One of these is in whatever `_IN_TEXT` finds: most lines of a log are told by them alone, of which
# an answer of the exchange may be many screens long.
_STEMS = ("key", "secret", "pass", "token", "gnature", "jwt")
# Shorter ones are words that would be cut out of innocent texts.
_SHORTEST = 6


class Redactor:
    """
    Takes secrets out of anything that can be written as JSON.

    Hidden are: the secrets of the configuration wherever they occur, values whose name says that
    they are secret, and what looks like a signed request or a password in an address.

    Parameters
    ----------
    config : mapping
        Freqtrade's configuration.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        secrets = {text for text in _secrets(config) if len(text) >= _SHORTEST}
        # Longer ones first: one secret may be the beginning of another.
        ordered = sorted(secrets, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """The text without secrets."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        # As the expression compares letters: there are others that it takes for an s or a k.
        folded = text.casefold()
        if any(stem in folded for stem in _STEMS):
            text = _IN_TEXT.sub(rf"\1{HIDDEN}", text)
        return _IN_ADDRESS.sub(rf"\1{HIDDEN}@", text) if "://" in text else text

    def clean(self, value: Any) -> Any:
        """The same structure without secrets."""
        if isinstance(value, Mapping):
            return {
                str(name): HIDDEN if _names_secret(str(name)) and part else self.clean(part)
                for name, part in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.clean(part) for part in value]
        return self.text(value) if isinstance(value, str) else value


@functools.lru_cache(maxsize=1024)
def _names_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _secrets(config: Any, secret: bool = False) -> Iterator[str]:
    """Every text of a configuration that lies under a name that says it is secret."""
    if isinstance(config, Mapping):
        for name, part in config.items():
            text = str(name)
            if text == "db_url" and isinstance(part, str):
                yield from (
                    found[1] for found in [re.search(r"://[^/:@]*:([^@/]+)@", part)] if found
                )
            yield from _secrets(part, secret or _names_secret(text))
    elif isinstance(config, list | tuple):
        for part in config:
            yield from _secrets(part, secret)
    elif secret and config is not None and not isinstance(config, bool):
        yield str(config)
