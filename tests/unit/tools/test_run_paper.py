"""What `make paper` serves a person with: a port that is free, and tokens that last."""

from __future__ import annotations

import io
import re
import socket
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import HTTPException
from freqtrade.persistence import LocalTrade
from freqtrade.rpc.api_server.api_auth import create_token, get_user_from_token
from rich.console import Console

from ballast.commands import panel
from sandbox.overlay import DEFAULT_PORT
from tests.engine import ROOT
from tools import run_paper
from tools.stepped_time import stepped_time

WIDE = 80
COMPOSE = ROOT / "docker-compose.yml"
KEY = "what-signs-tokens-of-more-than-thirty-two-letters"
BEGIN = datetime(2024, 10, 20, 0, 0, 1, tzinfo=UTC)


def test_a_token_of_rest_lasts_in_real_time_however_fast_the_clock_goes() -> None:
    """FreqUI could not be used: its token of a quarter of an hour ended within two seconds."""
    with stepped_time(BEGIN) as clock:
        token = create_token({"identity": {"u": "paper"}}, KEY)
        clock.shift(timedelta(days=7))
        assert get_user_from_token(token, KEY) == "paper"
        with pytest.raises(HTTPException):
            get_user_from_token(token, KEY[::-1])


def test_where_the_usual_port_is_taken_a_free_one_is_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The bot's web server failed in its thread, and the command hung."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        monkeypatch.setattr(run_paper, "API_PORT", taken)
        chosen = run_paper._free_port(None)
    assert chosen != taken
    monkeypatch.setattr(run_paper, "API_PORT", chosen)
    assert run_paper._free_port(None) == chosen


def test_a_port_that_is_named_and_taken_is_one_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        assert run_paper.main(["--api-port", str(taken)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"make paper: --api-port {taken} cannot be listened on: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "reason", ["RangeReversion: back_at_its_mean + something_else", "stoploss_on_exchange"]
)
def test_the_summary_of_its_trades_is_whole_at_eighty_columns(reason: str) -> None:
    """Reasons were cut in the middle of a code."""
    trade = LocalTrade(
        pair="MATIC/USDT",
        open_date=BEGIN,
        close_date=BEGIN + timedelta(days=2),
        stake_amount=1614.45,
        close_profit_abs=-118.87,
        exit_reason=reason,
    )
    written = io.StringIO()
    console = Console(width=WIDE, file=written)
    console.print(run_paper._summary([trade]))
    shown = written.getvalue()
    lines = shown.splitlines()
    assert max(map(len, map(str.rstrip, lines))) <= WIDE
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    told = "".join(shown.split())
    assert all(word in told for word in ("MATIC/USDT", "10-2000:00", "1614", "-118.9"))
    assert all(word in shown for word in reason.split())


def test_paper_trading_a_panel_and_a_bot_stand_side_by_side() -> None:
    """Both took 8090: the panel of a paper run could not be opened without another port."""
    freqtrade = int(re.findall(r"LISTEN_PORT: \"(\d+)\"", COMPOSE.read_text(encoding="utf-8"))[0])
    assert len({run_paper.API_PORT, panel.PORT, freqtrade, DEFAULT_PORT}) == 4
