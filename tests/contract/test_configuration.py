"""Our own reading of configuration files answers as Freqtrade's, which takes seconds to import."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from freqtrade.configuration.environment_vars import environment_vars_to_dict
from freqtrade.configuration.load_config import load_from_files
from freqtrade.constants import DEFAULT_DB_DRYRUN_URL, DEFAULT_DB_PROD_URL
from freqtrade.misc import deep_merge_dicts

from ballast.tooling.config_files import DRY_RUN_DATABASE, LIVE_DATABASE, read_config
from ballast.tooling.errors import CommandError
from tests.engine import ROOT

LATER = """{
    // A comment, and a trailing comma.
    "dry_run": false, "add_config_files": ["below/further.json"],
    "ballast": {"journal": {"path": "mine.sqlite"}},
}"""
FURTHER = {"dry_run": True, "bot_name": "further", "exchange": {"key": "below"}}
VARIABLES = {
    "FREQTRADE__DRY_RUN": "f",
    "FREQTRADE__MAX_OPEN_TRADES": "3",
    "FREQTRADE__STAKE_AMOUNT": "1.5",
    "FREQTRADE__TELEGRAM__CHAT_ID": "0012",
    "FREQTRADE__API_SERVER__PASSWORD": "1234",
    "FREQTRADE__EXCHANGE__PAIR_WHITELIST": '["BTC/USDT", "ETH/USDT"]',
    "FREQTRADE__EXCHANGE__CCXT_CONFIG__httpsProxy": "here",
    "FREQTRADE__EXCHANGE__NAME": "true",
    "FREQTRADE__BALLAST__MARKET__LEADER": "ETH/USDT",
}


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "further.json").write_text(json.dumps(FURTHER))
    (tmp_path / "later.json").write_text(LATER)
    return [str(ROOT / "config.json"), str(tmp_path / "later.json")]


def test_files_and_environment_are_read_as_freqtrade_reads_them(
    files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    theirs = deep_merge_dicts(environment_vars_to_dict(), load_from_files(files))
    theirs.pop("config_files")
    assert read_config(files) == theirs
    assert theirs["telegram"]["chat_id"] == "0012"
    assert theirs["bot_name"] == "further"


def test_the_usual_databases_are_freqtrades() -> None:
    assert (DRY_RUN_DATABASE, LIVE_DATABASE) == (DEFAULT_DB_DRYRUN_URL, DEFAULT_DB_PROD_URL)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"a": ', "--config"),
        ("[1]", "holds no configuration"),
        ('{"add_config_files": ["a.json"]}', "in a circle"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(
    tmp_path: Path, text: str, sentence: str
) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(CommandError, match=sentence) as raised:
        read_config([str(tmp_path / "a.json")])
    assert "\n" not in str(raised.value)
