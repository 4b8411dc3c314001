"""Commands as they are typed here: what is printed to be run next must run as it is printed."""

import shlex
import shutil
import sys
from pathlib import Path


def typed(program: str) -> str:
    """A program of this environment: by its name where that leads to it, else by its path."""
    own = Path(sys.executable).with_name(program)
    found = shutil.which(program)
    if not own.exists() or (found and Path(found).absolute() == own.absolute()):
        return program
    return here(own)


def here(path: Path) -> str:
    """A path from the present folder on, where it lies below it."""
    full, base = path.absolute(), Path.cwd()
    return shlex.quote(str(full.relative_to(base) if full.is_relative_to(base) else full))
