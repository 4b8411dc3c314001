"""A shell completes commands, and the options of each."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from ballast.__main__ import COMMANDS, main

BASH = shutil.which("bash")


def completed(script: str, *words: str) -> list[str]:
    """What bash offers for the last word."""
    line = " ".join(f"'{word}'" for word in words)
    asked = f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _ballast; "
    asked += 'printf "%s\\n" "${COMPREPLY[@]}"'
    command = [str(BASH), "--norc", "-c", asked]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return ended.stdout.split()


@pytest.mark.skipif(BASH is None, reason="no bash here")
def test_commands_options_and_choices_are_completed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completions"]) == 0
    script = capsys.readouterr().out
    assert set(completed(script, "ballast", "")) == set(COMMANDS)
    assert completed(script, "ballast", "pre") == ["preflight"]
    assert completed(script, "ballast", "why", "--tr") == ["--trade"]
    assert "--json" in completed(script, "ballast", "status", "--")
    assert completed(script, "ballast", "export", "acc") == ["accounts"]


def test_zsh_takes_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completions", "--shell", "zsh"]) == 0
    assert capsys.readouterr().out.startswith("autoload -U +X bashcompinit")
