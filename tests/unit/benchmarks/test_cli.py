"""What the command refuses, in a sentence each."""

from pathlib import Path

import pytest

from benchmarks.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "{folder}/nowhere"], "is not a directory"),
        (["--data", "{folder}"], "holds no 1h candles"),
        (["--days", "3"], "days"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [text.format(folder=tmp_path) for text in arguments]
    assert main(["--only", "loop", "--cache", str(tmp_path / "cache"), *given]) == 2
    message = capsys.readouterr().err
    assert message.startswith("benchmarks: ")
    assert said in message
    assert "Traceback" not in message
