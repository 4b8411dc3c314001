"""`strategies/` and `config.json`, copied into an empty Freqtrade folder, are enough to trade.

No `ballast` is installed there: the processes run with an import system that refuses every copy of
it but the one beside the strategies.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.beside import running_sandbox
from tests.processes import CHILD, ROOT

PAIRS = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
MARKET = ["--generate", "7", "--days", "60", "--pairs", *PAIRS]

# Python runs this at start: paths and finders by which this repository could be imported are gone.
_NOT_INSTALLED = """
import sys

sys.path[:] = [
    entry for entry in sys.path if not entry.startswith({root!r}) or "site-packages" in entry
]
sys.meta_path[:] = [f for f in sys.meta_path if "__editable__" not in getattr(f, "__module__", "")]
class Refused:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "ballast" and not any("copied" in entry for entry in sys.path):
            raise ModuleNotFoundError("ballast is not installed", name=name)
        sys.meta_path[:] = [
            f for f in sys.meta_path if "__editable__" not in getattr(f, "__module__", "")
        ]
        return None
sys.meta_path.insert(0, Refused)
"""


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """A Freqtrade folder with what the README says to copy, and a sandbox's configuration."""
    folder = tmp_path_factory.mktemp("copied")
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "strategies", folder / "user_data" / "strategies", ignore=ignored)
    config = json.loads((ROOT / "config.json").read_text(encoding="utf-8"))
    # The copy of the user: strategies are where Freqtrade looks for them, and these pairs trade.
    config.pop("strategy_path", None)
    config["exchange"]["pair_whitelist"] = PAIRS
    config["ballast"]["market"] = {"basket": PAIRS}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    data = folder / "user_data" / "data" / "binance"
    export = [*MARKET, "--export", str(data), "--timeframes", "1h"]
    subprocess.run([sys.executable, "-m", "sandbox", *export], cwd=ROOT, check=True)
    with running_sandbox(folder, *MARKET) as sandbox:
        yield folder, sandbox.overlay


def without_ballast(folder: Path) -> dict[str, str]:
    """An environment on loopback in which only the copy beside the strategies can be imported."""
    site = folder / "site"
    site.mkdir(exist_ok=True)
    code = (CHILD / "sitecustomize.py").read_text(encoding="utf-8")
    code += _NOT_INSTALLED.format(root=str(ROOT) + os.sep)
    (site / "sitecustomize.py").write_text(code, encoding="utf-8")
    return {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": str(site)}


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = without_ballast(folder)
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_ballast_is_not_installed_there(copied: tuple[Path, Path]) -> None:
    """Otherwise the test below would pass with an empty folder."""
    folder, _ = copied
    ended = run(folder, "-c", "import ballast")
    assert ended.returncode != 0
    assert "ModuleNotFoundError" in ended.stderr


@pytest.mark.slow
def test_every_strategy_backtests_from_the_copied_folder(copied: tuple[Path, Path]) -> None:
    folder, overlay = copied
    names = sorted(path.stem for path in (ROOT / "strategies").glob("*.py"))
    configs = ["--config", "config.json", "--config", str(overlay)]
    command = ["-m", "freqtrade", "backtesting", *configs, "--cache", "none", "--timeframe", "1h"]
    ended = run(folder, *command, "--strategy-list", *names)
    output = ended.stdout + ended.stderr
    assert ended.returncode == 0, output
    assert "BEYOND LOOPBACK" not in output, output
    assert "Traceback" not in output, output
    assert "guards on: VolatilityCooldown" in output
    summary = output[output.index("STRATEGY SUMMARY") :]
    assert all(f"│ {name} " in summary or f" {name} │" in summary for name in names)


# Freqtrade searches a folder in the order in which the file system gives it.
ORDERED = """
import sys
from pathlib import Path

given = Path.iterdir


def iterdir(self):
    return iter(sorted(given(self), key=lambda path: (path.name.endswith(".py"), path.name)))


if {folders_first}:
    Path.iterdir = iterdir
from freqtrade.main import main

main(["list-strategies", "--recursive-strategy-search", "--userdir", "user_data", *{options}])
"""


@pytest.mark.parametrize("folders_first", [False, True])
def test_a_search_of_all_folders_lists_the_strategies_and_nothing_else(
    copied: tuple[Path, Path], folders_first: bool
) -> None:
    """FreqUI asks for its list in this way: it got an error 500, and the command printed nothing.

    Freqtrade executes every file below the folder, our `__main__` included, by its bare name.
    """
    code = ORDERED.format(folders_first=folders_first, options=["-1"])
    ended = run(copied[0], "-c", code)
    assert ended.returncode == 0, ended.stderr
    names = sorted(path.stem for path in (ROOT / "strategies").glob("*.py"))
    assert ended.stdout.split() == names


def test_nor_does_a_file_of_the_layer_fail_in_such_a_search(copied: tuple[Path, Path]) -> None:
    """As soon as Freqtrade has come by a strategy, which makes the layer importable."""
    code = "import DonchianTrend\n" + ORDERED.format(folders_first=True, options=[])
    code = f"import sys; sys.path.append({str(copied[0] / 'user_data' / 'strategies')!r})\n{code}"
    ended = run(copied[0], "-c", code)
    assert ended.returncode == 0, ended.stderr
    assert "RisingMarket.py" in ended.stdout
    assert "LOAD FAILED" not in ended.stdout
    assert "Could not import" not in ended.stderr
