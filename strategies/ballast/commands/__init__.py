"""Sub-commands of `python -m ballast`, one a file: each has `add_to` (its arguments) and `run`."""
