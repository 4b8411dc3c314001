"""A running bot, asked over Freqtrade's REST API with its official client."""

import logging
from collections.abc import Mapping
from typing import Any

from freqtrade_client import FtRestClient
from requests.exceptions import RequestException

_TIMEOUT_S = 10
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - what a container listens on


class BotSilent(Exception):
    """The bot's API gives no usable answer; the text says which and why, and no secret."""


class BotApi:
    """
    Questions to one bot.

    Parameters
    ----------
    url : str
        Scheme, host and port.
    username, password : str
        Of `api_server` in its configuration.
    """

    def __init__(self, url: str, username: str, password: str) -> None:
        self.url = url.rstrip("/")
        self._client = FtRestClient(self.url, username, password, timeout=_TIMEOUT_S)
        # It logs what is raised here.
        logging.getLogger("ft_rest_client").setLevel(logging.ERROR)

    @classmethod
    def of(cls, config: Mapping[str, Any], url: str | None = None) -> "BotApi":
        """
        The bot of a configuration, on this machine unless `url` says where.

        Raises
        ------
        BotSilent
            If its API is switched off.
        """
        section = config.get("api_server") or {}
        if not section.get("enabled"):
            raise BotSilent("api_server.enabled is not true: the bot cannot be asked")
        host = str(section.get("listen_ip_address", "127.0.0.1"))
        host = "127.0.0.1" if host in _EVERYWHERE else host
        here = f"http://{host}:{section.get('listen_port', 8080)}"
        return cls(url or here, str(section.get("username", "")), str(section.get("password", "")))

    def ask(self, question: str, *arguments: Any, **named: Any) -> Any:
        """
        The answer to one question, by the name of the client's method.

        Raises
        ------
        BotSilent
            If there is none, or it is a refusal.
        """
        try:
            answer = getattr(self._client, question)(*arguments, **named)
        except (RequestException, ValueError) as error:
            raise BotSilent(f"{self.url} {question}: {type(error).__name__}") from None
        if answer is None:
            raise BotSilent(f"{self.url} cannot be reached")
        if isinstance(answer, dict) and (refusal := answer.get("detail") or answer.get("error")):
            raise BotSilent(f"{self.url} {question}: {refusal}")
        return answer
