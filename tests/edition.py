"""An issue and its readers for tests: kept, released, sent, also by processes that can be killed."""

import asyncio
import multiprocessing
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import structlog

from mailhub import outbox
from mailhub.centre import people, publications
from mailhub.centre.profile import Centre
from mailhub.centre.publications import Issue, Manuscript
from mailhub.database import Database
from mailhub.deliver.courier import Courier
from mailhub.deliver.wire import Relay, Timeouts
from mailhub.mail.dkim import Signer, SigningKey, generate
from mailhub.outbox import Line, Standing
from mailhub.render import Renderer
from mailhub.schedule import Issues
from tests.journey import CLAIRE, DOMAIN, Clock
from tests.readers import KEYRING, LETTER, LISTS, reader, subscribed

HOUR = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
MANUSCRIPT = Manuscript(
    "Les rencontres de mars",
    "{{ salutation }}\n\nRencontre du 12 mars à Kerbrec.\nhttps://kerbrec.example/rencontre\n",
    '<p>{{ salutation }}</p><p><a href="https://kerbrec.example/rencontre">Rencontre du 12 mars</a></p>',
)
SIGNER = Signer(
    DOMAIN, [SigningKey.load("test-rsa", generate("rsa")), SigningKey.load("test-ed", generate("ed25519"))]
)
RENDERER = Renderer()
# Processes are forked from one that has read the house and started nothing: quick, and without our threads.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.edition"])


def centre(**changes: Any) -> Centre:
    """A centre that publishes the two publications of the house and has public pages."""
    known = {"lists": LISTS, "leave_url": f"https://{DOMAIN}/quitter/", "phone": "02 99 00 00 01"}
    return Centre("Villes & Rives", DOMAIN, KEYRING, **(known | changes))


def courier(database: Database, port: int, now: Any, **changes: Any) -> Courier:
    """A courier that sends to a port of this machine."""
    relay = Relay("127.0.0.1", port, tls="none", helo=f"mail.{DOMAIN}", timeouts=Timeouts(goodbye=0.2))
    known = {
        "renderer": RENDERER,
        "connections": 2,
        "per_destination_per_minute": 0,
        "letters_per_connection": 0,
    }
    return Courier(database, relay, centre(), now=now, **(known | changes))


@dataclass
class Edition:
    """One database with readers and an issue."""

    database: Database
    clock: Clock = field(default_factory=lambda: Clock(HOUR))
    here: Centre = field(default_factory=centre)

    def __post_init__(self) -> None:
        self.issues = Issues(self.database, self.here, RENDERER, self.clock)

    def subscribe(self, count: int, domain: str = "kerbrec.example", **more: Any) -> list[int]:
        """So many readers more; their subscriptions."""
        with self.database.transaction() as session:
            rows = []
            for number in range(count):
                person = reader(session, HOUR, f"lectrice{number}@{domain}", f"Lectrice {number}", post=True)
                rows.append(subscribed(session, HOUR, person, LETTER, **more))
            return [row.id or 0 for row in rows]

    def hire(self) -> None:
        """Somebody who is told."""
        with self.database.transaction() as session:
            people.hire(session, "Claire Morvan", [CLAIRE], HOUR)

    def keep(self, number: int = 57, at: datetime | None = None, manuscript: Manuscript = MANUSCRIPT) -> str:
        """Keep an issue, and schedule it when there is an hour; its reference."""
        form = publications.typeset(LETTER, number, manuscript, self.here, RENDERER)
        with self.database.transaction() as session:
            issue = publications.add(
                session,
                "lettre",
                number,
                form,
                title=publications.title(LETTER, number, RENDERER),
                subject=manuscript.subject,
                now=self.clock(),
            )
            if at is not None:
                publications.release(session, issue, at)
            return issue.reference

    def release(self, number: int = 57) -> str:
        """Keep an issue and let it leave now."""
        reference = self.keep(number, self.clock())
        assert self.issues.release_due() == 1
        return reference

    def send(self, port: int, **changes: Any) -> None:
        """Let a courier work until nothing is due."""
        asyncio.run(send_all(courier(self.database, port, self.clock, **changes)))

    def issue(self, reference: str = "lettre-57") -> Issue:
        """The issue as it stands."""
        with self.database.reading() as session:
            return publications.called(session, reference).model_copy()

    def sums(self, reference: str = "lettre-57") -> dict[str, int]:
        """How many lines stand where, without those nobody stands at; they always make the roster."""
        with self.database.reading() as session:
            found = publications.called(session, reference)
            sums = outbox.sums(session, found)
            assert sum(sums.values()) == len(list(outbox.read(session, found)))
        return {standing.value: count for standing, count in sums.items() if count}

    def lines(self, standing: Standing | None = None, reference: str = "lettre-57") -> list[Line]:
        """The ledger, name by name."""
        with self.database.reading() as session:
            return list(outbox.read(session, publications.called(session, reference), standing))

    def letters(self) -> list[outbox.Outgoing]:
        """Every letter of the outbox, oldest first."""
        with self.database.reading() as session:
            return [row.model_copy() for row in reversed(outbox.listed(session, limit=10_000))]

    def raw(self, letter: outbox.Outgoing) -> bytes:
        """Exactly what leaves."""
        with self.database.reading() as session:
            return outbox.raw(session, letter)


async def send_all(sender: Courier) -> None:
    """Send until nothing is due."""
    try:
        while await sender.step():
            pass
    finally:
        await sender.close()


# -- processes --------------------------------------------------------------------------------------------------


def sending(url: str, port: int, connections: int) -> BaseProcess:
    """A process that sends all that is due."""
    return _started(_send, url, port, connections)


def ticking(url: str, count: int) -> list[int]:
    """So many processes do the clock's work on issues at the same instant; how many issues each released."""
    together = FORKS.Barrier(count)
    queue = FORKS.Queue()
    processes = [_started(_tick, url, together, queue) for _ in range(count)]
    released = [queue.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * count
    return sorted(released)


def _started(work: Any, *words: Any) -> BaseProcess:
    process = FORKS.Process(target=work, args=words, daemon=True)
    process.start()
    return process


def _send(url: str, port: int, connections: int) -> None:
    _quiet()
    database = Database(url)
    asyncio.run(send_all(courier(database, port, lambda: HOUR, connections=connections)))
    database.close()


def _tick(url: str, together: Any, queue: Any) -> None:
    _quiet()
    database = Database(url)
    with database.reading():  # connected before all begin at once
        pass
    together.wait(60)
    queue.put(Issues(database, centre(), RENDERER, lambda: HOUR).tick())
    database.close()


def _quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def recipients(letters: Sequence[bytes]) -> Counter[str]:
    """How often each address was written to, by the To field of what arrived."""
    found = (
        line
        for letter in letters
        for line in letter.split(b"\r\n\r\n")[0].split(b"\r\n")
        if line.startswith(b"To: ")
    )
    return Counter(line.decode().rpartition("<")[2].rstrip(">") for line in found)


def url_of(path: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{path}"


def kill(process: BaseProcess) -> None:
    """End a process as a power cut does."""
    assert process.pid
    os.kill(process.pid, 9)


def later(**span: float) -> datetime:
    """The hour of release, and some time."""
    return HOUR + timedelta(**span)
