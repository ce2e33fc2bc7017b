"""`mailhub serve` for tests: a process of its own on a home of its own, which may be killed at any moment.

Processes are forked from one that has imported everything already, so that a start costs a tenth of a second; what
runs in them is the program as an operator types it. Their log is told, line by line, to whoever watches.
"""

import contextlib
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

from mailhub import config, home
from mailhub.centre import people
from mailhub.database import Database
from tests.journey import CLAIRE, DOMAIN

LONGEST_SECONDS = 60.0  # for what surely happens; reached only when something is broken
AUTHSERV_ID = f"mx.{DOMAIN}"
MANY = 1_000_000_000  # one machine plays hundreds of people

Line = Mapping[str, Any]  # one event of the log
Watch = Callable[["Served", Line], object]

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["mailhub.cli.program", "mailhub.app", "mailhub.web.site", "mailhub.web.figures", "uvloop", "psycopg"]
)


def make_home(
    folder: Path, relay_port: int, *, database_url: str = "", **changes: Mapping[str, object]
) -> Path:
    """Make a home whose letters leave by that port, with Claire on its staff; `changes` are sections of its settings."""
    sections: dict[str, Mapping[str, object]] = {
        "centre": {"name": "Villes & Rives", "domain": DOMAIN},
        "receive": {"smtp": ["127.0.0.1:0"], "connections": 500},
        "trust": {"verdicts": "header", "authserv_id": AUTHSERV_ID},
        "courtesy": {
            "per_hour": MANY,
            "per_day": MANY,
            "unproven_per_day": MANY,
            "unproven_per_hour_overall": MANY,
            "mails_per_hour": MANY,
            "alike_in_half_an_hour": MANY,
        },
        "relay": {"port": relay_port, "per_destination_per_minute": 0},
        "database": {"url": database_url},
        "web": {"listen": ""},
        "log": {"format": "json"},
    }
    for name, values in changes.items():
        sections[name] = {**sections.get(name, {}), **values}
    home.furnish(folder, config.commented_file(sections))
    with opened(folder) as database:
        database.upgrade()
        with database.transaction() as session:
            people.hire(session, "Claire Morvan", [CLAIRE], datetime.now(UTC), told_of_new=True)
    return folder


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Database]:
    """The database of a home, looked at from outside."""
    database = Database(config.load(folder, {}).database_url)
    try:
        yield database
    finally:
        database.close()


class Served:
    """One `mailhub serve`, started."""

    def __init__(self, folder: Path, watch: Watch = lambda *_: None, **environment: str) -> None:
        """`watch` is told each event of the log, in a thread of its own."""
        self.log: list[Line] = []
        self._watch = watch
        self._ended = False
        self._news = threading.Condition()
        heard, said = _FORKS.Pipe(duplex=False)
        self._process = _FORKS.Process(target=_serve, args=(str(folder), said, environment), daemon=True)
        self._process.start()
        said.close()
        self._listener = threading.Thread(target=self._listen, args=(heard,), daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def doors(self) -> list[str]:
        """Where its doors are, once it serves."""
        return list(self.see("serving")[0]["doors"])

    @property
    def port(self) -> int:
        """The port of its first door."""
        return int(self.doors[0].rpartition(":")[2])

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens to a process that has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it, as a power cut does."""
        self.send(signal.SIGKILL)

    def wait(self) -> int:
        """Its exit code, negative for a signal; its log is then complete."""
        self._process.join(LONGEST_SECONDS)
        assert self._process.exitcode is not None, "it does not end"
        self._listener.join(LONGEST_SECONDS)
        return self._process.exitcode

    def stop(self) -> int:
        """Ask it, once it serves, to finish what is under way and end."""
        assert self.doors
        self.send(signal.SIGTERM)
        return self.wait()

    def see(self, event: str, count: int = 1) -> list[Line]:
        """Wait until so many events of that name are in its log; they."""
        found: list[Line] = []

        def seen() -> bool:
            found[:] = [line for line in self.log if line["event"] == event]
            return self._ended or len(found) >= count

        with self._news:
            assert self._news.wait_for(seen, LONGEST_SECONDS), f"no {event}: {self.log}"
        assert len(found) >= count, f"ended before {event}: {self.log}"
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.wait()

    def _listen(self, heard: Connection) -> None:
        with os.fdopen(os.dup(heard.fileno()), "rb") as lines:
            heard.close()
            for octets in lines:
                line = _event(octets)
                with self._news:
                    self.log.append(line)
                    self._news.notify_all()
                self._watch(self, line)
        with self._news:
            self._ended = True
            self._news.notify_all()


def _event(octets: bytes) -> Line:
    """A line of the log; what is not one (a traceback, words on the way out) is an event all the same."""
    with contextlib.suppress(ValueError):
        line = json.loads(octets)
        if isinstance(line, dict) and "event" in line:
            return line
    return {"event": "said", "words": octets.decode("utf-8", "replace").rstrip("\n")}


def _serve(folder: str, said: Connection, environment: Mapping[str, str]) -> None:
    """What the process does: nothing but the program."""
    from mailhub.cli.program import app

    os.environ.update(environment)
    os.dup2(said.fileno(), 2)
    said.close()
    app(["serve", "--home", folder])
