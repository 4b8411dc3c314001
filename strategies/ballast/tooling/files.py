"""What commands write."""

from pathlib import Path

from ballast.tooling.errors import CommandError


def write(path: Path, text: str) -> None:
    """
    Write a file, and the folder that it is in.

    Raises
    ------
    CommandError
        Where that cannot be done.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None
