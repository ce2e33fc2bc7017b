"""`python mailhub/migrations "what changes"`: write the migration that leads from the last one to the models."""

import sys
import tempfile
from pathlib import Path

from alembic import command

from mailhub.database import MIGRATIONS, Database


def main() -> None:
    """Compare the models with a fresh SQLite database at the last migration; the result is to be read by a person."""
    with tempfile.TemporaryDirectory() as home:
        database = Database(f"sqlite:///{Path(home) / 'fresh.db'}")
        database.upgrade()
        with database.migrating() as config:
            number = f"{len(list((MIGRATIONS / 'versions').glob('*.py'))) + 1:04}"
            command.revision(config, message=" ".join(sys.argv[1:]), autogenerate=True, rev_id=number)
        database.close()


if __name__ == "__main__":
    main()
