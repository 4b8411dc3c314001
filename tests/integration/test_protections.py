"""Guards and users' own protections as Freqtrade sees them, in its real engine."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from freqtrade.exceptions import OperationalException
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.persistence.pairlock import PairLock
from freqtrade.resolvers import ProtectionResolver

from ballast.config.guards import GuardSettings
from ballast.core.guards.base import Guard
from ballast.core.guards.edge_decay import EdgeDecaySettings
from ballast.core.rules import above
from ballast.core.stops import StopRules
from ballast.protections import guards
from ballast.strategy.guarded import GuardedStrategy
from ballast.strategy.overrides import OverrideRefused
from tests.engine import BacktestOutcome, ScriptedStrategy, flat, run_backtest

HOUR = timedelta(hours=1)
# 'MARKET_SHOCK began at 7.19 % (limit 6 %), now 6.53 %, until 2024-02-08 08:00 UTC'.
LOCK = re.compile(
    r"[A-Z_]+ began at (?P<value>[\d.]+)[^(]* \(limit (?P<limit>[\d.]+)[^)]*\)"
    r"(?:, now [^,]+)?, until (?P<until>[-\d]+ [:\d]+) UTC"
)
GUARDS = {
    "VolatilityCooldown": "VOLATILITY",
    "MarketShockHalt": "MARKET_SHOCK",
    "StopCascadeHalt": "STOP_CASCADE",
    "LossStreakBackoff": "LOSS_STREAK",
    "DailyLossLimit": "DAILY_LOSS",
    "WeeklyLossLimit": "WEEKLY_LOSS",
    "DrawdownLadder": "DRAWDOWN",
    "DrawdownLimit": "DRAWDOWN_LIMIT",
    "RollingDrawdownLimit": "ROLLING_DRAWDOWN",
    "DataOutageHalt": "DATA_OUTAGE",
}
QUIET_HOURS = """
from datetime import timedelta

from freqtrade.plugins.protections import IProtection, ProtectionReturn


class QuietHours(IProtection):
    has_global_stop = True

    def __init__(self, config, protection_config):
        super().__init__(config, protection_config)
        self._until_hour = int(protection_config.get("until_hour", 6))

    def short_desc(self):
        return f"{self.name} - no entries before {self._until_hour}:00 UTC"

    def global_stop(self, date_now, side, starting_balance):
        if date_now.hour >= self._until_hour:
            return None
        end = date_now.replace(hour=self._until_hour, minute=0) - timedelta(seconds=1)
        return ProtectionReturn(lock=True, until=end, reason="QUIET_HOURS")

    def stop_per_pair(self, pair, date_now, side, starting_balance):
        return None
"""
# Which Freqtrade takes, and fails at when a trade has closed, or makes another number of.
WRONG_OPTIONS = [
    ("StoplossGuard", "trade_limit", "4", "a whole number from 1 to 100000"),
    ("StoplossGuard", "trade_limit", True, "a whole number"),
    ("StoplossGuard", "only_per_pair", "no", "true or false"),
    ("LowProfitPairs", "required_profit", "0.02", "a ratio, a number"),
    ("LowProfitPairs", "required_profit", float("nan"), "a ratio, a number"),
    ("MaxDrawdown", "max_allowed_drawdown", [0.2], "a ratio, a number from 0"),
    ("MaxDrawdown", "max_allowed_drawdown", -0.2, "a ratio, a number from 0"),
    ("MaxDrawdown", "calculation_mode", "ratio", "'ratios' or 'equity'"),
    ("CooldownPeriod", "stop_duration_candles", 2.5, "a whole number from 1 to 100000"),
    ("CooldownPeriod", "stop_duration_candles", 0, "a whole number from 1 to 100000"),
    ("CooldownPeriod", "stop_duration", 10**400, "a whole number from 1 to 5256000"),
    ("CooldownPeriod", "unlock_at", 14, "a time of day such as '14:30'"),
    ("CooldownPeriod", "unlock_at", "25:00", "a time of day such as '14:30'"),
    ("QuietHours", "lookback_period", "60", "a whole number from 1 to 5256000"),
]
BROKEN = QUIET_HOURS.replace("QuietHours", "Broken").replace("if date_now.hour", "if date_now.gone")


class AlwaysIn(GuardedStrategy):
    """Enters whenever it may, so that what keeps it out is a guard or a lock."""

    timeframe = "1h"
    stops: ClassVar[StopRules] = StopRules(initial_atr=2, chandelier_atr=3)

    def entry_rules(self, pair: Any, market: Any) -> dict[str, Any]:
        return {"priced": above(pair.close, 0)}


def walk(seed: int, crash: set[int]) -> list[tuple[float, ...]]:
    """50 days of hourly candles without a trend, and a fall of six percent on some of them."""
    rng = np.random.default_rng(seed)
    price = 100.0
    rows: list[tuple[float, ...]] = []
    for number in range(1200):
        close = price * np.exp(rng.normal(0, 0.004) - (0.06 if number in crash else 0))
        high, low = max(price, close) * 1.002, min(price, close) * 0.998
        rows.append((price, high, low, float(close), 1e6))
        price = float(close)
    return rows


def backtest(
    strategy: type[GuardedStrategy] = AlwaysIn,
    enabled: bool = True,
    folder: Path | None = None,
    **ballast: Any,
) -> BacktestOutcome:
    """A market with two crashes, in which trades also lose one after another."""
    config: dict[str, Any] = {
        "stake_amount": "unlimited",
        "exit_pricing": {"price_side": "other"},
        "ballast": ballast,
    }
    if folder is not None:
        config["user_data_dir"] = folder
    tables = {"BTC/USDT": walk(1, {900, 901}), "ETH/USDT": walk(2, {900, 902})}
    return run_backtest(strategy, tables, protections=enabled, config=config)


@pytest.fixture
def user_data(tmp_path: Path) -> Path:
    """A user's folder with a protection dropped into it."""
    folder = tmp_path / "protections"
    folder.mkdir()
    (folder / "quiet_hours.py").write_text(QUIET_HOURS, encoding="utf-8")
    (folder / "broken.py").write_text(BROKEN, encoding="utf-8")
    return tmp_path


def code(lock: PairLock) -> str:
    return str(lock.reason).split(" ")[0]


def of_guards(locks: list[PairLock]) -> list[tuple[str, datetime, datetime, str]]:
    """Locks of the guards, as what can be compared."""
    return [
        (lock.pair, lock.lock_time, lock.lock_end_time, str(lock.reason))
        for lock in locks
        if code(lock) in GUARDS.values()
    ]


def test_every_guard_that_is_on_is_a_protection_and_can_be_switched_off_by_name() -> None:
    config = {"runmode": "other", "stake_currency": "USDT"}
    named = [entry["method"] for entry in AlwaysIn(config).protections]
    assert named == list(GUARDS)
    config["ballast"] = {"guards": {"off": ["DailyLossLimit"]}}  # type: ignore[assignment]
    named = [entry["method"] for entry in AlwaysIn(config).protections]
    assert named == [name for name in GUARDS if name != "DailyLossLimit"]


def test_only_portfolio_heat_has_no_protection_of_its_own() -> None:
    """It sizes and draws stops closer, and locks nothing. EdgeDecay waits for a baseline."""
    assert set(GuardSettings.names()) - set(GUARDS) == {"PortfolioHeat", "EdgeDecay"}
    told = GuardSettings(EdgeDecay=EdgeDecaySettings(mean_r=0.3, sd_r=2.0, trades=500))
    assert set(told.build(60)) == {*GUARDS, "EdgeDecay"}
    codes = {name: guard.code for name, guard in GuardSettings().build(60).items()}
    assert codes == GUARDS


def test_locks_say_code_value_limit_and_end_and_end_when_they_say() -> None:
    """Freqtrade would let a lock whose end is a candle border last one candle longer."""
    found = of_guards(backtest().locks)
    assert {reason.split(" ")[0] for *_, reason in found} >= {
        "VOLATILITY",
        "MARKET_SHOCK",
        "LOSS_STREAK",
    }
    for _, begin, end, reason in found:
        parts = LOCK.fullmatch(reason)
        assert parts is not None, reason
        assert float(parts["value"]) > 0
        assert float(parts["limit"]) > 0
        said = datetime.strptime(parts["until"], "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        # Earlier where the block ended before its time.
        assert begin < end <= said
    assert any(f"{end:%Y-%m-%d %H:%M}" in reason for _, _, end, reason in found)


def test_freqtrade_asking_after_each_exit_adds_no_lock_of_a_guard() -> None:
    """The same block is the same lock, word for word."""
    with_protections, without = backtest(enabled=True), backtest(enabled=False)
    assert of_guards(with_protections.locks) == of_guards(without.locks)
    assert len(with_protections.trades) == len(without.trades) > 20


def test_one_block_is_one_lock_at_a_time() -> None:
    """No two locks of one guard on one pair overlap."""
    last: dict[tuple[str, str], datetime] = {}
    for pair, begin, end, reason in of_guards(backtest().locks):
        key = (pair, reason.split(" ")[0])
        assert begin >= last.get(key, begin)
        last[key] = end


def test_guards_protection_answers_with_the_lock_that_was_made() -> None:
    """Asked by Freqtrade while a block holds, it repeats its reason, and ends before its end."""
    answered = []

    outcome = backtest()
    strategy, made = outcome.strategy, outcome.locks
    assert isinstance(strategy, GuardedStrategy)
    for entry in strategy.protections:
        protection = ProtectionResolver.load_protection(entry["method"], strategy.config, entry)
        for lock in made:
            asked = (lock.lock_time, "long", 1.0)
            answer = (
                protection.global_stop(*asked)
                if lock.pair == "*"
                else protection.stop_per_pair(lock.pair, *asked)
            )
            # Of each guard and pair the last block is still known when the run has ended.
            if answer is not None and answer.reason == lock.reason:
                assert answer.lock
                assert lock.lock_end_time - HOUR < answer.until < lock.lock_end_time
                answered.append(lock)
    assert len(answered) >= 2


def test_users_own_protection_fires_beside_the_built_in_ones_and_the_guards(
    user_data: Path,
) -> None:
    listed = [
        {"method": "QuietHours", "until_hour": 8},
        {"method": "CooldownPeriod", "stop_duration_candles": 2},
    ]
    found = backtest(folder=user_data, protections=listed).locks
    codes = {code(lock) for lock in found}
    assert {"QUIET_HOURS", "Cooldown", "LOSS_STREAK"} <= codes


def test_users_own_protection_is_asked_every_candle_where_it_says_so(user_data: Path) -> None:
    """After exits alone it would miss most days."""
    # A night within a longer lock of all pairs has none of its own.
    guards = {"off": ["RollingDrawdownLimit"]}
    seldom = backtest(folder=user_data, guards=guards, protections=[{"method": "QuietHours"}])
    listed = [{"method": "QuietHours", "every_candle": True}]
    always = backtest(folder=user_data, guards=guards, protections=listed)
    days = {
        name: {lock.lock_time.date() for lock in outcome.locks if code(lock) == "QUIET_HOURS"}
        for name, outcome in (("seldom", seldom), ("always", always))
    }
    # 573 candles of warm-up end late on the 24th; from the next day on every night is locked.
    nights = {day for day in days["always"] if day > datetime(2024, 1, 24).date()}
    assert len(nights) == (datetime(2024, 2, 19) - datetime(2024, 1, 24)).days
    assert len(days["seldom"]) < len(days["always"])
    # All of them from midnight on, so that nothing was entered before six.
    assert all(opened.hour >= 6 for opened in always.trades["open_date"])


def test_every_candle_follows_freqtrades_switch(user_data: Path) -> None:
    """Without protections, as in lookahead-analysis, it is not asked."""
    listed = [{"method": "QuietHours", "every_candle": True}]
    outcome = backtest(folder=user_data, enabled=False, protections=listed)
    assert "QUIET_HOURS" not in {code(lock) for lock in outcome.locks}


def test_broken_protection_that_is_asked_every_candle_refuses_entries(user_data: Path) -> None:
    """What cannot be asked has not allowed anything."""
    listed = [{"method": "Broken", "every_candle": True}]
    outcome = backtest(folder=user_data, protections=listed)
    assert len(outcome.trades) == 0
    assert isinstance(outcome.strategy, GuardedStrategy)
    assert any("gone" in cause for cause in outcome.strategy.incidents.counts)


def test_strategys_extra_protections_are_added_to_the_guards() -> None:
    class Extra(AlwaysIn):
        extra_protections: ClassVar = [{"method": "CooldownPeriod", "stop_duration_candles": 2}]

    outcome = backtest(Extra)
    assert {"Cooldown", "LOSS_STREAK"} <= {code(lock) for lock in outcome.locks}


def test_strategy_that_sets_protections_is_refused() -> None:
    """A list of its own would replace the guards'."""
    with pytest.raises(OverrideRefused, match=r"Forgetful redefines protections.*extra_"):
        type("Forgetful", (AlwaysIn,), {"protections": []})


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (
            {"method": "CooldownPriod"},
            r"ballast\.protections\[0\]\.method is 'CooldownPriod': expected one of Broken, "
            r"CooldownPeriod, .*QuietHours.* \(did you mean CooldownPeriod\?\)",
        ),
        ({"methode": "CooldownPeriod"}, r"ballast\.protections\[0\] is \{'methode'.*expected an"),
        (
            {"method": "CooldownPeriod", "stop_duraton": 5},
            r"ballast\.protections\[0\]\.stop_duraton is 5, and no option of CooldownPeriod: "
            r"expected every_candle, .*stop_duration",
        ),
        (
            {"method": "StoplossGuard", "stop_duration": "long"},
            r"ballast\.protections\[0\]\.stop_duration is 'long': expected a whole number",
        ),
        *(
            (
                {"method": method, option: value},
                rf"ballast\.protections\[0\]\.{option} is .*: expected {accepted}",
            )
            for method, option, value, accepted in WRONG_OPTIONS
        ),
        (
            {"method": "CooldownPeriod", "stop_duration": 5, "stop_duration_candles": 5},
            r"ballast\.protections\[0\] \(CooldownPeriod\) cannot be built: .*either",
        ),
        (
            {"method": "QuietHours", "until_hour": "dawn"},
            r"ballast\.protections\[0\] \(QuietHours\) cannot be built: .*'dawn'",
        ),
        (
            {"method": "QuietHours", "every_candle": "yes"},
            r"ballast\.protections\[0\]\.every_candle is 'yes': expected true or false",
        ),
        (
            {"method": "WeeklyLossLimit"},
            r"ballast\.protections\[0\]\.method is 'WeeklyLossLimit', which ballast\.guards\.off",
        ),
        ({"method": "PortfolioHeat"}, r"method is 'PortfolioHeat', which locks nothing"),
        (
            {"method": "DailyLossLimit", "reducing_pct": 1},
            r"expected no options, those of a guard are in ballast\.guards\.DailyLossLimit",
        ),
        (
            {"method": "EdgeDecay"},
            r"method is 'EdgeDecay', which waits for a baseline of this strategy",
        ),
    ],
)
def test_wrong_entry_is_answered_in_one_sentence(
    user_data: Path, entry: dict[str, Any], sentence: str
) -> None:
    """Before anything trades, and whether or not a backtest uses protections."""
    ballast = {"protections": [entry], "guards": {"off": ["WeeklyLossLimit"]}}
    config = {"stake_currency": "USDT", "user_data_dir": user_data, "ballast": ballast}
    with pytest.raises(OperationalException, match=sentence) as refused:
        AlwaysIn(config)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("listed", [{"method": "CooldownPeriod"}, "all"])
def test_what_is_no_list_of_entries_is_answered_in_one_sentence(listed: Any) -> None:
    with pytest.raises(OperationalException, match=r"ballast\.protections is .*: expected a list"):
        AlwaysIn({"stake_currency": "USDT", "ballast": {"protections": listed}})


@pytest.mark.parametrize("entry", ["CooldownPeriod", {"method": 5}, {}, {"method": "x" * 10_000}])
def test_wrong_entry_of_a_strategys_own_is_answered_in_one_short_sentence(entry: Any) -> None:
    wrong = type("Wrong", (AlwaysIn,), {"extra_protections": [entry]})
    sentence = r"Wrong\.extra_protections\[0\].* is .*: expected"
    with pytest.raises(OperationalException, match=sentence) as refused:
        wrong({"stake_currency": "USDT"})
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize(
    "entry",
    [
        {"method": "CooldownPeriod", "unlock_at": "14:30"},
        {"method": "StoplossGuard", "trade_limit": 1, "only_per_pair": True, "lookback_period": 60},
        {"method": "MaxDrawdown", "max_allowed_drawdown": 0, "calculation_mode": "equity"},
        {"method": "LowProfitPairs", "required_profit": -0.01, "stop_duration_candles": 100_000},
    ],
)
def test_entry_with_options_as_freqtrade_documents_them_is_taken(entry: dict[str, Any]) -> None:
    config = {"stake_currency": "USDT", "ballast": {"protections": [entry]}}
    assert entry in AlwaysIn(config).protections


def test_guard_may_be_named_as_well_and_is_there_once() -> None:
    listed = {"protections": [{"method": "DailyLossLimit"}]}
    strategy = AlwaysIn({"stake_currency": "USDT", "ballast": listed})
    named = [entry["method"] for entry in strategy.protections]
    assert named.count("DailyLossLimit") == 1


def test_guard_in_a_strategy_without_the_layer_says_what_it_needs() -> None:
    class Plain(ScriptedStrategy):
        protections: ClassVar = [{"method": "DailyLossLimit"}]

    with pytest.raises(OperationalException, match=r"derive the strategy from .*GuardedStrategy"):
        run_backtest(Plain, {"BTC/USDT": flat(4)}, protections=True)


def test_second_run_of_the_same_objects_makes_the_same_locks() -> None:
    """Hyperopt's epochs follow each other with time gone back to the start."""
    runs = []
    run = Backtesting.backtest

    def twice(self: Any, processed: Any, *args: Any) -> Any:
        for _ in range(2):
            result = run(self, deepcopy(processed), *args)
            runs.append(of_guards(list(result["locks"])))
        return result

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Backtesting, "backtest", twice)
        backtest()
    assert runs[0] == runs[1] != []


def test_each_guard_has_its_protection() -> None:
    """One that is added without it is found missing here, not by the first bot that starts."""
    written = {name for name, found in vars(guards).items() if isinstance(found, type)}
    bases = {"GuardProtection", "MarketGuardProtection"}
    assert written == {*bases, *GuardSettings.at_candles()}


def test_freqtrade_asks_about_a_pair_only_those_that_judge_single_pairs() -> None:
    """Each that was asked in vain would cost a look-up at every closed trade."""
    asked = {name for name in GuardSettings.at_candles() if getattr(guards, name).has_local_stop}
    built = GuardSettings().build(60.0)
    assert asked == {
        n for n, g in built.items() if type(g).pair_verdicts is not Guard.pair_verdicts
    }
