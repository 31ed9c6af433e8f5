"""The first journal: events, owner, commands, latches, checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables and the one row of `owner`."""
    _create_events_and_owner()
    _create_commands_latches_checkpoints()


def _create_events_and_owner() -> None:
    op.create_table(
        "events",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("event_type", sa.String(64), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("as_of", sa.BigInteger),
        sa.Column("cause", sa.BigInteger),
        sa.Column("computed_at", sa.BigInteger),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_index("ix_events_type_seq", "events", ["event_type", "seq"])
    owner = op.create_table(
        "owner",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("head", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("acquired_at", sa.BigInteger, nullable=False),
        sa.Column("heartbeat_at", sa.BigInteger, nullable=False),
    )
    nobody = {"id": 1, "head": 0, "epoch": 0, "owner": "", "host": "", "pid": 0}
    op.bulk_insert(owner, [nobody | {"acquired_at": 0, "heartbeat_at": 0}])


def _create_commands_latches_checkpoints() -> None:
    op.create_table(
        "commands",
        sa.Column(
            "id",
            NUMBER,
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("command_id", sa.String(200), nullable=False, unique=True),
        sa.Column("envelope", sa.Text, nullable=False),
        sa.Column(
            "is_done",
            sa.Boolean(create_constraint=False),
            nullable=False,
            server_default=sa.false(),
        ),
    )
    op.create_index("ix_commands_waiting", "commands", ["is_done", "id"])
    op.create_table(
        "latches",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "checkpoints",
        sa.Column("seq", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("sections", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Refuse: the journal is never thrown away by a program."""
    raise NotImplementedError("the first journal has nothing before it; restore a backup instead")
