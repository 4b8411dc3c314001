"""What a command refuses."""


class CommandError(Exception):
    """A command cannot do what is asked; its text is one sentence for the user."""
