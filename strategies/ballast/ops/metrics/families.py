"""Names and meanings of the metrics; what is not known is not exported, and never a zero."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

PREFIX = "ballast_"
LATENCY_BUCKETS_S = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)

# Unit in the name: seconds, ratio (0 to 1), bps (hundredths of a percent); else quote currency.
GAUGES = {
    "up": "1 if the bot's API answers",
    "info": "always 1; what runs",
    "state": "1 for Freqtrade's present state",
    "live": "1 if real money is traded",
    "equity": "account value with open positions, at the newest candle as all of the account",
    "holding_equity": "first equity the journal keeps, had it been held in leader or basket since",
    "size_multiplier": "size that all guards together leave to an entry, 0 being a block",
    "drawdown_ratio": "how far the equity is below its peak, as the guards know it",
    "heat_ratio": "what all stops together would lose, costs included, share of the equity",
    "heat_limit_ratio": "limit of the heat: PortfolioHeat, or what is left of a drawdown limit",
    "exposure_ratio": "value of all positions, share of the equity",
    "position_stop_ratio": "how far the stop is below the last close",
    "position_risk_ratio": "what is lost at the stop, costs included, share of the equity",
    "position_r": "open result in multiples of what the first stop put at risk",
    "open_positions": "open positions",
    "uncovered_positions": "positions without a stop: none on the exchange (live), none at all",
    "locks": "locks in force by the code they were made for, all pairs being '*'",
    "guard_multiplier": "size that a guard leaves to an entry of any pair, 0 being a block",
    "loop_age_seconds": "since the bot's last loop ended",
    "candle_seconds": "length of the strategy's candle",
    "candle_age_seconds": "since the end of the newest candle that was analysed",
    "slippage_bps": "mean cost of the last fills against the price asked",
    "slippage_fills": "fills that slippage_bps is the mean of",
    "decay_ratio": "shortfall against the backtest, share of what EdgeDecay warns at",
    "profit_closed": "result of all closed trades",
    "profit_factor": "gains of closed trades over their losses",
    "disk_free_bytes": "room where the bot writes",
    "journal_lag_seconds": "since the end of the newest candle in the journal",
}
COUNTERS = {
    "trades_closed": "closed trades by result",
    "uncovered_seconds": "seconds times positions without a stop, seen by this sidecar",
    "api_errors": "failed requests to the exchange by call and kind, seen by this sidecar",
    "refusals": "entries refused by code",
    "decisions": "decisions in the journal by outcome and code",
    "events": "events in the journal by kind and code",
    "incidents": "exceptions inside the layer, each of which refused",
}

Labels = Mapping[str, str]
Sample = tuple[str, Labels, float]


def of_samples(samples: Iterable[Sample]) -> Iterator[Metric]:
    """Metric families of samples: name without prefix, labels, value."""
    by_name: dict[str, list[Sample]] = {}
    for sample in samples:
        by_name.setdefault(sample[0], []).append(sample)
    for name, rows in by_name.items():
        labels = sorted(rows[0][1])
        if name in COUNTERS:
            counter = CounterMetricFamily(PREFIX + name, COUNTERS[name], labels=labels)
            for _, named, value in rows:
                counter.add_metric([named[label] for label in labels], value)
            yield counter
        else:
            gauge = GaugeMetricFamily(PREFIX + name, GAUGES[name], labels=labels)
            for _, named, value in rows:
                gauge.add_metric([named[label] for label in labels], value)
            yield gauge


def latencies(seconds: Mapping[str, Sequence[float]]) -> Metric:
    """A histogram of the times that each stage took."""
    family = HistogramMetricFamily(
        f"{PREFIX}latency_seconds", "from candle to stop, by stage", labels=["stage"]
    )
    for stage, values in seconds.items():
        counts = [(str(b), float(sum(v <= b for v in values))) for b in LATENCY_BUCKETS_S]
        family.add_metric([stage], [*counts, ("+Inf", float(len(values)))], sum(values))
    return family
