"""The only `IStrategy`: from a strategy's rules to Freqtrade's callbacks.

Freqtrade lists the strategies of every file that it is told to search, and takes a class for the
file's own by its `__module__`: base classes say theirs, so that nobody is offered them.
"""
