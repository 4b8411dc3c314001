"""The pairs that are picked live: liquid, old enough, tight, neither dead nor wild."""

import json
from pathlib import Path

import pytest

from sandbox.beside import running_sandbox
from tests.processes import ROOT, freqtrade

MARKET = ["--generate", "7", "--timeframe", "5m", "--shift-to-now", "--now", "2024-03-10"]


@pytest.mark.usefixtures("any_hour")
def test_pairs_are_picked_by_age_volume_spread_volatility_and_delisting(tmp_path: Path) -> None:
    (tmp_path / "user_data").mkdir()
    with running_sandbox(tmp_path, *MARKET) as sandbox:
        configs = [ROOT / "config.json", ROOT / "user_data" / "pairlists.json", sandbox.overlay]
        output = freqtrade(
            tmp_path,
            "test-pairlist",
            *(part for path in configs for part in ("-c", str(path))),
            *("--quote", "USDT", "--print-json"),
        )
    kept = json.loads(output.splitlines()[-1])
    assert {"BTC/USDT", "ETH/USDT"} <= set(kept)
    # The thin pair of the generated market trades too little, at too wide a spread; SOL is wild.
    assert not {"WAN/USDT", "SOL/USDT"} & set(kept)
    assert "Removed SOL/USDT from whitelist, because volatility" in output
    for method in ("VolumePairList", "DelistFilter", "AgeFilter", "SpreadFilter"):
        assert f"Using resolved pairlist {method}" in output
