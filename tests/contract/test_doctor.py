"""`python -m ballast doctor` finds nothing wrong with the pinned Freqtrade, and what is changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ballast.__main__ import main
from ballast.ops import doctor


@pytest.mark.parametrize("check", doctor.CHECKS, ids=lambda check: check.__name__)
def test_pinned_freqtrade_keeps_what_is_leaned_on(check: Callable[[], str]) -> None:
    assert check() == ""


def renamed(self: Any, pair: str, quantity: float, **kwargs: Any) -> bool:
    """As a later Freqtrade might declare `confirm_trade_entry`."""
    return True


@pytest.mark.parametrize(
    ("target", "value", "words"),
    [
        ("freqtrade.__version__", "2027.1", "Freqtrade is 2027.1, tested with 2026.9"),
        ("freqtrade.strategy.IStrategy.confirm_trade_entry", renamed, "no longer given amount"),
        ("ballast.ops.doctor.stoploss_from_absolute", lambda *_, **__: -0.1, "it is -0.1"),
        ("ballast.ops.doctor.strategy_safe_wrapper", lambda f, **__: lambda: None, "with None"),
        ("ballast.execution.api_errors.LOGGER", "freqtrade.moved", "0 of 1 were counted"),
        ("ballast.ops.doctor.FtRestClient", object, "it lacks balance"),
        ("ballast.ops.doctor.sanitize_config", lambda config: config, "secrets are shown"),
        ("ballast.ops.doctor.DataProvider", object, "it lacks get_pair_dataframe"),
        ("freqtrade.freqtradebot.FreqtradeBot.handle_protections", len, "lacks pair, side"),
        ("freqtrade.freqtradebot.FreqtradeBot._update_trade_after_fill", renamed, "another order"),
    ],
)
def test_change_is_named(
    target: str, value: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, value)
    (wrong,) = [wrong for _, wrong in doctor.examine() if wrong]
    assert words in wrong


def test_command_says_what_changed_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--quick"]) == 0
    assert "CHANGED" not in capsys.readouterr().out
    monkeypatch.setattr("freqtrade.__version__", "2027.1")
    assert main(["doctor", "--quick"]) == 1
    assert "CHANGED  It is the version that all else was tested with." in capsys.readouterr().out
