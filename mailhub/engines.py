"""How either database is opened: its URL, its settings, and the one name for what it refuses.

SQLite serves one process and PostgreSQL several; above this room nobody needs to know which one it is.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, PoolProxiedConnection, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mailhub.errors import SettingsError, StorageTrouble

LONGEST_WAIT_SECONDS = 30  # for a free connection, or for another thread's transaction
_BUSY_MILLISECONDS = 5000  # for another process
_LOG_OCTETS = 256 * 1024 * 1024  # of SQLite, at most
_PAGE_OCTETS = 4096  # SQLite's own choice
_CACHE_KIB = 8192  # of pages, for each connection: what one mail writes is spread over the whole file


def understood(url: str) -> URL:
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


def sqlite(
    url: URL, *, begin: str, connections: int = 1, query_only: bool = False, foreign_keys: bool = True
) -> Engine:
    """An engine whose transactions begin as we say: sqlite3's own deferred ones lose updates between threads."""
    engine = create_engine(
        url, hide_parameters=True, pool_size=connections, max_overflow=0, pool_timeout=LONGEST_WAIT_SECONDS
    )

    @event.listens_for(engine, "do_connect")
    def create_private(*_: object) -> None:
        # Only when it is not there (O_EXCL): closing any descriptor of a file drops all locks this process holds on
        # it, and the next process to leave would then take the log of our work away.
        # https://www.sqlite.org/howtocorrupt.html, section 2.2
        with suppress(OSError):  # it is there; or SQLite will say what is wrong with the place
            os.close(os.open(str(url.database), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # sqlite3 then begins nothing by itself
        for pragma in (
            f"busy_timeout = {_BUSY_MILLISECONDS}",  # first: the ones below may have to wait for another process
            "journal_mode = WAL",
            "synchronous = FULL",  # `250` means the mail survives a power cut
            # Long before, `Database.carry_over` empties the log in a calm moment. A rush then waits for no more than
            # what each mail costs by itself.
            f"wal_autocheckpoint = {_LOG_OCTETS // _PAGE_OCTETS}",
            f"journal_size_limit = {_LOG_OCTETS}",  # for the next rush: to write there again costs less than to grow
            f"cache_size = -{_CACHE_KIB}",
            "secure_delete = ON",  # what a person had erased is not left in free pages
            f"foreign_keys = {int(foreign_keys)}",
            f"query_only = {int(query_only)}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        # Past SQLAlchemy, whose statement costs a third of an empty transaction.
        _driver(connection).execute(begin)

    @event.listens_for(engine, "before_cursor_execute")
    def guard(connection: Connection, *_: object) -> None:
        still_open(_driver(connection))

    return engine


def postgresql(url: URL) -> Engine:
    """An engine for several processes, of one machine or many."""
    try:
        # A server restarts, a firewall cuts idle lines: a connection is tried before it is trusted.
        return create_engine(url, hide_parameters=True, pool_timeout=LONGEST_WAIT_SECONDS, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise SettingsError("PostgreSQL needs its driver: install mailhub[postgres]") from error


@contextmanager
def unwaiting(connection: PoolProxiedConnection) -> Iterator[None]:
    """Let a connection to SQLite give up at once where another process writes."""
    connection.cursor().execute("PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        connection.cursor().execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")


def still_open(driver: object) -> None:
    """Stop when SQLite has ended the transaction of this connection by itself, as it does when the disk is full.

    A verb that swallowed the error would go on, and each of its statements would be kept at once and alone.
    """
    if isinstance(driver, sqlite3.Connection) and not driver.in_transaction:
        raise StorageTrouble("the database gave up the transaction")


def _driver(connection: Connection) -> Any:  # noqa: ANN401 — of whichever driver
    return connection.connection.driver_connection


@contextmanager
def trouble_named() -> Iterator[None]:
    """Turn what the storage refuses into `StorageTrouble`; a wrong statement or a broken rule stays what it is."""
    try:
        yield
    except PoolTimeout as error:
        raise StorageTrouble("no connection to the database became free") from error
    except DBAPIError as error:
        if _is_trouble(error):
            raise StorageTrouble(f"the database refuses: {error.orig}") from error
        raise
    except sqlite3.Error as error:  # of what went past SQLAlchemy
        if _tells_of_trouble(error):
            raise StorageTrouble(f"the database refuses: {error}") from error
        raise


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


def _is_trouble(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return _tells_of_trouble(error.orig)
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        # The server was not reached, unless the driver itself refused a value (a text with a NUL).
        return not isinstance(error, DataError | ProgrammingError)
    # Connection, rollback, resources, intervention, system, internal; 25006 is a server in recovery.
    # https://www.postgresql.org/docs/current/errcodes-appendix.html
    return state[:2] in {"08", "40", "53", "55", "57", "58", "XX"} or state == "25006"


def _tells_of_trouble(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _TROUBLE  # the low byte is the primary code
