"""What a bot did against what a backtest of the same candles does, difference by difference."""
