"""The database: one way in to write, one to read, and the only commit of the house.

Verbs are given a session and never commit; `Database.transaction` does, once, when its block has ended well.
What the disk or the server refuses comes out as `StorageTrouble`, so that a door answers 451 and nothing is lost.
Both engines run the same models and the same migrations.
"""

import os
import shlex
import sqlite3
import tempfile
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Literal, NoReturn

from sqlalchemy import Connection, Enum, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session, SQLModel

from mailhub import engines, migrations
from mailhub.errors import Refused, StorageTrouble

# Both engines then give a constraint the same name, and a migration can name what it drops.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def words(closed_list: type[StrEnum]) -> Enum:
    """The column type of a closed list: its words as text, so that a new word needs no migration."""
    return Enum(
        closed_list,
        native_enum=False,  # PostgreSQL keeps a native type behind when its table goes
        length=40,
        values_callable=lambda members: [member.value for member in members],
        validate_strings=True,
    )


_TURNS = text(
    "SELECT pg_advisory_xact_lock(turn) FROM (SELECT DISTINCT hashtextextended(name, 0) AS turn "
    "FROM unnest(CAST(:names AS text[])) AS name ORDER BY 1) AS turns"
)


def take_turns(session: Session, names: Collection[str]) -> None:
    """Do what is about these names one transaction after the other, whichever process: what counts, then writes.

    They are waited for in one order, so that two transactions do not wait for each other. SQLite has one writer
    anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_TURNS, {"names": list(names)})


class Database:
    """One database; the only place that commits."""

    def __init__(self, url: str) -> None:
        """Prepare to connect; nothing is opened before the first use."""
        self.url = engines.understood(url)
        self.dialect: Literal["sqlite", "postgresql"] = (
            "sqlite" if self.url.get_backend_name() == "sqlite" else "postgresql"
        )
        if self.dialect == "sqlite":
            # SQLite has one writer at a time. Threads queue at a lock of ours, which wakes the next at once;
            # SQLite's own busy handler polls with growing sleeps, and is left for other processes.
            self._turn: threading.Lock | None = threading.Lock()
            self.engine = engines.sqlite(self.url, begin="BEGIN IMMEDIATE")
            self._reader = engines.sqlite(self.url, begin="BEGIN", query_only=True, connections=16)
        else:
            self._turn = None
            self.engine = engines.postgresql(self.url)
            # A snapshot: every statement of one reading sees the same state.
            self._reader = self.engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        self._here = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Everything its block does happens together, or not at all.

        The session cannot commit or roll back by itself. Storage that fails raises `StorageTrouble`.
        """
        with self._in_turn(), engines.trouble_named(), self.engine.connect() as connection:
            connection.begin()
            with _VerbSession(connection) as session:
                yield session
                session.flush()
                if self.dialect == "sqlite":
                    engines.still_open(connection.connection.driver_connection)
                connection.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Look at one state of the database while others write; whoever writes here is refused."""
        with engines.trouble_named(), self._reader.connect() as connection:
            connection.begin()
            with _ReadingSession(connection) as session:
                yield session
                session.flush()

    def version(self) -> tuple[str | None, str | None]:
        """The migration this database stands at, and the one this version of mailhub needs."""
        with self.reading() as session:
            return migrations.current(session.connection()), migrations.head()

    def upgrade(self) -> None:
        """Bring the tables to the form this version needs; nothing happens when they have it."""
        current, needed = self.version()
        if (current or "") > (needed or ""):
            raise Refused(f"the database is at migration {current}, this version of mailhub knows {needed}")
        if current != needed:
            with self.migrating() as connection:
                migrations.upgrade(connection)

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Change the tables, alone and in one transaction that ends with the block."""
        with engines.trouble_named(), self._in_turn():
            if self.dialect == "sqlite":
                with self._without_foreign_keys() as connection:
                    yield connection
            else:
                with self.engine.begin() as connection:
                    # Several processes may start at once; the first migrates, the others find it done.
                    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('mailhub migration'))"))
                    yield connection

    def backup_to(self, path: Path) -> None:
        """Write a consistent copy to a new file while everybody goes on working."""
        if self.dialect != "sqlite":
            raise Refused(f"PostgreSQL makes its own backups: {_pg_dump(self.url, path)}")
        if path.exists():
            raise Refused(f"{path} is there already; a backup never overwrites a file")
        # A copy under its final name is a whole copy, whatever happened meanwhile.
        descriptor, partial = tempfile.mkstemp(prefix=path.name, suffix=".partial", dir=path.parent)
        try:
            with closing(sqlite3.connect(str(self.url.database))) as connection:
                connection.execute("VACUUM INTO ?", (partial,))
            os.fsync(descriptor)  # VACUUM INTO leaves that to us. https://www.sqlite.org/lang_vacuum.html
            Path(partial).rename(path)
        except sqlite3.Error as error:
            raise StorageTrouble(f"the backup could not be written: {error}") from error
        finally:
            os.close(descriptor)
            Path(partial).unlink(missing_ok=True)

    def carry_over(self) -> None:
        """Bring what SQLite's log holds into its file, in a moment when nobody waits; PostgreSQL does so by itself.

        Nobody may commit meanwhile, in this process or another: before version 3.51.3 a commit that begins the log
        anew beside this could be lost. https://www.sqlite.org/wal.html#walresetbug
        What cannot be carried over now, because somebody writes or for want of room, stays safe in the log.
        """
        if self._turn is None:
            return
        with suppress(sqlite3.Error, PoolTimeout), closing(self._reader.raw_connection()) as line:
            if not self._turn.acquire(blocking=False):
                return
            try:
                with closing(self.engine.raw_connection()) as writer, engines.unwaiting(writer):
                    writer.cursor().execute("BEGIN IMMEDIATE")
                    line.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                    writer.rollback()
            finally:
                self._turn.release()

    def close(self) -> None:
        """Let go of every connection; SQLite then tidies its write-ahead log away."""
        self._reader.dispose()
        self.engine.dispose()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Wait for the writers before us; a transaction inside a transaction would wait for itself."""
        if getattr(self._here, "writing", False):
            raise Refused("a transaction is open here already; one thing that happens is one transaction")
        if self._turn is not None and not self._turn.acquire(timeout=engines.LONGEST_WAIT_SECONDS):
            raise StorageTrouble(f"another transaction has lasted more than {engines.LONGEST_WAIT_SECONDS} s")
        self._here.writing = True
        try:
            yield
        finally:
            self._here.writing = False
            if self._turn is not None:
                self._turn.release()

    @contextmanager
    def _without_foreign_keys(self) -> Iterator[Connection]:
        """Look at foreign keys when all is done, not before.

        SQLite changes a table by rebuilding it and dropping the old one; with foreign keys on, that would delete the
        rows that point at it. https://www.sqlite.org/lang_altertable.html, section 7
        """
        engine = engines.sqlite(self.url, begin="BEGIN IMMEDIATE", foreign_keys=False)
        try:
            with engine.begin() as connection:
                yield connection
                orphan = connection.execute(text("PRAGMA foreign_key_check")).first()
                if orphan is not None:
                    raise Refused(f"the migration leaves rows of {orphan[0]} that point nowhere")
        finally:
            engine.dispose()


class _VerbSession(Session):
    """A session that cannot end its transaction: a verb that could would leak half of what happens."""

    def commit(self) -> NoReturn:
        raise Refused("a verb never commits; Database.transaction does, when its block has ended well")

    def rollback(self) -> NoReturn:
        raise Refused("a verb never rolls back; raise, and Database.transaction or savepoint will")


class _ReadingSession(_VerbSession):
    """A session that cannot write either."""

    def flush(self, objects: Sequence[object] | None = None) -> None:
        if self.new or self.dirty or self.deleted:
            raise Refused("a reading never writes; Database.transaction does")
        super().flush(objects)


def _pg_dump(url: URL, path: Path) -> str:
    """The command that saves this database; the password is libpq's affair (PGPASSWORD, ~/.pgpass)."""
    shown = url._replace(drivername="postgresql", password=None).difference_update_query(["password"])
    return f"pg_dump --format=custom --file={shlex.quote(str(path))} {shlex.quote(shown.render_as_string())}"
