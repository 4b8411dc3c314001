"""From Freqtrade's data provider to candles that strategies and guards look at."""
