"""`python -m ballast completions`: commands and options that a shell completes."""

import argparse
import shlex
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module

EXAMPLES = """\
ballast completions                   for bash: >> ~/.bash_completion
ballast completions --shell zsh       for zsh: >> ~/.zshrc
"""
_ZSH = "autoload -U +X bashcompinit && bashcompinit\n"
_SCRIPT = """\
_ballast() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} command=${{COMP_WORDS[1]}} words
    if [ "$COMP_CWORD" -eq 1 ]; then
        words={commands}
    else
        case $command in
{cases}
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _ballast ballast
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--shell", choices=("bash", "zsh"), default="bash", help="(%(default)s)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print the script."""
    # Here, because that module asks for this one.
    from ballast.__main__ import COMMANDS

    words = {name: _options(name) for name in COMMANDS}
    sys.stdout.write((_ZSH if options.shell == "zsh" else "") + script(words))


def script(words: Mapping[str, Iterable[str]]) -> str:
    """
    A function of bash that completes commands, and the words of each.

    Parameters
    ----------
    words : mapping of str to iterable of str
        By command.
    """
    cases = [
        f"            {name}) words={shlex.quote(' '.join(known))} ;;"
        for name, known in words.items()
    ]
    return _SCRIPT.format(commands=shlex.quote(" ".join(words)), cases="\n".join(cases))


def _options(name: str) -> list[str]:
    """Options of a command, and what its arguments may be where that is a choice."""
    parser = argparse.ArgumentParser()
    import_module(f"ballast.commands.{name}").add_to(parser)
    found: list[str] = []
    for action in parser._actions:
        if action.option_strings:
            found += [option for option in action.option_strings if option.startswith("--")]
        elif action.choices:
            found += map(str, action.choices)
    return sorted(found)
