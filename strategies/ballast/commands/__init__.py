"""Sub-commands of `python -m ballast`, one a file: each has `add_to` (its arguments) and `run`.

`run` returns nothing, or the exit code where the command judges.
"""
