"""The guards as Freqtrade protections, one class a file, found by Freqtrade in this folder."""
