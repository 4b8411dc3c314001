"""The proof: unit tests mirror the packages, contract tests pin Freqtrade, integration runs all."""
