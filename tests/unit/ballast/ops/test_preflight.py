"""Preflight: what must not be started is refused, what cannot be verified is said, no secret shown.

Keys and Telegram are asked over real HTTP on loopback.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from freqtrade.exceptions import OperationalException
from freqtrade.persistence import Order, Trade, init_db
from sqlalchemy import text

from ballast.core.guards.drawdown_limit import LimitMemory
from ballast.core.ledger import LedgerMemory
from ballast.ops.preflight import access, exchange, host, inspect, keys, open_positions, trading
from ballast.ops.preflight.check import Bot, CheckResult, Level
from ballast.risk.state_store import LEDGER, StateStore
from ballast.strategy.foreign import guarded
from ballast.strategy.guarded import GuardedStrategy
from sandbox.overlay import overlay
from tests.engine import ScriptedStrategy, base_config

NOW = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)
SAFE = {
    "ipRestrict": True,
    "enableReading": True,
    "enableSpotAndMarginTrading": True,
    "enableWithdrawals": False,
    "enableInternalTransfer": False,
    "permitsUniversalTransfer": False,
    "enableMargin": False,
    "enableFutures": False,
}
STRONG = "k3J9-xQ2_vT7m-Zp4-Lw8-Rb6-Hd1-Yc5"


def bot(**config: Any) -> Bot:
    """A bot of which only what a check looks at is there."""
    base = {"dry_run": True, "stake_currency": "USDT", "exchange": {"name": "binance"}}
    base["cancel_open_orders_on_exit"] = True
    strategy = SimpleNamespace(
        config={**base, **config},
        timeframe="1h",
        stoploss=-0.1,
        minimal_roi={0: 10},
        order_types={"stoploss_on_exchange": True},
        use_custom_stoploss=True,
        use_exit_signal=True,
        trailing_stop=False,
        position_adjustment_enable=False,
        _ballast=SimpleNamespace(sells_parts=False),
        disable_dataframe_checks=False,
        ignore_buying_expired_candle_after=120,
        protections=[{"method": "DailyLossLimit"}],
    )
    return Bot(strategy.config, strategy, lambda: NOW)


def levels(findings: list[CheckResult]) -> set[Level]:
    return {finding.level for finding in findings}


def gravest(findings: list[CheckResult]) -> Level:
    return max(levels(findings), key=[Level.PASS, Level.WARN, Level.FAIL].index)


@contextmanager
def answering(answer: Callable[[str], tuple[int, Any]]) -> Iterator[str]:
    """An HTTP server on loopback that answers every request by its path; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        do_POST = do_GET  # noqa: N815 - the name http.server asks for

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def rights_found(rights: Any, *, status: int = 200, **config: Any) -> list[tuple[str, CheckResult]]:
    """What is found of a key with these rights, through ccxt and HTTP."""
    with answering(lambda path: (status, rights)) as url:
        section = {**overlay(url)["exchange"], "key": "THEKEY123", "secret": "THESECRET456"}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("ballast.ops.preflight.CHECKS", {"key rights": keys.key_rights})
            return inspect(bot(exchange=section, **config))


def test_key_that_only_trades_from_given_addresses_passes() -> None:
    ((_, finding),) = rights_found(SAFE, dry_run=False)
    assert finding.level is Level.PASS


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        ({"enableWithdrawals": True}, Level.FAIL, "may withdraw"),
        ({"enableInternalTransfer": True}, Level.FAIL, "may transfer to other accounts"),
        ({"permitsUniversalTransfer": True}, Level.FAIL, "may transfer between wallets"),
        ({"enableWithdrawals": None}, Level.FAIL, "is not known not to withdraw"),
        ({"enableReading": False}, Level.FAIL, "may not read"),
        ({"enableSpotAndMarginTrading": False}, Level.FAIL, "may not trade spot"),
        ({"ipRestrict": False}, Level.WARN, "good from any address"),
        ({"enableMargin": True}, Level.WARN, "borrow on margin"),
        ({"enableFutures": True}, Level.WARN, "trade futures"),
        (
            {"tradingAuthorityExpirationTime": int((NOW + timedelta(days=3)).timestamp() * 1000)},
            Level.WARN,
            "trade for 3 more days",
        ),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False], ids=["paper", "live"])
def test_each_right_is_judged_alone(
    change: dict[str, Any], level: Level, words: str, dry_run: bool
) -> None:
    """In paper trading as well: the key lies on the server all the same."""
    ((_, finding),) = rights_found({**SAFE, **change}, dry_run=dry_run)
    assert finding.level is level
    assert words in finding.what
    assert finding.todo


def test_key_that_the_exchange_refuses_has_failed_without_being_shown() -> None:
    body = {"code": -2015, "msg": "Invalid API-key THEKEY123, IP, or permissions THESECRET456."}
    ((_, finding),) = rights_found(body, status=401)
    assert finding.level is Level.FAIL
    assert "cannot be checked" in finding.what
    assert "THEKEY" not in str(finding)
    assert "THESECRET" not in str(finding)


def test_answer_that_is_no_answer_fails() -> None:
    assert gravest([finding for _, finding in rights_found([])]) is Level.FAIL


def test_exchange_that_does_not_tell_is_said_to_be_unverified() -> None:
    (finding,) = keys.key_rights(bot(exchange={"name": "kraken", "key": "k", "secret": "s"}))
    assert finding.level is Level.WARN
    assert finding.what.startswith("cannot verify: kraken")


def test_a_wallets_key_is_a_key_whose_rights_are_said_to_be_unverified() -> None:
    """It was read as 'there is no key'."""
    wallet = {"name": "hyperliquid", "walletAddress": "0x1", "privateKey": "0x2"}
    (finding,) = keys.key_rights(bot(exchange=wallet, dry_run=False))
    assert finding.level is Level.WARN
    assert finding.what.startswith("cannot verify: hyperliquid takes a wallet's private key")
    (finding,) = keys.key_rights(bot(exchange={"name": "hyperliquid"}, dry_run=False))
    assert finding.todo == (
        "set FREQTRADE__EXCHANGE__PRIVATE_KEY and FREQTRADE__EXCHANGE__WALLET_ADDRESS"
    )


def test_a_key_without_its_second_half_is_none() -> None:
    (finding,) = keys.key_rights(bot(exchange={"name": "okx", "key": "k", "secret": "s"}))
    assert (finding.level, finding.what) == (Level.FAIL, "the key lacks its password")
    assert finding.todo == "set FREQTRADE__EXCHANGE__PASSWORD"


def test_live_without_a_key_fails_and_paper_without_one_passes() -> None:
    assert levels(keys.key_rights(bot(dry_run=False))) == {Level.FAIL}
    assert levels(keys.key_rights(bot())) == {Level.PASS}


class Exchange:
    """Answers of an exchange, as ccxt gives them."""

    enableRateLimit = True  # noqa: N815 - ccxt's name
    has: dict[str, bool] = {"fetchTime": True}  # noqa: RUF012 - never changed
    urls: dict[str, Any] = {"api": {"public": "http://somewhere"}}  # noqa: RUF012 - never changed

    def __init__(self, *, ahead_ms: float = 0, candle_age: timedelta = timedelta(), used: int = 0):
        self.ahead_ms, self.candle_age = ahead_ms, candle_age
        self.last_response_headers = {"X-MBX-USED-WEIGHT-1M": str(used)}

    def fetch_time(self) -> float:
        return NOW.timestamp() * 1000 + self.ahead_ms

    def load_markets(self) -> dict[str, Any]:
        return {"BTC/USDT": {"id": "BTCUSDT"}, "ETH/USDT": {"id": "ETHUSDT"}}

    def fetch_ohlcv(self, pair: str, timeframe: str, limit: int) -> list[list[float]]:
        age = self.candle_age if pair == "ETH/USDT" else timedelta(minutes=30)
        return [[(NOW - age).timestamp() * 1000, 1, 1, 1, 1, 1]]

    def publicGetExchangeInfo(self, _: Any) -> dict[str, Any]:  # noqa: N802 - ccxt's name
        limit = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "limit": "6000"}
        return {"rateLimits": [limit]}


def with_exchange(answers: Any, *pairs: str) -> Bot:
    made = bot(exchange={"name": "binance", "pair_whitelist": list(pairs or ("ETH/USDT",))})
    made.__dict__["api"] = answers
    return made


@pytest.mark.parametrize(
    ("ahead_ms", "level"),
    [(0, Level.PASS), (400, Level.PASS), (-800, Level.WARN), (800, Level.WARN), (5000, Level.FAIL)],
)
def test_clock_skew_is_judged_by_what_binance_refuses(ahead_ms: float, level: Level) -> None:
    assert levels(exchange.clock(with_exchange(Exchange(ahead_ms=ahead_ms)))) == {level}


def test_a_clock_that_is_years_away_is_said_in_days() -> None:
    """A rehearsal's clock read '+60129272740 ms'."""
    (told,) = exchange.clock(with_exchange(Exchange(ahead_ms=-60_129_272_740)))
    assert "the clock is 696 d ahead of the exchange's" in str(told)
    (told,) = exchange.clock(with_exchange(Exchange(ahead_ms=60_129_272_740)))
    assert "696 d behind" in str(told)


def test_running_candle_is_fresh_and_an_older_one_is_not() -> None:
    fresh = exchange.candles(with_exchange(Exchange(candle_age=timedelta(minutes=59))))
    assert levels(fresh) == {Level.PASS}
    late = exchange.candles(with_exchange(Exchange(candle_age=timedelta(hours=2))))
    assert levels(late) == {Level.WARN}
    assert "ETH/USDT has none since 2024-05-01 10:30" in late[0].what


def test_no_fresh_candle_at_all_fails_and_an_unlisted_pair_is_named() -> None:
    class Silent(Exchange):
        def fetch_ohlcv(self, pair: str, timeframe: str, limit: int) -> list[list[float]]:
            return []

    assert gravest(exchange.candles(with_exchange(Silent()))) is Level.FAIL
    (finding,) = exchange.candles(with_exchange(Exchange(), "GONE/USDT"))
    assert (finding.level, finding.what) == (Level.WARN, "not listed: GONE/USDT")


def test_a_leader_that_is_not_listed_is_named_with_what_to_do() -> None:
    """Stake currency BTC asks for BTC/BTC."""
    made = with_exchange(Exchange())
    made.config = {**made.config, "stake_currency": "BTC"}
    (finding,) = exchange.candles(made)
    assert (finding.level, finding.what) == (
        Level.WARN,
        "the market's leader BTC/BTC is not listed",
    )
    assert finding.todo.startswith("set ballast.market.leader to one that is")


@pytest.mark.parametrize(
    ("used", "level"), [(3000, Level.PASS), (3001, Level.WARN), (5401, Level.FAIL)]
)
def test_room_for_requests_is_what_binance_says_is_left(used: int, level: Level) -> None:
    assert levels(exchange.request_room(with_exchange(Exchange(used=used)))) == {level}


def test_a_switched_off_rate_limit_fails_beyond_loopback() -> None:
    class Unlimited(Exchange):
        enableRateLimit = False  # noqa: N815 - ccxt's name

    assert levels(exchange.request_room(with_exchange(Unlimited()))) == {Level.FAIL}


def test_mode_is_said_in_capitals_and_must_be_set() -> None:
    assert trading.mode(bot())[0].what == "PAPER TRADING: NO REAL MONEY"
    assert trading.mode(bot(dry_run=False))[0].what == "LIVE: REAL MONEY IS TRADED"
    unsaid = bot()
    unsaid.config = {key: value for key, value in unsaid.config.items() if key != "dry_run"}
    assert unsaid.live
    assert levels(trading.mode(unsaid)) == {Level.FAIL}


@pytest.mark.parametrize(
    ("check", "attribute", "good", "bad"),
    [
        (trading.stops, "order_types", {"stoploss_on_exchange": True}, {}),
        (trading.stops, "stoploss", -0.3, -0.99),
        (trading.stops, "stoploss", -0.02, -0.01),
        (trading.old_signals, "ignore_buying_expired_candle_after", 3660, 3661),
        (trading.old_signals, "ignore_buying_expired_candle_after", 1, 0),
        (trading.protections, "protections", [{"method": "X"}], []),
        (trading.stops, "trailing_stop", False, True),
        (trading.exits, "minimal_roi", {0: 10}, {0: 0.1}),
    ],
)
def test_strategy_under_which_nothing_holds_fails(
    check: Any, attribute: str, good: Any, bad: Any
) -> None:
    made = bot(enable_protections=True, max_open_trades=3)
    setattr(made.strategy, attribute, good)
    assert levels(check(made)) == {Level.PASS}
    setattr(made.strategy, attribute, bad)
    assert levels(check(made)) == {Level.FAIL}


@pytest.mark.parametrize(
    ("config", "level"),
    [
        ({"max_open_trades": 3}, Level.PASS),
        ({"max_open_trades": float("inf")}, Level.FAIL),
        ({}, Level.FAIL),
        ({"max_open_trades": 3, "trading_mode": "futures"}, Level.FAIL),
        ({"max_open_trades": 3, "force_entry_enable": True}, Level.WARN),
    ],
)
def test_positions_are_finite_and_spot(config: dict[str, Any], level: Level) -> None:
    assert gravest(trading.positions(bot(**config))) is level


def test_strategy_without_the_layer_fails_and_guards_that_are_off_are_named(
    tmp_path: Path,
) -> None:
    class Plain(GuardedStrategy):
        timeframe = "1h"

    config = base_config(tmp_path, ["BTC/USDT"])
    made = bot()
    assert levels(trading.layer(made)) == {Level.FAIL}
    made.strategy = Plain(config)
    (finding,) = trading.layer(made)
    assert finding.level == Level.PASS
    assert finding.what.endswith("every guard on; EdgeDecay waits for a baseline of this strategy")
    made.strategy = Plain({**config, "ballast": {"guards": {"off": ["DrawdownLadder"]}}})
    (finding,) = trading.layer(made)
    assert (finding.level, "DrawdownLadder" in finding.what) == (Level.WARN, True)


def test_a_strategy_that_is_held_by_the_layer_is_fit_with_its_own_profit_target(
    tmp_path: Path,
) -> None:
    """What `trade` takes of it preflight takes."""

    class Theirs(ScriptedStrategy):
        minimal_roi: ClassVar[dict[str, float]] = {"0": 0.02}

    config = {**base_config(tmp_path, ["BTC/USDT"]), "cancel_open_orders_on_exit": True}
    made = Bot(config, type("Held", (guarded(Theirs),), {})(config))
    assert levels(trading.layer(made)) == {Level.PASS}
    assert levels(trading.stops(made)) == {Level.PASS}
    assert trading.exits(made) == trading.rules(made) == []


def api_section(**changes: Any) -> dict[str, Any]:
    section = {"enabled": True, "username": "me", "password": "tR8-kq2-Xw5-bn", **changes}
    return {"api_server": {"jwt_secret_key": STRONG, **section}}


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({}, Level.PASS),
        ({"enabled": False}, Level.WARN),
        ({"listen_ip_address": "0.0.0.0"}, Level.WARN),  # noqa: S104 - it is what is refused
        ({"password": "short"}, Level.FAIL),
        ({"password": ""}, Level.FAIL),
        ({"password": "aaaaaaaaaaaaaaaaaaa"}, Level.FAIL),
        ({"password": "SuperSecurePassword"}, Level.FAIL),
        ({"password": "tR8-kq2-Xw5-bn", "username": "tR8-kq2-Xw5-bn"}, Level.FAIL),
        ({"jwt_secret_key": None}, Level.FAIL),
        ({"jwt_secret_key": STRONG[:31]}, Level.FAIL),
    ],
)
def test_api_secrets_are_long_and_unknown_to_others(changes: dict[str, Any], level: Level) -> None:
    assert gravest(access.api_server(bot(**api_section(**changes)))) is level


def telegram_bot(url: str, token: str, chat: str) -> Bot:
    made = bot(telegram={"enabled": True, "token": token, "chat_id": chat})
    made.telegram_url = f"{url}/bot"
    return made


def test_telegram_is_asked_and_its_token_never_shown() -> None:
    token = "12345:" + "A" * 35

    def answer(path: str) -> tuple[int, Any]:
        if path.endswith("/getMe"):
            me = {"id": 12345, "is_bot": True, "first_name": "b", "username": "keeper_bot"}
            return 200, {"ok": True, "result": me}
        if "A" * 35 in path:
            chat = {"id": 7, "type": "private", "accent_color_id": 1, "max_reaction_count": 1}
            chat["accepted_gift_types"] = dict.fromkeys(GIFTS, True)
            return 200, {"ok": True, "result": chat}
        return 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}

    with answering(answer) as url:
        assert access.telegram(telegram_bot(url, token, "7"))[0].what == (
            "@keeper_bot may write to the chat"
        )
    with answering(lambda path: (401, {"ok": False, "description": "Unauthorized"})) as url:
        (refused,) = access.telegram(telegram_bot(url, token, "7"))
    assert refused.level is Level.FAIL
    assert "AAAA" not in str(refused)


GIFTS = ["unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription"]
GIFTS += ["gifts_from_channels"]


@pytest.mark.parametrize(("token", "chat"), [("no token", "7"), ("1:" + "A" * 35, "@me")])
def test_telegram_settings_that_cannot_be_are_refused_unasked(token: str, chat: str) -> None:
    assert levels(access.telegram(telegram_bot("http://127.0.0.1:1", token, chat))) == {Level.FAIL}


def test_telegram_that_is_off_is_a_warning() -> None:
    assert levels(access.telegram(bot())) == {Level.WARN}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """A database in which a bot could have left trades."""
    url = f"sqlite:///{tmp_path / 'bot.sqlite'}"
    init_db(url)
    yield url
    Trade.session.remove()
    Trade.session.get_bind().dispose()


def hold(strategy: str, order_id: str) -> None:
    """Leave an open position."""
    fees = {"fee_open": 0.001, "fee_close": 0.001}
    size = {"stake_amount": 10.0, "amount": 1.0, "open_rate": 10.0}
    trade = Trade(pair="BTC/USDT", is_open=True, exchange="binance", **size, **fees)
    trade.strategy, trade.open_date = strategy, NOW
    order = Order(order_id=order_id, ft_pair="BTC/USDT", ft_order_side="buy", ft_is_open=False)
    order.ft_amount, order.ft_price = 1, 10
    trade.orders.append(order)
    Trade.session.add(trade)
    Trade.commit()


def test_database_with_positions_of_others_or_of_the_other_mode_fails(database: str) -> None:
    def found(**config: Any) -> Level:
        return gravest(host.database(bot(db_url=database, **config)))

    assert found() is Level.PASS
    hold("SimpleNamespace", "dry_run_buy_1")
    assert found() is Level.PASS
    assert found(dry_run=False) is Level.FAIL
    hold("Another", "dry_run_buy_2")
    assert found() is Level.FAIL


def test_paper_bot_does_not_take_over_live_positions(database: str) -> None:
    hold("SimpleNamespace", "1234567")
    assert gravest(host.database(bot(db_url=database))) is Level.FAIL
    assert gravest(host.database(bot(db_url=database, dry_run=False))) is Level.PASS


class Closes:
    """An exchange whose last completed candle closed at 12 and the one before at 1."""

    pairs = ("BTC/USDT",)

    def load_markets(self) -> dict[str, Any]:
        return {pair: {} for pair in self.pairs}

    def fetch_ohlcv(self, pair: str, timeframe: str, limit: int) -> list[list[float]]:
        return [[0.0, 1.0, 1.0, 1.0, close, 1.0] for close in (1.0, 12.0, 99.0)][:limit]


def asked(database: str, **changes: Any) -> list[CheckResult]:
    """What is found of open positions where the bot starts again with changed settings."""
    exchange = {"name": "binance", "pair_whitelist": ["BTC/USDT"]}
    config = {"max_open_trades": 3, "available_capital": 1000, "exchange": exchange}
    made = bot(db_url=database, **{**config, **changes})
    made.__dict__["api"] = Closes()
    return open_positions.open_positions(made)


def restarted(database: str, **changes: Any) -> list[str]:
    """The warnings of them."""
    findings = asked(database, **changes)
    assert levels(findings) <= {Level.PASS if len(findings) == 1 else Level.WARN, Level.WARN}
    return [finding.what for finding in findings if finding.level is Level.WARN]


def held(database: str, timeframe: int = 60) -> None:
    """A position of 1 BTC bought at 10 whose stop is at 8; its close is 12."""
    hold("SimpleNamespace", "dry_run_buy_1")
    trade = Trade.get_trades().one()
    trade.stop_loss, trade.timeframe = 8.0, timeframe
    Trade.commit()


def test_what_is_open_is_held_by_settings_as_they_were(database: str) -> None:
    assert restarted(database) == []
    held(database)
    assert restarted(database) == []


def test_fewer_positions_other_candles_and_pairs_taken_off_are_said_before_the_start(
    database: str,
) -> None:
    held(database, timeframe=5)
    off = {"name": "binance", "pair_whitelist": ["ETH/USDT"]}
    many, candles, pairs = restarted(database, max_open_trades=0, exchange=off)
    assert many == "open positions: 1, max_open_trades: 0"
    assert candles == "open positions were bought on candles of 5 minutes, now of 60"
    assert pairs == "open positions of pairs that are off pair_whitelist: BTC/USDT"


def test_pairs_that_are_traded_by_a_pattern_or_chosen_while_it_runs_are_not_said_to_be_off(
    database: str,
) -> None:
    held(database)

    def off(**changes: Any) -> list[str]:
        exchange = {"name": "binance", **changes}
        return restarted(database, exchange=exchange, pairlists=[{"method": method}])

    method = "StaticPairList"
    assert off(pair_whitelist=["BTC/.*"]) == []
    assert len(off(pair_whitelist=["ETH/.*"])) == 1
    (said,) = off(pair_whitelist=["BTC/USDT"], pair_blacklist=["B.*/USDT"])
    assert said == "open positions of pairs that are on pair_blacklist: BTC/USDT"
    method = "VolumePairList"
    assert off() == []
    assert len(off(pair_blacklist=["BTC/USDT"])) == 1


def test_a_limit_of_heat_below_what_is_open_is_said_before_it_draws_stops_closer(
    database: str,
) -> None:
    held(database)

    def heat(**limits: Any) -> list[str]:
        return restarted(database, ballast={"guards": {"PortfolioHeat": limits}})

    # From the last completed close at 12 to the stop at 8, and what leaving costs.
    (said,) = heat(limit_pct=0.4)
    assert said.startswith("what is open loses 4.")
    assert "PortfolioHeat.limit_pct 0.4 % allows 4.008 of 1002 USDT" in said
    assert heat(limit_pct=0.5) == []


def test_what_a_pair_is_worth_that_the_exchange_has_delisted_is_what_was_paid(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held(database)
    monkeypatch.setattr(Closes, "pairs", ())
    (said,) = restarted(database, ballast={"guards": {"PortfolioHeat": {"limit_pct": 0.1}}})
    assert said.startswith("what is open loses 2.")


@pytest.mark.parametrize(
    ("remembered", "withdrawn", "stated", "todo"),
    [
        (100, 0, 100, "drawn closer at the first candle"),
        # Less capital draws no stop closer, whether it was taken away before or is now.
        (100, 900, 100, "stops stay; nothing is bought"),
        (1000, 0, 100, "stops stay; nothing is bought"),
        (100, 0, 1000, ""),
    ],
)
def test_the_capital_that_counts_is_the_one_stated_now_and_what_was_there_before_it(
    remembered: float, withdrawn: float, stated: float, todo: str, database: str
) -> None:
    held(database)
    memory = LedgerMemory(capital=remembered, withdrawn=withdrawn)
    StateStore(Trade.session.get_bind()).write(LEDGER, memory.model_dump_json(), "")
    changes = {"ballast": {"guards": {"PortfolioHeat": {"limit_pct": 0.5}}}}
    findings = asked(database, available_capital=stated, **changes)
    assert [todo in finding.todo for finding in findings] == [True]
    assert levels(findings) == {Level.WARN if todo else Level.PASS}


def test_a_limit_on_losses_that_leaves_less_than_is_open_is_said_by_its_name(
    database: str,
) -> None:
    """What is left of a drawdown limit draws stops closer as the limit of heat does."""
    held(database)
    peak = LimitMemory(peak=1010.0).model_dump_json()
    StateStore(Trade.session.get_bind()).write("DrawdownLimit", peak, "")

    def limit(pct: float) -> list[str]:
        section = {"DrawdownLimit": {"limit_pct": pct, "near_pct": 0.1}, "off": ["PortfolioHeat"]}
        return restarted(database, ballast={"guards": section})

    # Of a peak of 1010 an account of 1002 may lose 5 more at 1.287 %.
    (said,) = limit(1.1)
    assert said.endswith("ballast.guards.DrawdownLimit allows 3.11 of 1002 USDT")
    assert limit(1.3) == []


def test_trades_in_another_currency_fail_open_or_closed(database: str) -> None:
    held(database)
    for is_open in (True, False):
        trade = Trade.get_trades().one()
        trade.stake_currency, trade.is_open = "USDT", is_open
        Trade.commit()
        (finding,) = asked(database, stake_currency="EUR")
        assert finding.level is Level.FAIL
        assert finding.what.startswith("the database has trades in USDT, and stake_currency is EUR")


def test_what_is_open_in_a_table_of_an_older_freqtrade_is_said_not_to_be_known(
    database: str,
) -> None:
    held(database)
    Trade.session.remove()
    with Trade.session.get_bind().begin() as connection:
        connection.execute(text("ALTER TABLE trades DROP COLUMN record_version"))
    (said,) = restarted(database)
    assert said.startswith("the table trades is of an older Freqtrade, without record_version")


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("sqlite://", Level.FAIL),
        ("sqlite:////nowhere/bot.sqlite", Level.FAIL),
        ("no url", Level.FAIL),
        ("postgresql://me:hushhush@127.0.0.1:1/bot", Level.FAIL),
        ("sqlite:///{folder}/new.sqlite", Level.PASS),
    ],
)
def test_database_that_cannot_be_had_fails_and_shows_no_password(
    url: str, level: Level, tmp_path: Path
) -> None:
    (finding,) = host.database(bot(db_url=url.format(folder=tmp_path)))
    assert finding.level is level
    assert "hushhush" not in str(finding)


@pytest.mark.parametrize("named", ["ballast.log.file", "log_config"])
def test_a_log_that_cannot_be_written_fails(named: str, tmp_path: Path) -> None:
    (tmp_path / "closed").touch()
    path = tmp_path / "closed" / "lines.jsonl"
    handlers = {"file": {"class": "logging.FileHandler", "filename": str(path)}}
    config = {"ballast": {"log": {"file": str(path)}}}
    made = bot(
        user_data_dir=tmp_path,
        **(config if named == "ballast.log.file" else {"log_config": {"handlers": handlers}}),
    )
    (finding,) = host.disk(made)
    assert (finding.level, finding.what) == (Level.FAIL, f"{path} cannot be written to")


def test_full_disk_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free_mb, level in ((199, Level.FAIL), (1999, Level.WARN), (2000, Level.PASS)):
        usage = SimpleNamespace(free=free_mb * 2**20)
        monkeypatch.setattr("shutil.disk_usage", lambda _, usage=usage: usage)
        assert levels(host.disk(bot(user_data_dir=tmp_path))) == {level}


def test_check_that_breaks_has_failed_and_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    config = api_section(ws_token="wswswsws")  # noqa: S106 - it must not be shown
    config["db_url"] = "postgresql://me:hushhush@127.0.0.1/bot"
    config["exchange"] = {"name": "binance", "key": "THEKEY", "secret": "THESECRET"}
    secrets = ("THEKEY", "THESECRET", "hushhush", "wswswsws", STRONG, "tR8-kq2-Xw5-bn")

    def breaks(_: Bot) -> list[CheckResult]:
        raise OperationalException(" ".join(secrets))

    monkeypatch.setattr("ballast.ops.preflight.CHECKS", {"breaking": breaks})
    ((name, finding),) = inspect(bot(**config))
    assert (name, finding.level) == ("breaking", Level.FAIL)
    assert finding.what.endswith("*** *** *** *** *** ***")
