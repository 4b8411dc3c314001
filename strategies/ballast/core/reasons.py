"""Reason codes: why something was decided, and what the numbers beside the code are.

The same text stands in locks, logs, Telegram, journal and metrics, so that a code is never renamed.
What each means to an operator, and what to do, is in `ballast.ops.runbook`.
"""

from enum import StrEnum


class Group(StrEnum):
    """Where a code comes from, as the runbook has it."""

    GUARD = "Entries that guards refuse"
    CHECK = "Entries that checks refuse"
    SIZE = "Sizes"
    ORDER = "Positions and orders"
    EXIT = "Exits"
    DATA = "Candles"
    JOURNAL = "The journal"
    HEALTH = "Health"


class Reason(StrEnum):
    """
    A reason code.

    Parameters
    ----------
    group : Group
    seen, allowed : str
        What value and limit are; empty where they are no more than yes and no, or missing.
    unit : str
        Of both; "quote" and "base" are the pair's currencies, "code" is a `DataQuality`.
    """

    group: Group
    seen: str
    allowed: str
    unit: str

    def __new__(
        cls, code: str, group: Group, seen: str = "", allowed: str = "", unit: str = ""
    ) -> "Reason":
        reason = str.__new__(cls, code)
        reason._value_ = code
        reason.group, reason.seen, reason.allowed, reason.unit = group, seen, allowed, unit
        return reason

    # That of its text: a row read back finds the same entry, and quicker than an enumeration's own.
    __hash__ = str.__hash__

    VOLATILITY = (
        "VOLATILITY",
        Group.GUARD,
        "intensity of the pair's shock",
        "the detector's trigger",
        "times",
    )
    MARKET_SHOCK = (
        "MARKET_SHOCK",
        Group.GUARD,
        "fall of the leader, or share of pairs fallen",
        "what halts",
        "%",
    )
    STOP_CASCADE = (
        "STOP_CASCADE",
        Group.GUARD,
        "losing trades within the window",
        "what halts",
        "trades",
    )
    LOSS_STREAK = "LOSS_STREAK", Group.GUARD, "losses in a row", "what pauses", "trades"
    DAILY_LOSS = (
        "DAILY_LOSS",
        Group.GUARD,
        "loss of the day",
        "what reduces or halts",
        "% of equity",
    )
    WEEKLY_LOSS = (
        "WEEKLY_LOSS",
        Group.GUARD,
        "loss of the week",
        "what reduces or halts",
        "% of equity",
    )
    DRAWDOWN = (
        "DRAWDOWN",
        Group.GUARD,
        "how far below its peak",
        "the step reached, or the floor",
        "% of equity",
    )
    DRAWDOWN_LIMIT = (
        "DRAWDOWN_LIMIT",
        Group.GUARD,
        "how far below its peak",
        "the limit",
        "% of equity",
    )
    ROLLING_DRAWDOWN = (
        "ROLLING_DRAWDOWN",
        Group.GUARD,
        "how far below the highest value of the window",
        "the limit",
        "% of equity",
    )
    DATA_OUTAGE = (
        "DATA_OUTAGE",
        Group.GUARD,
        "failed requests, data quality, or untrusted pairs",
        "what halts",
        "requests, code or % of pairs",
    )
    EDGE_DECAY = (
        "EDGE_DECAY",
        Group.GUARD,
        "CUSUM of results",
        "the step reached",
        "standard deviations",
    )
    GUARDS_SILENT = "GUARDS_SILENT", Group.GUARD, "age of the candle judged last", "0", "s"
    PAIR_LOCKED = "PAIR_LOCKED", Group.GUARD

    OK = "OK", Group.CHECK
    CANDLE_UNTRUSTED = "CANDLE_UNTRUSTED", Group.CHECK, "data quality", "0: OK", "code"
    SIGNAL_STALE = "SIGNAL_STALE", Group.CHECK
    SIGNAL_OLD = "SIGNAL_OLD", Group.CHECK, "age of the signal", "gate.signal_age_s", "s"
    PRICE_MOVED = (
        "PRICE_MOVED",
        Group.CHECK,
        "distance from the signal's close",
        "gate.move_atr",
        "ATR",
    )
    SPREAD_WIDE = "SPREAD_WIDE", Group.CHECK, "spread", "gate.spread_bps", "bps"
    DEPTH_THIN = (
        "DEPTH_THIN",
        Group.CHECK,
        "depth of the order book",
        "gate.depth_times the stake",
        "quote",
    )
    BALANCE_SHORT = "BALANCE_SHORT", Group.CHECK, "free balance", "cost of the order", "quote"
    EXCHANGE_ERROR = "EXCHANGE_ERROR", Group.CHECK
    BACKOFF = "BACKOFF", Group.CHECK, "time still to wait", "0", "s"
    NOT_SIZED = "NOT_SIZED", Group.CHECK
    LOSS_AT_STOP = (
        "LOSS_AT_STOP",
        Group.CHECK,
        "loss of the order at its stop",
        "loss decided",
        "quote",
    )
    ENTRIES_PER_CANDLE = (
        "ENTRIES_PER_CANDLE",
        Group.CHECK,
        "entries on the candle, this included",
        "risk.entries_per_candle",
        "orders",
    )
    SLOTS_FULL = "SLOTS_FULL", Group.CHECK, "open trades", "max_open_trades", "trades"
    NOT_ASKED = "NOT_ASKED", Group.CHECK
    KILL_FILE = "KILL_FILE", Group.CHECK
    KILL_FILE_UNREADABLE = "KILL_FILE_UNREADABLE", Group.CHECK
    NOT_RECONCILED = (
        "NOT_RECONCILED",
        Group.CHECK,
        "age of the last comparison",
        "twice watch.reconcile_minutes",
        "s",
    )
    WATCH_SILENT = "WATCH_SILENT", Group.CHECK, "age of the last look", "gate.watch_silent_s", "s"
    STRATEGY_STAKE = "STRATEGY_STAKE", Group.CHECK, "the strategy's own stake", "the least", "quote"
    STRATEGY_REFUSED = "STRATEGY_REFUSED", Group.CHECK
    STRATEGY_FAILED = "STRATEGY_FAILED", Group.CHECK
    ADDITIONS = "ADDITIONS", Group.CHECK, "addition to the position", "`additions.most`", "entries"
    DATABASE_LOST = "DATABASE_LOST", Group.CHECK
    JOURNAL_SILENT = "JOURNAL_SILENT", Group.CHECK, "rows and events waiting", "0", "rows"
    PASSED = "PASSED", Group.CHECK, "distance from the signal's close", "gate.move_atr", "ATR"

    NO_SIZE = "NO_SIZE", Group.SIZE, "smallest cap", "the exchange's minimum", "quote"
    RISK_AT_STOP = "RISK_AT_STOP", Group.SIZE, "stake", "cap", "quote"
    PORTFOLIO_HEAT = (
        "PORTFOLIO_HEAT",
        Group.SIZE,
        "stake, or a stop after it was raised",
        "cap, or the stop before",
        "quote",
    )
    CLUSTER_HEAT = "CLUSTER_HEAT", Group.SIZE, "stake", "cap", "quote"
    DRAWDOWN_LEFT = "DRAWDOWN_LEFT", Group.SIZE, "stake", "cap", "quote"
    VOLATILITY_TARGET = "VOLATILITY_TARGET", Group.SIZE, "stake", "cap", "quote"
    LIQUIDITY = "LIQUIDITY", Group.SIZE, "stake", "cap", "quote"
    POSITION_CAP = "POSITION_CAP", Group.SIZE, "stake", "cap", "quote"
    EXPOSURE_CAP = "EXPOSURE_CAP", Group.SIZE, "stake", "cap", "quote"
    FREE_BALANCE = "FREE_BALANCE", Group.SIZE, "stake", "cap", "quote"
    USER_STAKE = "USER_STAKE", Group.SIZE, "stake", "cap", "quote"
    GUARDS = "GUARDS", Group.SIZE
    BELOW_EXCHANGE_MINIMUM = "BELOW_EXCHANGE_MINIMUM", Group.SIZE
    MULTIPLIER_INVALID = "MULTIPLIER_INVALID", Group.SIZE
    OPEN_RISK_UNKNOWN = "OPEN_RISK_UNKNOWN", Group.SIZE
    STOP_NOT_BELOW_ENTRY = "STOP_NOT_BELOW_ENTRY", Group.SIZE

    ENTRY_CONFIRMED = "ENTRY_CONFIRMED", Group.ORDER, "price", "", "quote"
    ENTRY_FILLED = "ENTRY_FILLED", Group.ORDER, "price of the fill", "price asked", "quote"
    ENTRY_UNFILLED = "ENTRY_UNFILLED", Group.ORDER
    ENTRY_TIMEOUT = "ENTRY_TIMEOUT", Group.ORDER, "age of the order", "pricing.entry_timeout_s", "s"
    CHASE_ENDED = "CHASE_ENDED", Group.ORDER, "price proposed", "price of the order", "quote"
    PARTIAL_FILL = (
        "PARTIAL_FILL",
        Group.ORDER,
        "time since the first part",
        "watch.partial_fill_s",
        "s",
    )
    EXIT_FILLED = "EXIT_FILLED", Group.ORDER, "price of the fill", "price asked", "quote"
    PART_SOLD = "PART_SOLD", Group.ORDER, "price of the fill", "price asked", "quote"
    PART_TOO_SMALL = (
        "PART_TOO_SMALL",
        Group.ORDER,
        "value of the part",
        "the exchange's minimum",
        "quote",
    )
    STOP = "STOP", Group.ORDER, "last close", "stop", "quote"
    FIRST_STOP = "FIRST_STOP", Group.ORDER, "first stop", "", "quote"
    STRATEGY_STOP = "STRATEGY_STOP", Group.ORDER, "stop after it was raised", "stop before", "quote"
    BREAK_EVEN = "BREAK_EVEN", Group.ORDER, "stop after it was raised", "stop before", "quote"
    CHANDELIER = "CHANDELIER", Group.ORDER, "stop after it was raised", "stop before", "quote"
    ATR_TRAIL = "ATR_TRAIL", Group.ORDER, "stop after it was raised", "stop before", "quote"
    PERCENT_TRAIL = "PERCENT_TRAIL", Group.ORDER, "stop after it was raised", "stop before", "quote"
    PARABOLIC_SAR = "PARABOLIC_SAR", Group.ORDER, "stop after it was raised", "stop before", "quote"
    SWING_LOW = "SWING_LOW", Group.ORDER, "stop after it was raised", "stop before", "quote"
    STOP_ADOPTED = "STOP_ADOPTED", Group.ORDER
    STOP_MISSING = "STOP_MISSING", Group.ORDER, "time without a stop", "watch.stop_missing_s", "s"
    STOP_JUMPED = "STOP_JUMPED", Group.ORDER, "price", "stop", "quote"
    DUST = "DUST", Group.ORDER, "value that cannot be sold", "the exchange's minimum", "quote"
    ORDER_FAILED = "ORDER_FAILED", Group.ORDER, "pause before the next", "", "s"
    ORDER_ADOPTED = "ORDER_ADOPTED", Group.ORDER, "time until it was found", "", "s"
    ORDER_UNRESOLVED = "ORDER_UNRESOLVED", Group.ORDER, "time since it was sent", "0", "s"
    RESOLVE_FAILED = "RESOLVE_FAILED", Group.ORDER
    RECONCILED = "RECONCILED", Group.ORDER, "what is amiss", "0", "findings"
    RECONCILE_FAILED = "RECONCILE_FAILED", Group.ORDER
    NOT_LISTED = "NOT_LISTED", Group.ORDER, "amount held", "", "base"
    FLOW = "FLOW", Group.ORDER, "what came, or went if negative", "equity after it", "quote"
    OWN_HOLDING = "OWN_HOLDING", Group.ORDER, "amount", "", "base"
    FOREIGN_HOLDING = "FOREIGN_HOLDING", Group.ORDER, "coins named", "", "coins"
    FOREIGN_ORDER = "FOREIGN_ORDER", Group.ORDER, "coins that orders lock", "", "coins"
    POSITION_MISSING = (
        "POSITION_MISSING",
        Group.ORDER,
        "value missing",
        "smallest that counts",
        "quote",
    )
    UNKNOWN_POSITION = (
        "UNKNOWN_POSITION",
        Group.ORDER,
        "value too much",
        "smallest that counts",
        "quote",
    )
    UNKNOWN_ORDER = "UNKNOWN_ORDER", Group.ORDER, "open amount", "0", "base"
    UNKNOWN_PROTECTED = (
        "UNKNOWN_PROTECTED",
        Group.ORDER,
        "value protected",
        "smallest that counts",
        "quote",
    )
    UNKNOWN_CLOSED = "UNKNOWN_CLOSED", Group.ORDER, "value sold", "smallest that counts", "quote"

    STOP_THROUGH_MARKET = "stop_through_market", Group.EXIT, "profit", "0", "%"
    CHANDELIER_EXIT = "chandelier_exit", Group.EXIT, "profit", "0", "%"
    TIME_STOP = "time_stop", Group.EXIT, "profit", "0", "%"
    STOP_MISSING_EXIT = "stop_missing", Group.EXIT, "profit", "0", "%"
    STOP_JUMPED_EXIT = "stop_jumped", Group.EXIT, "profit", "0", "%"
    DUST_EXIT = "dust", Group.EXIT, "profit", "0", "%"

    SHORT_HISTORY = "SHORT_HISTORY", Group.DATA, "data quality", "0: OK", "code"
    AFTER_HOLE = "AFTER_HOLE", Group.DATA, "data quality", "0: OK", "code"
    AFTER_ABSURD_BAR = "AFTER_ABSURD_BAR", Group.DATA, "data quality", "0: OK", "code"
    FILLED_HOLE = "FILLED_HOLE", Group.DATA, "data quality", "0: OK", "code"
    ABSURD_BAR = "ABSURD_BAR", Group.DATA, "data quality", "0: OK", "code"
    BAD_BAR = "BAD_BAR", Group.DATA, "data quality", "0: OK", "code"
    DISORDER = "DISORDER", Group.DATA, "data quality", "0: OK", "code"
    CANDLE_MISSING = "CANDLE_MISSING", Group.DATA

    NO_DECISION = "NO_DECISION", Group.JOURNAL
    NO_RULES = "NO_RULES", Group.JOURNAL
    ENTRY = "ENTRY", Group.JOURNAL, "candle's close to resting stop", "", "s"
    ANALYSIS = "ANALYSIS", Group.JOURNAL, "length of the loop's analysis", "", "s"

    API_SILENT = "API_SILENT", Group.HEALTH
    LOOP_SILENT = "LOOP_SILENT", Group.HEALTH, "age of the last loop", "3 minutes", "s"
    DECISIONS_OLD = (
        "DECISIONS_OLD",
        Group.HEALTH,
        "age of the last analysis",
        "a candle and 3 minutes",
        "s",
    )
    JOURNAL_OLD = "JOURNAL_OLD", Group.HEALTH, "age of the last row", "a candle and 3 minutes", "s"


# Looks at the account that found nothing amiss.
ALL_WELL = {Reason.RECONCILED}
_BY_TEXT = {reason.value: reason for reason in Reason}


def reason_of(code: str) -> Reason | None:
    """The reason of a code; None for a rule's, an exit's or an error's own name."""
    return _BY_TEXT.get(code)
