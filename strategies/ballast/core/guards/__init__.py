"""Guards: each a small class with one question, asked at every completed candle, and its settings.

A guard observes a frozen snapshot and answers with a verdict. It logs nothing, stores nothing and
reads no clock; what it must remember is its `memory`, which `ballast.risk.state_store` saves. To
add one: its file here, a line in `ballast.config.guards`, and the class in
`ballast.protections.guards` by whose name Freqtrade finds it.
"""
