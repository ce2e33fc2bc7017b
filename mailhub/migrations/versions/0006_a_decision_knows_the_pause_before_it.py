"""A decision knows the pause before it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = ("paused_from_before", "paused_until_before")


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("consent", sa.Column(column, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for column in COLUMNS:
        op.drop_column("consent", column)
