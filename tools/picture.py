"""Picture of a backtest: equity and drawdown of every strategy in a Freqtrade result.

`python -m tools.picture user_data/backtest_results docs/backtest.svg` takes the newest result of a
folder, or the zip it is given.
"""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib import pyplot as plt

_WALLET = "_wallet.feather"


class PictureError(Exception):
    """No picture can be made; the text is one sentence for the user."""


def equity_curves(result: Path) -> dict[str, pd.Series]:
    """
    Account value by strategy, in quote currency, at every candle.

    Parameters
    ----------
    result : Path
        A Freqtrade result (zip), or a folder whose newest one is taken.

    Raises
    ------
    PictureError
        When there is no result, or it holds no wallet history.
    """
    path = _newest(result) if result.is_dir() else result
    curves = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(n for n in archive.namelist() if n.endswith(_WALLET)):
                wallet = pd.read_feather(io.BytesIO(archive.read(name)))
                value = wallet["rate"] * wallet["balance"]
                strategy = name.removesuffix(_WALLET).rsplit("_", 1)[-1]
                curves[strategy] = value.groupby(wallet["date"]).sum()
    except (OSError, zipfile.BadZipFile) as error:
        raise PictureError(f"{path} is not a readable backtest result: {error}") from error
    if not curves:
        raise PictureError(
            f"{path} holds no wallet history: run the backtest with trades exported."
        )
    return curves


def draw(curves: dict[str, pd.Series], target: Path) -> None:
    """Draw equity above and drawdown below, and write the picture in the format of its suffix."""
    mpl.rcParams["svg.hashsalt"] = "ballast"  # the same result gives the same bytes
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(10, 6), sharex=True, height_ratios=(2, 1), layout="constrained"
    )
    for strategy, equity in curves.items():
        drawdown = 100 * (equity / equity.cummax() - 1)
        gain = 100 * (equity.iloc[-1] / equity.iloc[0] - 1)
        # A day is a pixel or less: its last value, and its deepest drawdown.
        equity, drawdown = equity.resample("1D").last(), drawdown.resample("1D").min()
        label = f"{strategy}: {gain:+.0f} %, drawdown {-drawdown.min():.1f} %"
        above.plot(equity.index, equity, label=label, linewidth=1.2)
        below.plot(drawdown.index, drawdown, linewidth=1.0)
    above.set_ylabel("account value")
    above.legend(loc="upper left", frameon=False)
    below.set_ylabel("drawdown, percent")
    for axis in (above, below):
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, metadata={"Date": None} if target.suffix == ".svg" else None, dpi=110)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.picture", description=__doc__)
    parser.add_argument("result", type=Path, help="backtest result (zip) or folder of results")
    parser.add_argument("target", type=Path, help="picture to write (.svg or .png)")
    options = parser.parse_args(arguments)
    try:
        draw(equity_curves(options.result), options.target)
    except PictureError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    print(options.target)
    return 0


def _newest(folder: Path) -> Path:
    results = sorted(folder.glob("*.zip"), key=lambda path: path.stat().st_mtime)
    if not results:
        raise PictureError(f"{folder} holds no backtest result.")
    return results[-1]


if __name__ == "__main__":
    sys.exit(main())
