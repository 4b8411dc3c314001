"""What was measured beside what it is to be."""

from typing import Any

from benchmarks import analysis, examples, growth, journal, loop, stress


def compared(results: dict[str, Any]) -> list[dict[str, Any]]:
    """
    A row for each target whose part was measured.

    Returns
    -------
    list of dict
        figure (in words), measured and target (ratios, or percent where it says so).
    """
    rows: list[tuple[str, float, float]] = []
    if "loop" in results:
        found = results["loop"]
        peak = found["variants"][loop.BALLAST]["ratios"]["peak_mb"]
        rows.append(
            ("backtest loop, all guards, to empty callbacks", found["to_asked"], loop.TARGET)
        )
        rows.append(("peak memory of a backtest, to the floor", peak, loop.TARGET_PEAK))
    if "foreign" in results:
        ratio = results["foreign"]["to_asked"]
        rows.append(("the loop of a foreign strategy under the layer", ratio, loop.TARGET_FOREIGN))
    for timeframe, figures in results.get("analysis", {}).items():
        slowest = max(row["ratio"] for name, row in figures.items() if name != analysis.SAMPLE)
        what = f"analysis of a new {timeframe} candle, slowest of the pack, to {analysis.SAMPLE}"
        rows.append((what, slowest, analysis.TARGETS[timeframe]))
    if "examples" in results:
        slowest = max(row["ratio"] for row in results["examples"].values())
        what = "analysis of a new candle: example against twin, the slowest"
        rows.append((what, slowest, examples.TARGET))
    if "growth" in results:
        costs = [row["per_trade_ms"] for row in results["growth"]["Ballast"]]
        what = f"cost of a trade, {results['growth']['Ballast'][-1]['trades']:,} to the fewest"
        rows.append((what, costs[-1] / costs[0], growth.TARGET))
    if "journal" in results:
        share = results["journal"]["share"]
        rows.append(("journal of a new candle, percent", share, journal.TARGET_PCT))
    if "stress" in results:
        found = results["stress"]
        what = (
            f"{found['jobs']} backtests in {found['processes']} processes, to one after the other"
        )
        rows.append((what, found["ratio"], stress.TARGET))
        rows.append(("backtests that a second run makes again", found["again"], 0))
    if "live" in results:
        live = results["live"]
        refused = sum(bot["refused"] for bot in live["bots"].values())
        rows += [
            (f"live: {row['figure']}", row["measured"], row["target"])
            for row in live["targets"]
            if row["target"] is not None
        ]
        rows.append(("live: requests refused (429)", refused, 0))
    return [dict(zip(("figure", "measured", "target"), row, strict=True)) for row in rows]
