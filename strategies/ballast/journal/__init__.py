"""The decision journal: a SQLite file of its own, beside the bot's database.

SQLite rather than JSON lines: rows are corrected while a candle is being acted on, each pair and
candle has one row by a constraint and not by hope, a candle is written whole or not at all, and
questions ('why', 'since') are answered by an index. SQLAlchemy comes with Freqtrade. An own file,
because a bot's trades must not wait for its diary, and the diary may be thrown away. With the
write-ahead log and `synchronous=NORMAL` a killed process loses nothing that was written, a power
cut at most the last candles and never the file; readers do not disturb the writer.

It carries the identity of the bot's database, in its name too, because trades are known by numbers
that every database gives anew. It is read with any SQLite tool:
`sqlite3 user_data/ballast_journal.dryrun.1a2b3c4d.sqlite`.
"""
