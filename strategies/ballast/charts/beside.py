"""Charts of a strategy that draws its own: what is ours stands beside it, under names of ours."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np
import pandas as pd

from ballast.charts import drawing
from ballast.core.frames import with_columns
from ballast.core.setups import Setup
from ballast.core.signals import NO_SETUP

PREFIX = "ballast_"
# Columns of `signals.state_columns` that are drawn or make an annotation.
_SHOWN = ("regime", "market_regime", "intensity", "cooldown", "trust")


def plot_config(theirs: Any, *, account: bool = False) -> dict[str, Any]:
    """Freqtrade's `plot_config`: theirs, and beside it our first stop, the account and shocks."""
    found = deepcopy(dict(theirs)) if isinstance(theirs, Mapping) else {}
    ours = drawing.plot_config((), (), account=account)
    found["main_plot"] = {**(found.get("main_plot") or {}), **_named(ours["main_plot"])}
    lanes = {name: _lane(lines) for name, lines in ours["subplots"].items()}
    found["subplots"] = {**(found.get("subplots") or {}), **_named(lanes)}
    return found


def add_columns(
    frame: pd.DataFrame,
    own: pd.DataFrame,
    setup: Setup,
    disaster_ratio: float,
    account: Mapping[str, np.ndarray],
) -> pd.DataFrame:
    """
    The frame with columns that are there to be drawn alone: ballast_<name>.

    Parameters
    ----------
    own : DataFrame
        The same candles with the columns of `signals.state_columns`; may begin earlier.
    setup : Setup
        With the stops of every trade.
    account : mapping of str to array
        Columns of the account (see `account_lanes`), on the candles of `frame`.
    """
    ours = own.iloc[len(own) - len(frame) :]
    columns = {name: ours[name].to_numpy() for name in _SHOWN}
    state = columns | {"atr": ours["atr"].to_numpy()}
    # Of a strategy that states no rules there are none to draw.
    none = np.full(len(frame), NO_SETUP)
    drawn = drawing.columns(ours["close"].to_numpy(), state, none, [setup], disaster_ratio)
    columns |= {name: drawn[name] for name in (drawing.FIRST_STOP, drawing.SHOCK, drawing.ZERO)}
    return with_columns(frame, _named({**columns, **account}))


def ours(frame: pd.DataFrame) -> pd.DataFrame:
    """What `drawing.annotated` looks at, of a frame with `add_columns`."""
    found = frame[[f"{PREFIX}{name}" for name in _SHOWN]]
    return found.rename(columns=lambda name: name.removeprefix(PREFIX)).assign(date=frame["date"])


def _named(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{PREFIX}{name}": part for name, part in parts.items()}


def _lane(lines: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Lines of a lane under names of ours, and what they are filled down to."""
    return _named(
        {
            name: {
                key: f"{PREFIX}{value}" if key == "fill_to" else value for key, value in how.items()
            }
            for name, how in lines.items()
        }
    )
