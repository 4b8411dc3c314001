"""The settings that made a result, as a part of a page."""

import json
from collections.abc import Mapping
from typing import Any

from ballast.config import settings
from ballast.config.described import described
from ballast.research.report.results import RunResult
from ballast.research.report.wording import counted
from ballast.tooling.pages.page import Section
from ballast.tooling.pages.tables import Fact, facts, table
from ballast.tooling.pages.texts import paragraph

# Of Freqtrade's, those that change what is bought and sold.
_FREQTRADE = (
    "stake_currency",
    "stake_amount",
    "dry_run_wallet",
    "tradable_balance_ratio",
    "max_open_trades",
    "enable_protections",
    "fee",
    "trading_mode",
)


def made_by(run: RunResult) -> Section:
    """Strategy, candles and pairs, and every setting that is not as by default."""
    rows: list[Fact] = [
        ("strategy", run.strategy, f"{run.timeframe} candles"),
        ("pairs", ", ".join(run.pairs), "in the order of the whitelist"),
    ]
    rows += [
        (name, json.dumps(run.config[name]), "")
        for name in _FREQTRADE
        if run.config.get(name) is not None
    ]
    rows += [
        (name, json.dumps(value), "a parameter of it") for name, value in run.parameters.items()
    ]
    lead = "What to set to get this result again, on the same candles."
    section = run.config.get(settings.SECTION)
    return Section("The settings that made it", lead, [facts(rows), _of_the_layer(section)])


def _of_the_layer(section: Mapping[str, Any] | None) -> Any:
    try:
        loaded = settings.load(section)
    except settings.SettingsError as error:
        return paragraph(f"Its settings are not those of this version: {error}", "notice")
    known = list(described(loaded, settings.Settings()))
    changed = [each for each in known if each.value != each.default]
    if not changed:
        return paragraph(f"All {counted(len(known), 'setting')} of the layer are as by default.")
    rows = [
        [f"{settings.SECTION}.{each.name}", json.dumps(each.value), json.dumps(each.default)]
        for each in changed
    ]
    heads = ("setting", "value", "by default")
    told = (
        f"Settings {loaded.digest()}; {counted(len(known) - len(changed), 'other')} as by default."
    )
    return table(heads, rows, told, words=heads[1:])
