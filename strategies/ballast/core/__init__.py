"""Pure decisions: of numpy, pandas, bottleneck, TA-Lib. No Freqtrade, clock, file or network."""
