"""What a backtest is worth: statistics on its results, and the report that is made of them.

Nothing here is imported by what trades. The statistics are pure functions; `results` reads what
Freqtrade wrote, `report` puts everything together.
"""
