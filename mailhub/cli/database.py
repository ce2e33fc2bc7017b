"""The database: the form its tables have."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

import typer

from mailhub.cli import opening, screen
from mailhub.cli.options import HERE, AsJson, Home

app = typer.Typer(help="The form of the tables.", no_args_is_help=True)


@app.command("upgrade")
def upgrade(home: Home = HERE, json: AsJson = False) -> None:
    """Bring the tables to the form this version needs. Make a backup first."""
    from mailhub import home as homes
    from mailhub import locks
    from mailhub.database import Database

    database = Database(opening.settings(home).database_url)
    try:
        homes.require_database(database)
        with locks.alone(home, database.dialect), screen.working("upgrading"):
            before, needed = database.version()
            database.upgrade()
    finally:
        database.close()
    stood = "" if before == needed else f", it stood at {before or 'nothing'}"
    shown = {"stood_at": before, "stands_at": needed, "dialect": database.dialect}
    screen.done(shown, f"the database stands at {needed}{stood}", as_json=json)


@app.command("version")
def version(home: Home = HERE, json: AsJson = False) -> None:
    """Say where the database stands, and what this version of mailhub needs."""
    from mailhub import home as homes
    from mailhub.database import Database

    database = Database(opening.settings(home).database_url)
    try:
        homes.require_database(database)
        stands_at, needed = database.version()
    finally:
        database.close()
    shown = {"stands_at": stands_at, "needed": needed, "dialect": database.dialect}
    if json:
        screen.document(shown)
    else:
        screen.facts(shown, list(shown))
