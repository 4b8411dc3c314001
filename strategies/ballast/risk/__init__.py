"""The account, the guards at every candle, the size of an entry, the stops of what is held."""
