"""The home of the fictional centre: ordinary settings, keys, database and staff, as `mailhub init` would make them.

Two settings make it a playground: letters leave for the post office of the play on this machine, and that post
office's word about a From is believed. The product itself knows no special case.
"""

from datetime import datetime
from pathlib import Path

from mailhub import config
from mailhub import home as homes
from mailhub.centre import people
from mailhub.database import Database
from mailhub.errors import HomeError
from mailhub.play import cast

MAILS = "mails"  # every mail of the play, as a file
LOG = "serve.log"  # what the serving process writes
OURS = frozenset({homes.SETTINGS, "lists", "templates", "storage", MAILS, LOG})

# A person at the page may ask many questions in an hour; a stopped clock never ends a minute.
SETTINGS: dict[str, dict[str, object]] = {
    "centre": {"name": cast.CENTRE, "domain": cast.DOMAIN, "phone": "02 99 00 00 01"},
    "receive": {"smtp": ("127.0.0.1:8025",)},
    "trust": {"verdicts": "header", "authserv_id": cast.POST},
    "courtesy": {"per_hour": 500, "per_day": 500, "mails_per_hour": 500},
    "relay": {"host": "127.0.0.1", "port": 8026, "tls": "none", "per_destination_per_minute": 0},
    "web": {"listen": "", "public_url": cast.PAGES},
}


def database(home: Path) -> Database:
    """The database of a home of the play: always its own file, whatever the environment says."""
    return Database(f"sqlite:///{home / homes.DATABASE}")


def was_played_in(home: Path) -> bool:
    """Say whether a play has begun here already."""
    return (home / homes.DATABASE).exists()


def prepare(home: Path, now: datetime) -> None:
    """Furnish a home and hire its staff; one of an earlier play stays as it is, anything else is refused.

    A folder that holds only `templates/` or `lists/` may be played in: whoever changes words can watch them.
    """
    _refuse_what_is_not_ours(home)
    fresh = not was_played_in(home)
    homes.furnish(home, config.commented_file(SETTINGS))
    (home / MAILS).mkdir(exist_ok=True)
    opened = database(home)
    try:
        opened.upgrade()
        if fresh:
            _people(opened, now)
    finally:
        opened.close()


def _people(opened: Database, now: datetime) -> None:
    year = now.year
    with opened.transaction() as session:
        for colleague in cast.STAFF:
            people.hire(session, colleague.name, [colleague.address], now, told_of_new=colleague.told_of_new)
        for asker in cast.ASKERS:
            first, last = now.date().replace(month=1, day=1), now.date().replace(year=year, month=12, day=31)
            people.register_organisation(session, asker.organisation, [asker.domain], first, last)


def _refuse_what_is_not_ours(home: Path) -> None:
    """Never play in the home of a real centre, nor in a folder of something else."""
    if not home.exists():
        return
    if not home.is_dir():
        raise HomeError(f"{home} is a file; a home is a folder")
    settings = home / homes.SETTINGS
    is_real = settings.exists() and cast.POST not in settings.read_text("utf-8", "replace")
    if is_real or {entry.name for entry in home.iterdir()} - OURS:
        raise HomeError(f"{home} holds something else than a playground; name a new folder")
