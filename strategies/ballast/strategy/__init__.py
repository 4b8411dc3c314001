"""The only `IStrategy`: from a strategy's rules to Freqtrade's callbacks."""
