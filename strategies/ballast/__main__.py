"""`python -m ballast`: tools that read what a run left behind.

Exit code 0, or 2 with one sentence on standard error for anything that cannot be used.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from ballast.commands import guards
from ballast.commands.errors import CommandError

_COMMANDS = {
    "guards": (guards, "what the guards remember, and re-arming one by hand"),
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message.rstrip('.')} (see --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = _Parser(prog="python -m ballast", description="Tools of the risk layer.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (command, summary) in _COMMANDS.items():
        command.add_to(commands.add_parser(name, help=summary, description=summary))
    try:
        options = parser.parse_args(arguments)
        options.run(options)
    except CommandError as error:
        sys.stderr.write(f"ballast: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
