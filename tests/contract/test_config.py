"""What a configuration may carry, and that the one we ship is safe as it is."""

from __future__ import annotations

import json
import re
from logging.config import dictConfig
from pathlib import Path
from typing import Any

import pytest
from freqtrade.configuration.config_validation import validate_config_schema
from freqtrade.configuration.configuration import Configuration
from freqtrade.configuration.environment_vars import environment_vars_to_dict
from freqtrade.enums import RunMode
from freqtrade.exceptions import ConfigurationError
from freqtrade.loggers import _create_log_config

from tests.engine import ROOT
from tools.run_backtest import find_strategies

# The schema asks for these, and a strategy brings them.
STRATEGYS_OWN = {"timeframe": "1h", "stoploss": -0.1, "minimal_roi": {"0": 1}}


def ours() -> dict[str, Any]:
    return json.loads((ROOT / "config.json").read_text(encoding="utf-8"))


def load(folder: Path, **changes: Any) -> dict[str, Any]:
    """Our configuration with changes, read and validated as `freqtrade trade` does it."""
    path = folder / "config.json"
    path.write_text(json.dumps(ours() | changes), encoding="utf-8")
    arguments = {"config": [str(path)], "user_data_dir": str(folder)}
    return Configuration(arguments, RunMode.DRY_RUN).get_config()


def test_our_config_is_valid(tmp_path: Path) -> None:
    """Freqtrade's own schema, with every setting that a bot needs."""
    config = load(tmp_path)
    validate_config_schema(config | STRATEGYS_OWN)
    assert config["runmode"] is RunMode.DRY_RUN


def test_our_config_trades_no_money_and_holds_no_secret() -> None:
    """Someone who starts the bot as it is loses nothing and leaks nothing."""
    config = ours()
    assert config["dry_run"] is True
    assert config["enable_protections"] is True
    assert config["force_entry_enable"] is False
    secrets = [config["exchange"]["key"], config["exchange"]["secret"]]
    secrets += [config["telegram"]["token"], config["telegram"]["chat_id"]]
    assert secrets == [""] * 4
    assert "api_server" not in config


def test_a_log_that_cannot_be_written_ends_freqtrade_with_a_traceback(tmp_path: Path) -> None:
    """Hence config.json has no `log_config`: our file is opened with the strategy, and says so."""
    assert "log_config" not in ours()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "lines").mkdir()
    handler = {"class": "logging.FileHandler", "filename": str(tmp_path / "logs" / "lines")}
    config = {"version": 1, "handlers": {"file": handler}}
    made = _create_log_config({"log_config": config})
    with pytest.raises(ValueError, match="Unable to configure handler 'file'"):
        dictConfig(made)


def test_timeframe_is_that_of_every_strategy() -> None:
    """It overrides a strategy's own, and commands for several strategies refuse to do without."""
    config = ours()
    for name in find_strategies(ROOT / "strategies"):
        written = (ROOT / "strategies" / f"{name}.py").read_text(encoding="utf-8")
        assert f'timeframe = "{config["timeframe"]}"' in written


def test_section_of_our_own_passes_the_schema(tmp_path: Path) -> None:
    """All settings of Ballast are in one section, of which Freqtrade knows nothing."""
    config = load(tmp_path, ballast={"risk": {"per_trade_ratio": 0.005}})
    validate_config_schema(config | STRATEGYS_OWN)
    assert config["ballast"]["risk"]["per_trade_ratio"] == 0.005


def test_protections_in_the_configuration_are_fatal(tmp_path: Path) -> None:
    """They belong to the strategy; documentation that says otherwise is old."""
    with pytest.raises(ConfigurationError, match="protections"):
        load(tmp_path, protections=[{"method": "CooldownPeriod"}])


def test_environment_overrides_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """How docker-compose.yml hands the API's secrets over; passwords stay text."""
    monkeypatch.setenv("FREQTRADE__API_SERVER__ENABLED", "true")
    monkeypatch.setenv("FREQTRADE__API_SERVER__LISTEN_PORT", "8080")
    monkeypatch.setenv("FREQTRADE__API_SERVER__PASSWORD", "0123")
    section = environment_vars_to_dict()["api_server"]
    assert section == {"enabled": True, "listen_port": 8080, "password": "0123"}


def test_container_runs_the_freqtrade_that_is_pinned() -> None:
    """What the tests prove is what trades."""
    pinned = re.search(r'"freqtrade==([\d.]+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    compose = (ROOT / "docker-compose.yml").read_text("utf-8")
    assert pinned
    assert f"image: freqtradeorg/freqtrade:{pinned[1]}\n" in compose


def test_container_publishes_the_api_on_loopback_only() -> None:
    """The API can sell everything; nobody outside the machine may ask it to."""
    compose = (ROOT / "docker-compose.yml").read_text("utf-8")
    published = re.findall(r'ports: \["([^"]+)"\]', compose)
    assert "127.0.0.1:8080:8080" in published
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert compose.count("ports:") == len(published)
    assert compose.count(":?set it in .env}") >= 2
