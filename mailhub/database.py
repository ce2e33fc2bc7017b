"""The database: one way in to write, one to read, and the only commit of the house.

Verbs are given a session and never commit; `Database.transaction` does, once, when its block has ended well.
What the disk or the server refuses comes out as `StorageTrouble`, so that a door answers 451 and nothing is lost.
SQLite serves one process (`home_lock.py`), PostgreSQL several; both run the same models and migrations.
"""

import os
import shlex
import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Literal, NoReturn

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, CursorResult, Engine, Enum, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session, SQLModel

from mailhub.errors import Refused, SettingsError, StorageTrouble

MIGRATIONS = Path(__file__).parent / "migrations"
LONGEST_WAIT_SECONDS = 30  # for another thread's transaction, or for a free connection

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


def insert_missing(session: Session, table: type[SQLModel], rows: Sequence[Mapping[str, object]]) -> int:
    """Insert those rows that no unique key forbids; say how many were new. Never an error, on either engine."""
    insert = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[session.get_bind().dialect.name]
    statement = insert(table).values(rows).on_conflict_do_nothing()  # type: ignore[attr-defined]
    result: CursorResult[object] = session.execute(statement)  # type: ignore[assignment]
    return result.rowcount


class Database:
    """One database; the only place that commits."""

    def __init__(self, url: str) -> None:
        """Prepare to connect; nothing is opened before the first use."""
        self.url = _understood(url)
        self.dialect: Literal["sqlite", "postgresql"] = (
            "sqlite" if self.url.get_backend_name() == "sqlite" else "postgresql"
        )
        if self.dialect == "sqlite":
            # SQLite has one writer at a time. Threads queue at a lock of ours, which wakes the next at once;
            # SQLite's own busy handler polls with growing sleeps, and is left for other processes.
            self._turn: threading.Lock | None = threading.Lock()
            self.engine = _sqlite(self.url, begin="BEGIN IMMEDIATE")
            self._reader = _sqlite(self.url, begin="BEGIN", query_only=True, connections=16)
        else:
            self._turn = None
            self.engine = _postgresql(self.url)
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
        with self._in_turn(), _trouble_named(), self.engine.connect() as connection:
            connection.begin()
            with _VerbSession(connection) as session:
                yield session
                session.flush()
                if self.dialect == "sqlite":
                    _still_open(connection)
                connection.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Look at one state of the database while others write; whoever writes here is refused."""
        with _trouble_named(), self._reader.connect() as connection:
            connection.begin()
            with _ReadingSession(connection) as session:
                yield session
                session.flush()

    @staticmethod
    @contextmanager
    def savepoint(session: Session) -> Iterator[None]:
        """One mail of a batch: when this block raises, what it did is undone and the error goes on.

        Catch it outside and the batch continues, except `StorageTrouble`: then the batch as a whole has failed.
        """
        with _trouble_named(), session.begin_nested():
            yield

    def upgrade(self) -> None:
        """Bring the tables to the form this version needs; nothing happens when they have it."""
        with self.migrating() as config:
            command.upgrade(config, "head")

    @contextmanager
    def migrating(self) -> Iterator[Config]:
        """What Alembic's commands ask for, bound to one transaction that ends with the block."""
        with _trouble_named(), self._alone() as connection:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            yield config

    def version(self) -> tuple[str | None, str | None]:
        """The migration this database stands at, and the one this version of mailhub needs."""
        head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
        with _trouble_named(), self._reader.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision(), head

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

    def close(self) -> None:
        """Let go of every connection; SQLite then tidies its write-ahead log away."""
        self._reader.dispose()
        self.engine.dispose()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Wait for the writers before us; a transaction inside a transaction would wait for itself."""
        if getattr(self._here, "writing", False):
            raise Refused("a transaction is open here already; one thing that happens is one transaction")
        if self._turn is not None and not self._turn.acquire(timeout=LONGEST_WAIT_SECONDS):
            raise StorageTrouble(f"another transaction has lasted more than {LONGEST_WAIT_SECONDS} s")
        self._here.writing = True
        try:
            yield
        finally:
            self._here.writing = False
            if self._turn is not None:
                self._turn.release()

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        """A connection whose transaction no other migration runs beside."""
        if self.dialect == "sqlite":
            # Batch mode rebuilds a table by dropping the old one; with foreign keys on, that deletes (or forbids
            # deleting) the rows that point at it. https://www.sqlite.org/lang_altertable.html, section 7
            engine = _sqlite(self.url, begin="BEGIN IMMEDIATE", foreign_keys=False)
            try:
                with self._in_turn(), engine.begin() as connection:
                    yield connection
                    orphan = connection.execute(text("PRAGMA foreign_key_check")).first()
                    if orphan is not None:
                        raise Refused(f"the migration leaves rows of {orphan[0]} that point nowhere")
            finally:
                engine.dispose()
        else:
            with self.engine.begin() as connection:
                # Several processes may start at once; the first migrates, the others then find nothing to do.
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('mailhub migration'))"))
                yield connection


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


def _understood(url: str) -> URL:
    """Read a database URL; refuse, with a sentence, what this house does not speak."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SettingsError(
            "the database URL cannot be read; write sqlite:////path or postgresql://…"
        ) from error
    kind = parsed.drivername.partition("+")[0]
    if kind in {"postgres", "postgresql"}:
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise SettingsError(f"the database URL begins with {kind!r}; mailhub speaks sqlite and postgresql")
    if not parsed.database or parsed.database == ":memory:":
        raise SettingsError("the database URL names no file; write sqlite:////path/to/mailhub.db")
    return parsed.set(drivername="sqlite")


def _sqlite(
    url: URL, *, begin: str, connections: int = 1, query_only: bool = False, foreign_keys: bool = True
) -> Engine:
    """An engine whose transactions begin as we say: sqlite3's own deferred ones lose updates between threads."""
    engine = create_engine(url, pool_size=connections, max_overflow=0, pool_timeout=LONGEST_WAIT_SECONDS)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # sqlite3 then begins nothing by itself
        for pragma in (
            "busy_timeout = 5000",  # first: the ones below may have to wait for another process
            "journal_mode = WAL",
            "synchronous = FULL",  # `250` means the mail survives a power cut
            "secure_delete = ON",  # what a person had erased is not left in free pages
            f"foreign_keys = {int(foreign_keys)}",
            f"query_only = {int(query_only)}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    @event.listens_for(engine, "before_cursor_execute")
    def guard(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement != begin:
            _still_open(connection)

    return engine


def _still_open(connection: Connection) -> None:
    """Stop when SQLite has ended the transaction by itself, as it does when the disk is full.

    A verb that swallowed the error would go on, and each of its statements would be kept at once and alone.
    """
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection) and not driver.in_transaction:
        raise StorageTrouble("the database gave up the transaction")


def _postgresql(url: URL) -> Engine:
    try:
        # A server restarts, a firewall cuts idle lines: a connection is tried before it is trusted.
        return create_engine(url, pool_timeout=LONGEST_WAIT_SECONDS, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise SettingsError("PostgreSQL needs its driver: install mailhub[postgres]") from error


# SQLite's result codes that tell of the disk, the file or the moment rather than of the statement.
# https://www.sqlite.org/rescode.html
_TROUBLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)


@contextmanager
def _trouble_named() -> Iterator[None]:
    """Turn what the storage refuses into `StorageTrouble`; a wrong statement or a broken rule stays what it is."""
    try:
        yield
    except PoolTimeout as error:
        raise StorageTrouble("no connection to the database became free") from error
    except DBAPIError as error:
        if _is_trouble(error):
            raise StorageTrouble(f"the database refuses: {error.orig}") from error
        raise


def _is_trouble(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", None)
        return code is not None and code & 0xFF in _TROUBLE  # the low byte is the primary code
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)  # None: the server was not reached
    # Connection, rollback, resources, intervention, system, internal; 25006 is a server in recovery.
    # https://www.postgresql.org/docs/current/errcodes-appendix.html
    return state is None or state[:2] in {"08", "40", "53", "55", "57", "58", "XX"} or state == "25006"


def _pg_dump(url: URL, path: Path) -> str:
    """The command that saves this database; the password is libpq's affair (PGPASSWORD, ~/.pgpass)."""
    shown = url._replace(drivername="postgresql", password=None).difference_update_query(["password"])
    return f"pg_dump --format=custom --file={shlex.quote(str(path))} {shlex.quote(shown.render_as_string())}"
