"""What Prometheus is told about a bot, read from outside it: its API, its guards, its journal.

The bot itself serves no metrics and waits for none: a sidecar that fails costs pictures, no trades.
"""
