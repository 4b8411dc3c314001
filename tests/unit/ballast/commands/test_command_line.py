"""Every command has examples that it takes, by the names of options that all commands share."""

from __future__ import annotations

import argparse
import shlex
from importlib import import_module
from unittest.mock import patch

import pytest

from ballast.__main__ import COMMANDS, main
from ballast.version import __version__

# Names of options that mean what another name means.
OTHER_NAMES = {"--db", "--database", "--user-dir", "--data-dir"}


def parser_of(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=name)
    import_module(f"ballast.commands.{name}").add_to(parser)
    return parser


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_is_taken(name: str) -> None:
    examples = import_module(f"ballast.commands.{name}").EXAMPLES.splitlines()
    own = [line for line in examples if line.startswith("ballast ")]
    assert own
    for line in own:
        command = line.partition("  ")[0]
        program, asked, *arguments = shlex.split(command)
        assert (program, asked) == ("ballast", name)
        parser_of(name).parse_args(arguments)


@pytest.mark.parametrize("name", COMMANDS)
def test_options_have_one_name_in_every_command(name: str) -> None:
    actions = parser_of(name)._actions
    names = {option for action in actions for option in action.option_strings}
    assert not names & OTHER_NAMES
    for action in actions:
        if "--json" in action.option_strings:
            assert action.nargs == 0
        if "--userdir" in action.option_strings:
            assert action.dest == "userdir" or name == "preflight"


def test_help_shows_the_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["why", "--help"])
    assert "examples:\n  ballast why SOL/USDT" in capsys.readouterr().out


def test_the_version_is_that_of_both(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"ballast {__version__}, Freqtrade 2026.9\n"


def test_who_ends_a_command_by_hand_gets_no_trace(capsys: pytest.CaptureFixture[str]) -> None:
    """`compare` ended in forty lines of a library's that waits for its workers."""
    with patch("ballast.commands.doctor.run", side_effect=KeyboardInterrupt):
        assert main(["doctor"]) == 130
    assert capsys.readouterr().err == "\nballast: interrupted\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_eighty_columns(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main([name, "--help"])
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    ("asked", "meant"), [("stat", ": did you mean status?"), ("reprot", ": did you mean report?")]
)
def test_a_command_that_is_mistyped_is_answered_with_the_one_that_is_meant(
    asked: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([asked]) == 2
    said = f"ballast: {asked} is no command{meant} (ballast --help lists all)\n"
    assert capsys.readouterr().err == said
    assert main(["zzz"]) == 2
    assert "mean" not in capsys.readouterr().err


def test_asked_for_nothing_it_shows_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    shown = capsys.readouterr().err
    assert set(COMMANDS) <= {line.split()[0] for line in shown.splitlines() if line.strip()}
