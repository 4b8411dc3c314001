"""Many backtests of strategies: periods, cost levels, choices of pairs, guards left out."""
