"""Who may run: one process per home on SQLite, as many as wanted on PostgreSQL."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from mailhub.errors import HomeError


class HomeLock:
    """The lock file of a home, `storage/lock`: whoever holds it is the only process that serves it.

    The kernel lets go of it when the process ends, however it ends; the file itself stays and means nothing.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "storage" / "lock"
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


@contextlib.contextmanager
def alone(home: Path, dialect: str) -> Iterator[None]:
    """Hold a home of SQLite; one of PostgreSQL is served by as many as wanted: rows and unique keys tell who does what."""
    if dialect != "sqlite":
        yield
        return
    with HomeLock(home):
        yield
