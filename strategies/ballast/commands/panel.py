"""`python -m ballast panel`: the bot as a page on this machine, live, readable on a telephone."""

import argparse
import socket
import sys
from contextlib import suppress
from datetime import UTC, datetime

from ballast.commands.journals import journal_file
from ballast.commands.options import add_journal, config_of
from ballast.journal.reader import Reader
from ballast.tooling.errors import CommandError

EXAMPLES = """\
ballast panel                         the bot of config.json, on port 8090
ssh -L 8090:127.0.0.1:8090 server     from elsewhere, by a tunnel
"""
PORT = 8090
_LAST_PORT = 65_535
_LOOPBACK = "127.0.0.1"
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - a container's, of which only the host's loopback is published


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_journal(parser)
    parser.add_argument("--url", help="where the bot's API is (that of the configuration)")
    parser.add_argument("--port", type=int, default=PORT, help="port (%(default)s)")
    parser.add_argument(
        "--in-container",
        action="store_true",
        help="listen on the container's addresses, whose port is published on loopback alone",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Serve the page until interrupted.

    Raises
    ------
    CommandError
        If no password is set, or something cannot be used.
    """
    import uvicorn

    from ballast.ops.panel.app import panel
    from ballast.tooling.bot_api import BotApi, BotSilent

    if not 1 <= options.port <= _LAST_PORT:
        raise CommandError(
            f"--port {options.port} cannot be listened on: expected 1 to {_LAST_PORT}"
        )
    config = config_of(options)
    section = config.get("api_server") or {}
    username, password = str(section.get("username") or ""), str(section.get("password") or "")
    if not (username and password):
        raise CommandError(
            "api_server.username or api_server.password is empty: the panel has no other (set them "
            "in the configuration or as FREQTRADE__API_SERVER__PASSWORD)"
        )
    path = journal_file(options, config)
    if not path.is_file():
        raise CommandError(f"there is no journal {path}: expected that of a bot that has run")
    try:
        api = BotApi.of(config, options.url)
    except BotSilent:
        api = None

    def opened() -> Reader:
        # Found anew each time: a database that is reset gets another journal.
        return Reader(journal_file(options, config), options.strategy)

    host = _EVERYWHERE if options.in_container else _LOOPBACK

    def clock() -> datetime | None:
        return None if options.backtest else datetime.now(UTC)

    app = panel(opened, username, password, api, clock)
    try:
        listening = socket.create_server((host, options.port))
    except OSError as error:
        raise CommandError(
            f"--port {options.port} cannot be listened on: {error.strerror}"
        ) from None
    sys.stdout.write(f"ready http://{_LOOPBACK}:{options.port}\n")
    sys.stdout.flush()
    quiet = uvicorn.Config(app, log_level="warning", access_log=False)
    # It ends in order, and raises Ctrl+C anew.
    with suppress(KeyboardInterrupt):
        uvicorn.Server(quiet).run(sockets=[listening])
