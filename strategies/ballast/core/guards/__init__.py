"""Guards: each a small class with one question, asked at every completed candle.

A guard observes a frozen snapshot and answers with a verdict. It logs nothing, stores nothing and
reads no clock; what it must remember is its `memory`, which the state store saves.
"""
