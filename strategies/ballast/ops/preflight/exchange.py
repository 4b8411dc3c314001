"""The exchange as it answers now: its clock, its candles, and how much may still be asked."""

import time
from datetime import UTC, datetime

from freqtrade.exchange import timeframe_to_msecs

from ballast.config import settings
from ballast.config.market import MarketSettings
from ballast.core.measures import duration
from ballast.ops.preflight.check import Bot, CheckResult, failed, is_pattern, passed, warned

# Binance refuses requests from more than a second in its future.
_SKEW_WARN_MS, _SKEW_FAIL_MS = 500, 1000
# Beyond it a difference is said in longer units.
_MANY_MS = 10_000
# The running candle is there a few seconds after its border.
_CANDLE_GRACE_MS = 60_000
_ROOM_WARN, _ROOM_FAIL = 0.5, 0.9
_WEIGHT = "x-mbx-used-weight-1m"


def clock(bot: Bot) -> list[CheckResult]:
    """The machine's clock against the exchange's."""
    if not bot.api.has.get("fetchTime"):
        name = bot.config["exchange"]["name"]
        return [warned(f"cannot verify: {name} tells no time", "keep the clock by NTP")]
    begun = time.monotonic()
    theirs_ms = bot.api.fetch_time()
    trip_ms = (time.monotonic() - begun) * 1000
    # Half of the round trip is the exchange's answer on its way.
    skew_ms = bot.now().timestamp() * 1000 - trip_ms / 2 - theirs_ms
    said = f"the clock is {_apart(skew_ms)} the exchange's (answer within {trip_ms:.0f} ms)"
    # What a slow answer hides is no skew.
    certain_ms = max(0.0, abs(skew_ms) - trip_ms / 2)
    todo = "keep the clock by NTP: orders signed in the exchange's future are refused"
    if certain_ms > _SKEW_FAIL_MS:
        return [failed(said, todo)]
    return [warned(said, todo) if certain_ms > _SKEW_WARN_MS else passed(said)]


def candles(bot: Bot) -> list[CheckResult]:
    """Every pair that is traded or looked at has a running candle."""
    timeframe = bot.strategy.timeframe
    markets = bot.api.load_markets()
    pairs = _pairs(bot)
    unlisted = [pair for pair in pairs if pair not in markets]
    listed = [pair for pair in pairs if pair in markets]
    late = [text for pair in listed if (text := _lateness(bot, pair, timeframe))]
    findings = []
    leader = _market(bot).leading(bot.config["stake_currency"])
    if leader in unlisted:
        todo = "set ballast.market.leader to one that is; the market is judged by its basket else"
        findings.append(warned(f"the market's leader {leader} is not listed", todo))
    if others := [pair for pair in unlisted if pair != leader]:
        findings.append(
            warned(f"not listed: {', '.join(others)}", "take them off pair_whitelist and basket")
        )
    if not listed or len(late) == len(listed):
        findings.append(
            failed(
                f"no pair has a fresh {timeframe} candle: {'; '.join(late[:3]) or 'none listed'}",
                "see the exchange's status page; nothing would be bought",
            )
        )
    elif late:
        findings.append(
            warned("; ".join(late), "nothing is bought of these pairs until their candles come")
        )
    return findings or [passed(f"{len(listed)} pairs have a fresh {timeframe} candle")]


def _pairs(bot: Bot) -> list[str]:
    """Pairs of the whitelist, the basket and the leader; patterns cannot be asked for."""
    market = _market(bot)
    listed = bot.config["exchange"].get("pair_whitelist") or []
    named = [market.leading(bot.config["stake_currency"]), *(market.basket or []), *listed]
    return list(dict.fromkeys(pair for pair in named if not is_pattern(pair)))


def _apart(skew_ms: float) -> str:
    """'+12 ms against', '696 d ahead of'."""
    if abs(skew_ms) < _MANY_MS:
        return f"{skew_ms:+.0f} ms against"
    return f"{duration(abs(skew_ms) / 1000)} {'ahead of' if skew_ms > 0 else 'behind'}"


def _market(bot: Bot) -> MarketSettings:
    return settings.load(bot.config.get(settings.SECTION)).market


def _lateness(bot: Bot, pair: str, timeframe: str) -> str:
    """Why a pair's newest candle is not good enough; empty if it is."""
    rows = bot.api.fetch_ohlcv(pair, timeframe, limit=3)
    if not rows:
        return f"{pair} has no candle"
    opened_ms = rows[-1][0]
    age_ms = bot.now().timestamp() * 1000 - opened_ms
    if age_ms <= timeframe_to_msecs(timeframe) + _CANDLE_GRACE_MS:
        return ""
    return f"{pair} has none since {datetime.fromtimestamp(opened_ms / 1000, UTC):%Y-%m-%d %H:%M}"


def request_room(bot: Bot) -> list[CheckResult]:
    """How much of what may be asked in a minute is already used, by whomever at this address."""
    if bot.api.enableRateLimit is not True and not _is_loopback(bot):
        return [
            failed(
                "exchange.ccxt_config.enableRateLimit is off: the exchange would ban this address",
                "take it out of the configuration",
            )
        ]
    if bot.config["exchange"]["name"] != "binance":
        return [
            warned(
                "cannot verify: the exchange does not tell how much may still be asked",
                "run no other bot from this address",
            )
        ]
    info = bot.api.publicGetExchangeInfo({"symbol": _any_symbol(bot)})
    headers = {k.lower(): v for k, v in (bot.api.last_response_headers or {}).items()}
    limits = [
        int(limit["limit"])
        for limit in info.get("rateLimits", [])
        if limit.get("rateLimitType") == "REQUEST_WEIGHT" and limit.get("interval") == "MINUTE"
    ]
    if _WEIGHT not in headers or not limits:
        return [warned("cannot verify: the answer does not say", "run no other bot here")]
    used, limit = int(headers[_WEIGHT]), limits[0]
    said = f"{used} of {limit} request weights of this minute are used"
    if used > limit * _ROOM_FAIL:
        return [failed(said, "wait, and find what else asks from this address")]
    todo = "find what else asks from this address"
    return [warned(said, todo) if used > limit * _ROOM_WARN else passed(said)]


def _any_symbol(bot: Bot) -> str:
    markets = bot.api.load_markets()
    return str(next(iter(markets.values()))["id"])


def _is_loopback(bot: Bot) -> bool:
    addresses = bot.api.urls.get("api")
    public = addresses.get("public", "") if isinstance(addresses, dict) else str(addresses)
    return "//127." in public or "//localhost" in public
