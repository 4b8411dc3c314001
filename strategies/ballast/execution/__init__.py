"""An order's way to the exchange and back: checks before it, watches after it."""
