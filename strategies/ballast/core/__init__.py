"""Pure decisions: numpy, pandas and TA-Lib. No Freqtrade, no clock, no file, no network."""
