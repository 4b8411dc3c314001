"""The one composition root: connects data, risk, execution, journal and alerts of a run."""
