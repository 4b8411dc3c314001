"""All checks, in the order in which findings of equal weight are told."""

from ballast.evidence import checks_luck, checks_profit, checks_sample
from ballast.evidence.findings import Check

ALL: tuple[Check, ...] = (
    checks_sample.trade_count,
    checks_profit.profit,
    checks_profit.costs,
    checks_luck.drawdown,
    checks_luck.drawdown_to_expect,
    checks_luck.chance_of_loss,
    checks_luck.overfitting,
    checks_luck.trials,
    checks_luck.walk_forward,
    checks_luck.sensitivity,
    checks_profit.best_trades,
    checks_profit.without_the_best,
    checks_profit.best_pair,
    checks_profit.best_months,
    checks_profit.exposure,
    checks_profit.left_open,
    checks_profit.decay,
    checks_sample.bear_market,
    checks_sample.missing_trend,
    checks_sample.losing_regime,
    checks_sample.tailwind,
    checks_sample.period,
    checks_luck.under_water,
    checks_luck.worst_day,
    checks_luck.track_record,
    checks_luck.yearly,
    checks_luck.lucky_path,
    checks_luck.guards,
    checks_sample.perfect_stops,
    checks_sample.thin_regimes,
    checks_profit.holding,
)
