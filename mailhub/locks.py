"""Who may run: one process per home on SQLite, one leader among several on PostgreSQL."""

import contextlib
import fcntl
import hashlib
import os
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from mailhub.errors import HomeError


class HomeLock:
    """The lock file of a home: whoever holds it is the only process that serves it.

    The kernel lets go of it when the process ends, however it ends; the file itself stays and means nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Hold the home, or be told which process does."""
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise HomeError(f"the lock file {self.path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise HomeError(f"process {holder or '?'} serves this home already ({self.path})") from error
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the next one in; nothing happens when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Leadership:
    """The right to do what only one process may do, kept until it is laid down or its connection is lost.

    On SQLite there is one process, so it leads. A process that lost its connection may think for a moment that
    it still leads: what a leader does is guarded by unique keys as well.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        # Advisory locks are numbers of 64 bits, signed.
        self._number = int.from_bytes(hashlib.sha256(f"mailhub {name}".encode()).digest()[:8], signed=True)
        self._connection: Connection | None = None

    def held(self) -> bool:
        """Say whether this process leads; when nobody does, it does from now on."""
        if self._engine.dialect.name == "sqlite":
            return True
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                return True
            return self._try()
        except DBAPIError:
            self.lay_down()
            return False

    def lay_down(self) -> None:
        """Let another process lead, from the moment this returns."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if not connection.invalidated:  # the line is not known to be lost
            # A server notices in its own time that a connection went, and would free the lock only then.
            with contextlib.suppress(DBAPIError):
                connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": self._number})
        connection.invalidate()  # whatever came of that, nobody inherits the lock with the connection
        connection.close()

    def _try(self) -> bool:
        """Ask for the lock on a connection of its own; without a transaction, so that it may idle for days."""
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if connection.execute(
            text("SELECT pg_try_advisory_lock(:number)"), {"number": self._number}
        ).scalar_one():
            self._connection = connection
            return True
        connection.close()
        return False
