"""Reads results: backtests, stress, drift, report."""
