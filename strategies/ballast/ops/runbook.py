"""The runbook's tables of reason codes: what each means, and what to do.

`python -m tools.reference` writes them into the page.
"""

from collections.abc import Mapping
from itertools import groupby

from ballast.core.reasons import Reason

_HEADING = "## Reason codes\n"
_INTRO = """
The same in logs, locks, Telegram, journal and metrics. Value and limit are the two numbers beside a
code; where nothing is said of them they are 1 and 0, or missing. Other words in a code's place are
names: of an entry rule that was not met, of an exit rule, of an error, or Freqtrade's own exit
reasons.
"""

# What a code means | what to do: two cells of its row.
ADVICE: Mapping[Reason, str] = {
    Reason.VOLATILITY: (
        "A volatility shock of this pair; value is its size over the detector's limit. | Wait: "
        "it ends by itself."
    ),
    Reason.MARKET_SHOCK: (
        "The leader, or most of the market, fell sharply; value is the fall in percent. | Wait "
        "for the pause. With policy `flatten` positions were sold."
    ),
    Reason.STOP_CASCADE: "Several losing trades closed within hours. | Wait for the pause.",
    Reason.LOSS_STREAK: (
        "Losses in a row, of a pair or of all. | Of a pair: wait. Of all: compare with the "
        "backtest; something may have changed."
    ),
    Reason.DAILY_LOSS: (
        "The day's loss reached a limit, percent of equity. | Wait. More of such days in a "
        "month than in the backtest: stop and compare."
    ),
    Reason.WEEKLY_LOSS: "The week's loss reached a limit. | As above.",
    Reason.DRAWDOWN: (
        "The account is so far below its peak, percent. | Sizes are smaller, or nothing is "
        "entered for a week. A withdrawal is no part of it."
    ),
    Reason.DRAWDOWN_LIMIT: (
        "The account has lost, from its peak, what it may lose. | Nothing is bought until you say "
        "so: find out why before `guards rearm DrawdownLimit`. Near the limit sizes are cut."
    ),
    Reason.ROLLING_DRAWDOWN: (
        "The account has lost, from its highest value of the last weeks, what it may lose. | Wait: "
        "it ends once that value is weeks ago. More of such weeks than in the backtest: stop and "
        "compare."
    ),
    Reason.DATA_OUTAGE: (
        "Requests fail, or most pairs' candles are not to be trusted. | Status page, network. "
        "It ends with its cause."
    ),
    Reason.EDGE_DECAY: (
        "Trades earn less than the backtest's did; value is the CUSUM, standard deviations. | "
        "As alert EdgeDecays."
    ),
    Reason.GUARDS_SILENT: (
        "The guards have not judged this candle: an error, or a candle that is waited for. | "
        "Seconds after a candle this is usual. If it stays, the log has the error."
    ),
    Reason.PAIR_LOCKED: "A lock of Freqtrade's holds the pair. | `/locks` says why and until when.",
    Reason.OK: "Nothing objects. | Nothing.",
    Reason.CANDLE_UNTRUSTED: (
        "The signal's candle is out of order, in a hole, absurd or too early in its history. | "
        "Nothing; a pair that stays so belongs off the list."
    ),
    Reason.SIGNAL_STALE: "The newest candle has not been analysed. | As `GUARDS_SILENT`.",
    Reason.SIGNAL_OLD: (
        "The signal is older than `ballast.gate.signal_age_s`. | After an outage this is right. "
        "Often: `latency`."
    ),
    Reason.PRICE_MOVED: "Price has run away from the signal's close. | Nothing.",
    Reason.SPREAD_WIDE: (
        "The spread is above `ballast.gate.spread_bps`. | A pair that is often so is too thin."
    ),
    Reason.DEPTH_THIN: "The order book is too thin for the stake. | The same.",
    Reason.BALANCE_SHORT: (
        "Less is free than the order costs. | Is money in orders placed by hand, or another bot's?"
    ),
    Reason.EXCHANGE_ERROR: (
        "Order book, balance or open orders could not be read just before an order. | Network, "
        "status page, or key; the detail says which."
    ),
    Reason.BACKOFF: (
        "An order of this pair failed; it is tried again later. | `ORDER_FAILED` says why."
    ),
    Reason.NOT_SIZED: (
        "An order came that the sizer has not seen. | Bought by hand past a refusal? Else "
        "report it."
    ),
    Reason.LOSS_AT_STOP: (
        "The order would lose more at its stop than was decided. | Nothing: the price has moved."
    ),
    Reason.ENTRIES_PER_CANDLE: "So many entries on one candle are enough. | Nothing.",
    Reason.SLOTS_FULL: "`max_open_trades` positions are open. | Nothing.",
    Reason.NOT_ASKED: (
        "Freqtrade has not asked for this entry. | Locks, open trades, or the state of the bot."
    ),
    Reason.KILL_FILE: "The kill file is there. | `rm user_data/KILL` when it is over.",
    Reason.KILL_FILE_UNREADABLE: (
        "It cannot be told whether the kill file is there. | The folder is gone or closed to "
        "the bot's user: mount and rights."
    ),
    Reason.NOT_RECONCILED: (
        "The account has not been compared with the database since the start. | Seconds after a "
        "start this is usual; else the exchange does not answer."
    ),
    Reason.WATCH_SILENT: "The watch of positions and orders has failed. | The log has the error.",
    Reason.STRATEGY_STAKE: (
        "The strategy's own `custom_stake_amount` wants nothing. | Nothing: it is heard as a cap."
    ),
    Reason.STRATEGY_REFUSED: (
        "The strategy's own `confirm_trade_entry` said no. | Nothing: it may always refuse."
    ),
    Reason.STRATEGY_FAILED: (
        "The strategy could not analyse the pair's last candle, or has changed its callbacks while "
        "it ran. | Look for the failure in the log; what is held keeps its stop."
    ),
    Reason.ADDITIONS: (
        "The strategy wants to add to a position. | Allow it with `ballast.additions.most` if "
        "it should, or wait for the order that is open."
    ),
    Reason.DATABASE_LOST: (
        "The file of the bot's database was deleted or replaced while the bot runs. | Do not end "
        "the bot while it holds anything: it alone knows. Put that very file back, or sell first."
    ),
    Reason.JOURNAL_SILENT: (
        "The journal cannot be written, and the settings say that it must. | As alert JournalOld."
    ),
    Reason.PASSED: "Every check before an order was passed. | Nothing.",
    Reason.NO_SIZE: "No size is left; the detail is one of those below. | Nothing.",
    Reason.RISK_AT_STOP: "The loss at the stop binds: the usual case. | Nothing.",
    Reason.PORTFOLIO_HEAT: "What all stops risk together binds. | Nothing.",
    Reason.CLUSTER_HEAT: "Positions that move together bind. | Nothing.",
    Reason.DRAWDOWN_LEFT: "What is left of a limit on losses or drawdowns binds. | Nothing.",
    Reason.VOLATILITY_TARGET: "The pair moves too much in a day for more. | Nothing.",
    Reason.LIQUIDITY: "The pair's turnover binds. | Nothing.",
    Reason.POSITION_CAP: "The cap of one position binds. | Nothing.",
    Reason.EXPOSURE_CAP: "The cap of all positions binds. | Nothing.",
    Reason.FREE_BALANCE: "There is not more money. | Nothing.",
    Reason.USER_STAKE: (
        "The stake that you have named binds: `stake_amount`, or a forced entry's. | Nothing."
    ),
    Reason.GUARDS: "The guards leave no size. | Read the guard's entry above.",
    Reason.BELOW_EXCHANGE_MINIMUM: (
        "What is left is less than the exchange takes. | A small account: fewer pairs, or nothing."
    ),
    Reason.MULTIPLIER_INVALID: "A guard's multiplier is no number: refused. | Report it.",
    Reason.OPEN_RISK_UNKNOWN: "The risk of open positions cannot be told: refused. | Report it.",
    Reason.STOP_NOT_BELOW_ENTRY: (
        "The stop is not below the price: refused. | Report it if it is often."
    ),
    Reason.ENTRY_CONFIRMED: "An entry order may be sent. | Nothing.",
    Reason.ENTRY_FILLED: "It has filled. | Nothing.",
    Reason.ENTRY_UNFILLED: "It was withdrawn unfilled. | Nothing.",
    Reason.ENTRY_TIMEOUT: "It was not filled in time. | Nothing.",
    Reason.CHASE_ENDED: "Price ran away from a resting entry, which is given up. | Nothing.",
    Reason.PARTIAL_FILL: "An order has filled in part. | Its part is protected and managed.",
    Reason.EXIT_FILLED: "A position was left. | Nothing.",
    Reason.PART_SOLD: "A part of a position was sold, as its setup states. | Nothing.",
    Reason.PART_TOO_SMALL: (
        "A part that the setup sells is less than the exchange takes: it stays, with its stop. | A "
        "small account: larger shares, or none."
    ),
    Reason.STOP: "A position is held above its stop. | Nothing.",
    Reason.FIRST_STOP: "A position was given its first stop. | Nothing.",
    Reason.STRATEGY_STOP: "The strategy's own stop is closer: it holds. | Nothing.",
    Reason.BREAK_EVEN: "The stop was raised to the entry, costs included. | Nothing.",
    Reason.CHANDELIER: "The stop followed the highest close since the entry. | Nothing.",
    Reason.ATR_TRAIL: "The stop followed a close. | Nothing.",
    Reason.PERCENT_TRAIL: "The stop followed the highest close since the entry. | Nothing.",
    Reason.PARABOLIC_SAR: "The stop followed the parabolic SAR. | Nothing.",
    Reason.SWING_LOW: "The stop followed the last swing low. | Nothing.",
    Reason.STOP_ADOPTED: "A stop found on the exchange was taken over. | Nothing.",
    Reason.STOP_MISSING: "A position has no stop on the exchange. | As alert PositionUncovered.",
    Reason.STOP_JUMPED: (
        "Price is through a stop that has not filled. | It is sold at the market; see `/status`."
    ),
    Reason.DUST: (
        "What an entry bought, or a stop left, is too little to be sold or to have a stop: the "
        "trade is closed at nothing. | The coins stay on the account."
    ),
    Reason.ORDER_FAILED: (
        "The exchange refused an order. | The log has its answer: minimum, balance, key."
    ),
    Reason.ORDER_ADOPTED: "An order whose answer was lost was found and taken over. | Nothing.",
    Reason.ORDER_UNRESOLVED: (
        "Whether an order exists cannot be told yet. | It is asked again; entries of the pair wait."
    ),
    Reason.RESOLVE_FAILED: (
        "The exchange does not say what became of an order. | Look on its own page if it stays."
    ),
    Reason.RECONCILED: "Account and database were compared. | Nothing.",
    Reason.RECONCILE_FAILED: (
        "They could not be compared, of one pair or at all. | Network or key; entries wait."
    ),
    Reason.NOT_LISTED: (
        "The exchange has delisted or halted a coin that is held: it cannot be sold, and has no "
        "stop. | If it is delisted, sell or withdraw it on the exchange's own page, then `/delete` "
        "the trade."
    ),
    Reason.FLOW: (
        "Money came or went: a deposit, a withdrawal, another bot's trade, a changed setting, a "
        "deleted trade. Neither profit nor loss. | Yours? Nothing. Else look at the account."
    ),
    Reason.FOREIGN_HOLDING: "Coins of no pair of the bot: neither counted nor touched. | Nothing.",
    Reason.FOREIGN_ORDER: (
        "Orders that lock coins, or quote currency, and are not the bot's. | Another bot on this "
        "account: give each its `available_capital`."
    ),
    Reason.OWN_HOLDING: "Coins that were there before the bot: left alone. | Nothing.",
    Reason.POSITION_MISSING: (
        "The database holds a position that the exchange does not. | Sold by hand? "
        "`/reload_trade`, or `/forceexit`."
    ),
    Reason.UNKNOWN_POSITION: (
        "The exchange holds coins that the database does not know. | Yours: `holdings --own BTC "
        '0.5 --because "..."`. Else sell them.'
    ),
    Reason.UNKNOWN_ORDER: (
        "An open order, of a pair of ours, that the database does not know or takes for ended. | "
        "Another bot's: give each its own pairs. Else cancel it on the exchange's own page."
    ),
    Reason.UNKNOWN_PROTECTED: "An unknown position was given a stop. | Decide: keep or sell.",
    Reason.UNKNOWN_CLOSED: "An unknown position was sold. | Nothing.",
    Reason.STOP_THROUGH_MARKET: "The stop was raised beyond the market: sold at once. | Nothing.",
    Reason.CHANDELIER_EXIT: "A candle closed below the chandelier. | Nothing.",
    Reason.TIME_STOP: "The trade has not reached 1 R within the setup's time. | Nothing.",
    Reason.STOP_MISSING_EXIT: (
        "No stop could be placed for too long: sold. | As alert PositionUncovered."
    ),
    Reason.STOP_JUMPED_EXIT: (
        "Price stayed through a stop that did not fill: sold at the market. | Nothing."
    ),
    Reason.DUST_EXIT: "Too little was held to be sold: closed at nothing. | As `DUST`.",
    Reason.SHORT_HISTORY: "Too few candles lie before it. | Nothing: a pair that is newly listed.",
    Reason.AFTER_HOLE: (
        "Candles were missing shortly before it. | Nothing: it is over after "
        "`trust.recovery_candles`."
    ),
    Reason.AFTER_ABSURD_BAR: (
        "An absurd candle came shortly before it. | Nothing: it is over after "
        "`trust.recovery_candles`."
    ),
    Reason.FILLED_HOLE: "It was filled in where candles are missing. | As alert PairLate.",
    Reason.ABSURD_BAR: (
        "Its move is far beyond what the pair does. | Look at the chart: news, or a wrong tick."
    ),
    Reason.BAD_BAR: (
        "Its prices are impossible: missing, not positive, or high below low. | Exchange's "
        "status page."
    ),
    Reason.DISORDER: "Candles are out of order or doubled. | Exchange's status page.",
    Reason.CANDLE_MISSING: "The candle did not come. | As alert PairLate.",
    Reason.NO_DECISION: "Nothing was decided about a candle. | As alert DecisionsOld.",
    Reason.NO_RULES: "The strategy's rules cannot be read for this candle. | Report it.",
    Reason.ENTRY: (
        "How long the way from candle to stop took; the facts hold each stage. | As alert "
        "EntriesSlow."
    ),
    Reason.ANALYSIS: "How long a candle's analysis took. | As alert EntriesSlow.",
    Reason.API_SILENT: "`health` gets no answer from the bot. | As alert BotSilent.",
    Reason.LOOP_SILENT: "No loop has ended in time. | As alert LoopSilent.",
    Reason.DECISIONS_OLD: "No candle was analysed in time. | As alert DecisionsOld.",
    Reason.JOURNAL_OLD: "Nothing was written in time. | As alert JournalOld.",
}


def tables() -> str:
    """All reason codes in Markdown, a table for each group."""
    parts = []
    for group, reasons in groupby(Reason, key=lambda reason: reason.group):
        rows = [
            f"| `{reason}` | {_value(reason)} | {reason.allowed} | {ADVICE[reason]} |"
            for reason in reasons
        ]
        head = ["| code | value | limit | means | do |", "| --- | --- | --- | --- | --- |"]
        parts.append("\n".join([f"### {group}", "", *head, *rows, ""]))
    return "\n".join(parts)


def page(text: str) -> str:
    """The runbook with its tables as they are now; all that stands before them stays."""
    return text.partition(_HEADING)[0] + _HEADING + _INTRO + "\n" + tables()


def _value(reason: Reason) -> str:
    return f"{reason.seen}, {reason.unit}" if reason.unit else reason.seen
