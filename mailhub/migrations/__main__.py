"""`python mailhub/migrations "what changes"`: write the migration that leads from the last one to the models."""

import sys
import tempfile
from pathlib import Path

from alembic import command

from mailhub import migrations
from mailhub.database import Database


def main() -> None:
    """Compare the models with a fresh SQLite database at the last migration; the result is to be read by a person."""
    with tempfile.TemporaryDirectory() as home:
        database = Database(f"sqlite:///{Path(home) / 'fresh.db'}")
        database.upgrade()
        with database.migrating() as connection:
            following = f"{int(migrations.head() or 0) + 1:04}"
            message = " ".join(sys.argv[1:])
            command.revision(migrations.config(connection), message, autogenerate=True, rev_id=following)
        database.close()


if __name__ == "__main__":
    main()
