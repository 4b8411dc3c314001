"""The tables of the journal."""

from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

_META = MetaData()

# Whose the journal is (see `ballast.journal.identity`): one row.
IDENTITY = Table(
    "identity",
    _META,
    Column("identity", String, primary_key=True),
    Column("since", DateTime, nullable=False),
)

# What decided: settings, strategy and its rules, written once for as long as they stay the same.
VERSIONS = Table(
    "versions",
    _META,
    Column("id", Integer, primary_key=True),
    Column("settings", String(8), nullable=False),
    Column("strategy", String, nullable=False),
    Column("timeframe", String, nullable=False),
    Column("ballast", String, nullable=False),
    Column("guards", Text, nullable=False),
    Column("setups", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("since", DateTime, nullable=False),
)

# One row for each pair and closed candle; `candle` is its opening time (UTC).
DECISIONS = Table(
    "decisions",
    _META,
    Column("id", Integer, primary_key=True),
    Column("strategy", String, nullable=False),
    Column("timeframe", String, nullable=False),
    Column("pair", String, nullable=False),
    Column("candle", DateTime, nullable=False),
    Column("settings", String(8), nullable=False),
    Column("version", Integer, nullable=False),
    Column("outcome", String, nullable=False),
    Column("code", String, nullable=False),
    Column("value", Float),
    Column("limit", Float),
    Column("trust", String, nullable=False),
    Column("close", Float),
    Column("atr", Float),
    Column("setup", String, nullable=False),
    Column("rules", Text, nullable=False),
    Column("guards", Text, nullable=False),
    Column("gate", Text, nullable=False),
    Column("sizing", Text, nullable=False),
    Column("stop", Float),
    Column("stop_code", String, nullable=False),
    Column("trade_id", Integer),
    UniqueConstraint("strategy", "timeframe", "pair", "candle"),
    Index("decisions_candle", "candle"),
    Index("decisions_trade", "trade_id"),
)

# What happened besides; `at` is UTC.
EVENTS = Table(
    "events",
    _META,
    Column("id", Integer, primary_key=True),
    Column("at", DateTime, nullable=False),
    Column("kind", String, nullable=False),
    Column("code", String, nullable=False),
    Column("pair", String, nullable=False),
    Column("trade_id", Integer),
    Column("value", Float),
    Column("limit", Float),
    Column("facts", Text, nullable=False),
    Index("events_at", "at"),
    Index("events_trade", "trade_id"),
)

# The account at every candle, `candle` being its opening time (UTC); numbers as JSON.
ACCOUNTS = Table(
    "accounts",
    _META,
    Column("id", Integer, primary_key=True),
    Column("strategy", String, nullable=False),
    Column("candle", DateTime, nullable=False),
    Column("state", String, nullable=False),
    Column("equity", Float),
    Column("multiplier", Float),
    Column("gauges", Text, nullable=False),
    Column("guards", Text, nullable=False),
    Column("positions", Text, nullable=False),
    UniqueConstraint("strategy", "candle"),
    Index("accounts_candle", "candle"),
)


def create_tables(engine: Any) -> None:
    """Make the tables that are not there."""
    _META.create_all(engine)
