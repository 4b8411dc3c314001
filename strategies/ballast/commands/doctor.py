"""`python -m ballast doctor`: does the installed Freqtrade keep every behaviour we lean on?"""

import argparse
import logging
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from ballast.tooling.errors import CommandError

_ROOT = Path(__file__).resolve().parents[3]
_CONTRACT = _ROOT / "tests" / "contract"

EXAMPLES = """\
ballast doctor --quick                without the contract tests
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--quick", action="store_true", help="without the contract tests")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """
    Say of each behaviour whether it is kept; 1 if one is not.

    Raises
    ------
    CommandError
        If Freqtrade lacks what the pack cannot even be loaded without.
    """
    # The failures are provoked, and what is logged of them is looked at but not shown.
    silence = logging.NullHandler()
    logging.getLogger().addHandler(silence)
    try:
        from ballast.ops.doctor import examine

        found = examine()
    except ImportError as error:
        raise CommandError(f"the installed Freqtrade cannot be used: {error}") from None
    finally:
        logging.getLogger().removeHandler(silence)
    console = Console(highlight=False, soft_wrap=True)
    for about, wrong in found:
        text = f"CHANGED  {about} But: {wrong}" if wrong else f"kept     {about}"
        console.print(text, style="bold red" if wrong else "green", markup=False)
    kept = not any(wrong for _, wrong in found)
    if options.quick:
        return int(not kept)
    if not _CONTRACT.is_dir() or find_spec("pytest") is None:
        console.print("The contract tests are not here (repository and dev extra): not run.")
        return int(not kept)
    return int(not (_contract_tests_pass(console) and kept))


def _contract_tests_pass(console: Console) -> bool:
    console.print("Contract tests, a minute or two:")
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", str(_CONTRACT)]
    return subprocess.run(command, cwd=_ROOT, check=False).returncode == 0  # noqa: S603
