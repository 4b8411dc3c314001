"""What FreqUI and `freqtrade plot-dataframe` draw when told to take the strategy's own chart."""

from collections.abc import Iterable, Sequence
from typing import Any

from ballast.analysis import Setup, entry_rules

_LINE_COLOURS = ("#2a9d8f", "#e9c46a", "#8ecae6", "#b5838d")
_RULE_COLOURS = ("#2a9d8f", "#e9c46a", "#f4a261", "#e76f51", "#8ecae6", "#b5838d", "#6d6875")


def plot_config(lines: Iterable[str], setups: Sequence[Setup]) -> dict[str, Any]:
    """
    Freqtrade's `plot_config`: prices over the candles, and below them regimes, shocks and rules.

    Parameters
    ----------
    lines : iterable of str
        Columns that are prices.
    setups : sequence of Setup
        Whose entry rules are drawn, a step of 1 where a rule is met.
    """
    rules = {
        column: {"color": _RULE_COLOURS[number % len(_RULE_COLOURS)]}
        for number, column in enumerate(entry_rules(setups))
    }
    return {
        "main_plot": {
            name: {"color": _LINE_COLOURS[number % len(_LINE_COLOURS)]}
            for number, name in enumerate(lines)
        },
        "subplots": {
            "regime": {
                "regime": {"color": "#2a9d8f"},
                "market_regime": {"color": "#e9c46a"},
            },
            "shock": {
                "intensity": {"color": "#e76f51"},
                "cooldown": {"color": "#8ecae6", "type": "bar"},
            },
            "trust": {"trust": {"color": "#e76f51", "type": "bar"}},
            "rules": rules,
        },
    }
