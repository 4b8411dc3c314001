"""`python -m ballast metrics`: the sidecar that Prometheus asks about a running bot."""

import argparse
import sys
import threading
from pathlib import Path

from ballast.commands.options import add_config, add_database, add_userdir
from ballast.config import settings
from ballast.tooling.bot_api import BotApi, BotSilent
from ballast.tooling.config_files import database_url, read_config
from ballast.tooling.errors import CommandError

PORT = 9108

EXAMPLES = """\
ballast metrics --port 9108
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_config(parser)
    parser.add_argument("--url", help="where the bot's API is (that of the configuration)")
    add_userdir(parser)
    add_database(parser)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=PORT, help="port (%(default)s)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Serve metrics until interrupted.

    Raises
    ------
    CommandError
        If prometheus-client is missing, or something cannot be used.
    """
    try:
        from prometheus_client import CollectorRegistry, start_http_server

        from ballast.ops.metrics.sidecar import Sidecar
    except ImportError:
        raise CommandError("prometheus-client is missing: pip install prometheus-client") from None
    config = read_config(options.config or ["config.json"])
    try:
        loaded = settings.load(config.get(settings.SECTION))
        api = BotApi.of(config, options.url)
    except (settings.SettingsError, BotSilent) as error:
        raise CommandError(str(error)) from None
    user_data = Path(options.userdir or config.get("user_data_dir") or "user_data")
    registry = CollectorRegistry()
    registry.register(Sidecar(api, loaded, database_url(options.db_url, config), user_data, config))
    try:
        start_http_server(options.port, options.host, registry)
    except OSError as error:
        raise CommandError(
            f"--port {options.port} cannot be listened on: {error.strerror}"
        ) from None
    sys.stdout.write(f"ready http://{options.host}:{options.port}/metrics\n")
    sys.stdout.flush()
    threading.Event().wait()
