"""What the benchmarks refuse."""


class BenchmarkError(Exception):
    """The run cannot go on, or its figures would not mean anything; one sentence for the user."""
