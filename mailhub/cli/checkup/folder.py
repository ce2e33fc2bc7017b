"""What lies in a home: its storage, its keys, its database and who is on it."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from sqlmodel import Session

from mailhub import config, keys, lists, outbox
from mailhub import home as homes
from mailhub.centre import cadences, people
from mailhub.centre.people import Staff
from mailhub.cli.checkup import finding
from mailhub.cli.checkup.finding import Finding, Level
from mailhub.config import Settings
from mailhub.database import Database
from mailhub.errors import MailhubError, StorageTrouble
from mailhub.mail.dkim import KeyKind, SigningKey
from mailhub.outbox import OutgoingState

LETTERS_LOOKED_AT = 20  # of one member of staff, the latest first


def storage(home: Path) -> Iterator[Finding]:
    """The folder of letters and keys is there, ours to write and nobody else's to enter."""
    storage = home / "storage"
    if not storage.is_dir():
        yield Finding(
            Level.ERROR, str(storage), "-", "there is no such folder", "run `mailhub init` on this home"
        )
        return
    if not os.access(storage, os.W_OK | os.X_OK):
        yield Finding(
            Level.ERROR,
            str(storage),
            "-",
            "mailhub cannot write here",
            f"give it to the user mailhub runs as: `chown -R … {storage}`",
        )
    yield from finding.shared(storage, "others can enter: letters and keys lie here", f"chmod 700 {storage}")


def token_keys(home: Path) -> Iterator[Finding]:
    """Tokens can be made and read."""
    folder = home / "storage" / "keys"
    try:
        keys.keyring(folder)
    except MailhubError as error:
        yield finding.on_error(
            error,
            folder / "tokens",
            "put the file of a backup back, or run `mailhub init`: answers to old letters then find no thread",
        )


def publications(home: Path) -> Iterator[Finding]:
    """Every file of lists/ says something that can be done."""
    _, problems = lists.examine(home / "lists", cadence=cadences.parse)
    for problem in problems:
        file = str(home / problem.file)
        yield Finding(
            Level.ERROR,
            file,
            problem.key or "-",
            problem.says,
            "correct it; docs/lists.md describes every key",
        )


def dkim_keys(settings: Settings) -> Iterator[Finding]:
    """Letters can be signed with every kind of key."""
    folder, file = settings.storage / "keys", str(settings.home / config.FILE_NAME)
    if not settings.dkim.sign:
        yield Finding(
            Level.WARNING,
            file,
            "dkim.sign",
            "letters are not signed",
            "let your relay sign them, or set it to true and publish what `mailhub dkim` prints",
        )
        return
    for kind in KeyKind:
        path = folder / f"dkim-{kind}.pem"
        try:
            SigningKey.load(f"{settings.dkim.selector}-{kind}", path.read_bytes())
        except (MailhubError, OSError) as error:
            says = error if isinstance(error, MailhubError) else error.strerror
            yield finding.on_error(says, path, "run `mailhub init`, then publish what `mailhub dkim` prints")
        else:
            if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                yield Finding(Level.ERROR, str(path), "-", "others can read this key", f"chmod 600 {path}")


def database(settings: Settings) -> Iterator[Finding]:
    """The database is there at the form this version needs, and somebody is told of questions."""
    with closing(Database(settings.database_url)) as database:
        # A PostgreSQL address holds no password here: it is shown to whoever runs the check.
        place = (
            str(database.url.database)
            if database.dialect == "sqlite"
            else database.url.set(drivername="postgresql").render_as_string()
        )
        try:
            homes.require_ready(database)
            with database.reading() as session:
                told, team = people.told_of_new(session), people.team(session)
                refused = list(_refused(session, team))
        except StorageTrouble as error:
            yield finding.on_error(error, place, "start the database, or correct its address")
            return
        except MailhubError as error:
            yield finding.on_error(
                error, place, "run `mailhub db upgrade`; `mailhub init` where there is none yet"
            )
            return
    for name, address, said in refused:
        yield Finding(
            Level.DANGER,
            place,
            "-",
            f"{name} does not get our letters at {address}: {said}",
            f"make that mailbox reachable for the relay, or `mailhub staff address {name!r} ADDRESS`",
        )
    if not any(staff.active for staff, _ in team):
        yield Finding(
            Level.WARNING,
            place,
            "-",
            "there is no staff yet: nobody sees a question",
            "mailhub staff add NAME ADDRESS",
        )
    elif not told:
        yield Finding(
            Level.WARNING,
            place,
            "-",
            "all staff are quiet: nobody is told of a new question",
            "mailhub staff add NAME ADDRESS, without --quiet",
        )


def _refused(session: Session, team: Sequence[tuple[Staff, list[str]]]) -> Iterator[tuple[str, str, str]]:
    """Staff whose last letter that came to an end failed: its name, address and what was said."""
    for staff, (address, *_) in team:
        ended = (
            letter
            for letter in outbox.listed(session, about=address, limit=LETTERS_LOOKED_AT)
            if letter.state in {OutgoingState.SENT, OutgoingState.FAILED}
        )
        last = next(ended, None) if staff.active else None
        if last is not None and last.state is OutgoingState.FAILED:
            yield staff.name, address, last.answer or "refused"
