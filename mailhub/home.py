"""The folder a centre lives in: made, saved to one file, and brought back from it.

A backup is a plain tar, readable by any tool: `mailhub.toml`, `lists/`, `templates/`, `storage/keys/` and a
consistent copy of the database. It holds secrets and letters, so nobody else may read it. Nothing here overwrites.
"""

import os
import shutil
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from mailhub import keys, migrations, outbox
from mailhub.centre import publications
from mailhub.database import Database
from mailhub.errors import HomeError, Refused
from mailhub.locks import HomeLock

SETTINGS = "mailhub.toml"
DATABASE = "storage/mailhub.db"
# What a home cannot be made again from; the database comes besides.
TOKENS = "storage/keys/tokens"
PRECIOUS = (SETTINGS, "lists", "templates", "storage/keys")
EXAMPLES = {
    # In a wheel the examples lie inside the package, in the repository beside it.
    "lists": (Path(__file__).parent / "lists_example", Path(__file__).parent.parent / "lists"),
    "templates": (Path(__file__).parent / "templates", Path(__file__).parent.parent / "templates"),
}


def furnish(home: Path, settings_text: str) -> list[str]:
    """Put into a home what it lacks, keys included; say what was made. What is there stays as it is."""
    made = []
    for folder in (home, home / "lists", home / "templates", home / "storage"):
        if not folder.is_dir():
            folder.mkdir(parents=True)
            made.append(f"{folder.relative_to(home) if folder != home else home}/")
    (home / "storage").chmod(0o700)  # letters and keys: for the service alone
    if not (home / SETTINGS).exists():
        (home / SETTINGS).write_text(settings_text, "utf-8")
        made.append(SETTINGS)
    for name, places in EXAMPLES.items():
        made += _copied_examples(next(place for place in places if place.is_dir()), home / name)
    before = set(_files(home / "storage" / "keys"))
    keys.create(home / "storage" / "keys")
    made += [str(path.relative_to(home)) for path in sorted(set(_files(home / "storage" / "keys")) - before)]
    return made


def require_database(database: Database) -> None:
    """Refuse to look at a database that is not there: SQLite would make an empty one."""
    if database.dialect == "sqlite" and not Path(str(database.url.database)).exists():
        raise HomeError(f"there is no database at {database.url.database}; `mailhub init` makes one")


def require_ready(database: Database) -> None:
    """Refuse to work on a database that is missing, or not at the form this version needs."""
    require_database(database)
    migrations.require(*database.version())


def backup(home: Path, database: Database, target: Path) -> int:
    """Save a home to one new file while it is served; the size of that file in octets.

    The file is there whole or not at all, and only its owner may read it.
    """
    if target.exists():
        raise Refused(f"{target} is there already; a backup never overwrites a file")
    if not target.parent.is_dir():
        raise Refused(f"{target.parent} is no folder; make it first")
    if database.dialect != "sqlite":
        try:
            database.backup_to(target)
        except Refused as command:
            raise Refused(f"{command}; keep {', '.join(PRECIOUS)} beside it") from command
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as work:
        copy, packed = Path(work) / "mailhub.db", Path(work) / "backup.tar"
        database.backup_to(copy)
        descriptor = os.open(packed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            # What a link leads to is saved, not the link.
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT, dereference=True) as tar:
                for name in PRECIOUS:
                    if (home / name).exists():
                        tar.add(home / name, name, filter=_owned_by_nobody)
                tar.add(copy, DATABASE, filter=_owned_by_nobody)
            file.flush()
            os.fsync(file.fileno())
        os.link(packed, target)  # unlike a rename, refuses a file that has come meanwhile
    return target.stat().st_size


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back from a backup."""

    doubtful: int  # letters that were unsent when the backup was made
    late: list[str]  # issues whose hour has come since: they may have left, and wait for a person
    url: str  # the database that was restored


def restore(source: Path, home: Path, now: datetime, *, as_it_was: bool = False) -> Restored:
    """Bring a home back from a backup into an empty folder.

    Letters that were unsent in the backup may have left since, so they are put in doubt, for a person to decide, and
    so may issues whose hour has come: they wait for a person (T5). `as_it_was` says that nothing has run since. The
    database is brought to the form this version needs.
    """
    if home.exists() and any(home.iterdir()):
        lock = HomeLock(home)
        if lock.path.exists():
            with lock:  # a served home is named as such
                pass
        raise Refused(f"{home} is not empty; restore into a new folder, then move it where you want it")
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{home.name}-", dir=home.parent) as work:
        unpacked = Path(work) / "home"
        unpacked.mkdir(0o755)
        _unpack(source, unpacked)
        database = Database(f"sqlite:///{unpacked / DATABASE}")
        try:
            database.upgrade()
            doubtful, late = (0, []) if as_it_was else _doubt(database, now)
        finally:
            database.close()
        home.mkdir(exist_ok=True)
        for entry in unpacked.iterdir():
            entry.rename(home / entry.name)
    return Restored(doubtful, late, f"sqlite:///{home / DATABASE}")


def _copied_examples(source: Path, target: Path) -> list[str]:
    """The explanation and the commented examples; templates themselves are used from the package."""
    made = []
    for example in (source / "README.md", *sorted(source.glob("*.toml"))):
        goal = target / example.name
        if example.exists() and not goal.exists():
            shutil.copyfile(example, goal)
            made.append(f"{target.name}/{example.name}")
    return made


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []


def _owned_by_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Files and folders as whoever restores them will own them; sockets and the like stay behind."""
    if not (member.isfile() or member.isdir()):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _unpack(source: Path, folder: Path) -> None:
    """Unpack only what a backup of ours holds; the rest of what a tar can do is refused."""
    try:
        with tarfile.open(source, "r:") as tar:
            for member in tar:
                if not _is_ours(member):
                    raise HomeError(f"{source}: {member.name!r} is no part of a backup of mailhub")
                _put(tar, member, folder / member.name)
    except tarfile.ReadError as error:
        if "unexpected end" not in str(error):
            raise HomeError(f"{source} is no backup of mailhub: {error}") from error
        raise HomeError(f"{source} is cut short; copy it again from where it was saved") from error
    except (tarfile.TarError, EOFError, FileExistsError, NotADirectoryError) as error:
        raise HomeError(f"{source} is no backup of mailhub: {error}") from error
    for name in (SETTINGS, DATABASE, TOKENS):
        if not (folder / name).is_file():
            raise HomeError(f"{source} is no whole backup of mailhub: it lacks {name}")
    (folder / "storage").chmod(0o700)
    for path in _files(folder / "storage" / "keys"):
        path.chmod(0o600)
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        try:
            (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            said = str(error)
    if said != "ok":
        raise HomeError(f"{source}: the database in it is damaged: {said}")


def _is_ours(member: tarfile.TarInfo) -> bool:
    """A file or folder that a backup holds, and nothing that leads out of it."""
    place = PurePosixPath(member.name)
    precious = any(place.is_relative_to(name) for name in (*PRECIOUS, DATABASE))
    return precious and ".." not in place.parts and (member.isfile() or member.isdir())


def _put(tar: tarfile.TarFile, member: tarfile.TarInfo, goal: Path) -> None:
    """Write one file or folder; what this does not do, a hostile archive cannot have done."""
    goal.parent.mkdir(parents=True, exist_ok=True)
    if member.isdir():
        goal.mkdir(exist_ok=True)
        return
    held = tar.extractfile(member)
    assert held is not None  # a file
    made = os.open(goal, os.O_WRONLY | os.O_CREAT | os.O_EXCL, member.mode & 0o777)
    with held, os.fdopen(made, "wb") as kept:
        shutil.copyfileobj(held, kept)


def _doubt(database: Database, now: datetime) -> tuple[int, list[str]]:
    """Put in doubt what may have left since: how many letters, and which issues."""
    with database.transaction() as session:
        rows = outbox.unsettled(session)
        for row in rows:
            outbox.in_doubt(row, "restored from a backup: it may have left since", now)
            session.add(row)
        issues = publications.due(session, now)
        for issue in issues:
            publications.put_off(session, issue)
        return len(rows), [issue.reference for issue in issues]
