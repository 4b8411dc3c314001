"""An address that is none is told in the same words wherever it is given."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException

from ballast.config.database_url import NoDatabaseUrl, parsed, sqlite_file
from ballast.ops.preflight.host import database
from ballast.runtime.database_file import refuse_unwritable
from ballast.tooling.database import open_database
from ballast.tooling.errors import CommandError

WRONG = ["nowhere", "", "oracel://x", "sqlite+none:///x.sqlite"]


@pytest.mark.parametrize("url", WRONG)
def test_start_preflight_and_commands_say_the_same(url: str) -> None:
    with pytest.raises(NoDatabaseUrl) as none:
        parsed("db_url", url)
    sentence = str(none.value)
    assert sentence == (
        f"db_url {url!r} is no database URL: expected one such as "
        "sqlite:///user_data/tradesv3.dryrun.sqlite"
    )
    config = {"runmode": RunMode.LIVE, "dry_run": False, "db_url": url}
    with pytest.raises(OperationalException) as refused:
        refuse_unwritable(config)
    assert str(refused.value) == sentence
    bot: Any = SimpleNamespace(config=config)
    if url:
        (found,) = database(bot)
        assert f"{found.what}: {found.todo}" == sentence
    with pytest.raises(CommandError) as answered:
        open_database(url)
    assert str(answered.value) == sentence.replace("db_url", "--db-url")


@pytest.mark.parametrize("url", ["postgres:/me:hidden@host/bot", "oracel://me:hidden@host/bot"])
def test_a_password_is_not_repeated(url: str) -> None:
    """A command repeated what it was given."""
    with pytest.raises(CommandError, match="--db-url is no database URL: expected") as answered:
        open_database(url)
    assert "hidden" not in str(answered.value)


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:///user_data/bot.sqlite", Path("user_data/bot.sqlite")),
        ("sqlite:////srv/bot.sqlite", Path("/srv/bot.sqlite")),
        ("sqlite://", None),
        ("sqlite:///:memory:", None),
        ("sqlite:///file:bot.sqlite?uri=true", None),
        ("postgresql+psycopg2://bot:pass@localhost/bot", None),
    ],
)
def test_a_file_is_that_of_an_address_with_a_plain_path(url: str, file: Path | None) -> None:
    assert sqlite_file(parsed("db_url", url)) == file
