"""The journal's tables, in SQL that SQLite and PostgreSQL share; migrations/ builds exactly these.

Times are microseconds since the epoch (UTC); data is canonical JSON text.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)

REVISIONS = ("0001",)
"""Migrations known to this program, oldest first; a journal at any other is from a newer program."""

NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key; on SQLite "INTEGER" makes it the row id itself, so that no second index is kept."""

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("seq", NUMBER, primary_key=True, autoincrement=False),
    Column("event_type", String(64), nullable=False),
    Column("source", Text, nullable=False),
    Column("as_of", BigInteger),
    Column("cause", BigInteger),
    Column("computed_at", BigInteger),
    Column("data", Text, nullable=False),
    Index("ix_events_type_seq", "event_type", "seq"),
)

owner_row = Table(
    "owner",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("head", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("acquired_at", BigInteger, nullable=False),
    Column("heartbeat_at", BigInteger, nullable=False),
)
"""One row. Head and epoch stand side by side so that one UPDATE moves the head only while the epoch still holds."""

commands = Table(
    "commands",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("command_id", String(200), nullable=False, unique=True),
    Column("envelope", Text, nullable=False),
    Column("is_done", Boolean(create_constraint=False), nullable=False, server_default=false()),
    Index("ix_commands_waiting", "is_done", "id"),
)

latches = Table(
    "latches",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("value", Text, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("seq", NUMBER, primary_key=True, autoincrement=False),
    Column("sections", LargeBinary, nullable=False),
)
"""`sections` is a MessagePack map of section name to JSON bytes."""
