"""Indexes hold the mails that were read."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEXES = (("author", "received_at"), ("gist", "received_at"), ("message_id",), ("verdict",))


def upgrade() -> None:
    for columns in INDEXES:
        known = sa.text(f"{columns[0]} IS NOT NULL")
        name = "_".join(("ix", "inbound", *columns))
        op.drop_index(name, "inbound")
        op.create_index(name, "inbound", columns, sqlite_where=known, postgresql_where=known)


def downgrade() -> None:
    for columns in INDEXES:
        name = "_".join(("ix", "inbound", *columns))
        op.drop_index(name, "inbound")
        op.create_index(name, "inbound", columns)
