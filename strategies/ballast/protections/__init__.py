"""The guards as Freqtrade protections, found by Freqtrade in this folder."""
