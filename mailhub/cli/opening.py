"""How a command enters a home: settings, then the database, and nothing that is not there is made by looking."""

# ruff: noqa: PLC0415 — heavy rooms are imported where they are used, so that the program starts at once

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mailhub.errors import Refused
from mailhub.mail import domains

if TYPE_CHECKING:  # heavy rooms: imported when a command runs, not when the program starts
    from mailhub.app import House
    from mailhub.config import Settings
    from mailhub.database import Database


def settings(home: Path) -> "Settings":
    """The settings of a home, or every problem with them."""
    from mailhub import config

    return config.load(home, os.environ)


@contextmanager
def database(home: Path) -> Iterator["Database"]:
    """The database of a home, at the form this version needs."""
    from mailhub import home as homes
    from mailhub.database import Database

    opened = Database(settings(home).database_url)
    try:
        homes.require_ready(opened)
        yield opened
    finally:
        opened.close()


@contextmanager
def house(home: Path, now: datetime | None = None) -> Iterator["House"]:
    """Everything that works in a home, built; `now` stops its clock, for a rehearsal."""
    from mailhub import app
    from mailhub import home as homes

    read = settings(home)
    built = app.build(read, clock(now, read.relay.host))
    try:
        homes.require_ready(built.database)
        yield built
    finally:
        built.close()


def clock(now: datetime | None, relay_host: str) -> Callable[[], datetime]:
    """The clock a command works by; a stopped one is refused where letters would leave for the world."""
    if now is None:
        return this_moment
    if not domains.is_loopback(relay_host):
        raise Refused(
            f"--now rehearses, and the relay {relay_host} is no rehearsal: letters would leave with a false date"
        )
    stopped = now.astimezone(UTC)
    return lambda: stopped


def this_moment() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)
