"""Drawing for FreqUI: columns, plot configuration, annotations."""
