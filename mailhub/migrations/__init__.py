"""How the tables came to their form: one numbered file in `versions` per change, carried out by Alembic.

A process that only serves asks `current` and `head`, and never loads Alembic (12 MiB).
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from mailhub.errors import HomeError

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(__file__).parent


def head() -> str | None:
    """The number of the last migration: the form that this version of mailhub needs."""
    return max((path.name[:4] for path in (HERE / "versions").glob("[0-9]*.py")), default=None)


def current(connection: Connection) -> str | None:
    """The number of the last migration that this database went through."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def require(stands_at: str | None, needed: str | None) -> None:
    """Refuse to work on a database that is not at the form this version needs."""
    if stands_at != needed:
        raise HomeError(
            f"the database stands at {stands_at or 'nothing'}, this version needs {needed}; run `mailhub db upgrade`"
        )


def config(connection: Connection) -> "Config":
    """What Alembic's commands ask for, at work on this connection."""
    from alembic.config import Config  # noqa: PLC0415 — see above

    bound = Config()
    bound.set_main_option("script_location", str(HERE).replace("%", "%%"))
    bound.attributes["connection"] = connection
    return bound


def upgrade(connection: Connection) -> None:
    """Carry out every migration this database has not been through."""
    from alembic import command  # noqa: PLC0415 — see above

    command.upgrade(config(connection), "head")
