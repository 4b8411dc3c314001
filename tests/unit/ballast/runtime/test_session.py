"""At start the log says which guards are on, and warns of those that are off."""

import logging

import pytest

from ballast.config.guards import GuardSettings
from ballast.runtime.session import TradingSession


def told(guards: GuardSettings, caplog: pytest.LogCaptureFixture) -> dict[int, str]:
    with caplog.at_level(logging.INFO, logger="ballast.runtime.session"):
        TradingSession.log_start("Plain", guards)
    return {record.levelno: record.getMessage() for record in caplog.records}


@pytest.fixture(autouse=True)
def _logging_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.root.manager, "disable", logging.NOTSET)


def test_guards_that_are_off_are_warned_of_by_name(caplog: pytest.LogCaptureFixture) -> None:
    lines = told(GuardSettings(off=["PortfolioHeat", "DailyLossLimit"]), caplog)
    assert lines[logging.WARNING] == "Plain: guards switched OFF: PortfolioHeat, DailyLossLimit"
    assert "PortfolioHeat" not in lines[logging.INFO]
    assert "DrawdownLadder" in lines[logging.INFO]


def test_nothing_is_warned_of_when_all_are_on(caplog: pytest.LogCaptureFixture) -> None:
    lines = told(GuardSettings(), caplog)
    assert set(lines) == {logging.INFO}
    # One is on once it has figures to compare with.
    named = [name for name in GuardSettings.names() if name != "EdgeDecay"]
    assert all(name in lines[logging.INFO] for name in named)
