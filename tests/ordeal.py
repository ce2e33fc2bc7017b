"""A home that is killed again and again in the midst of its work, and the count of what it owes when all is quiet.

Mail servers hand over questions, and the replies of staff to the copies they got; each kill comes at the n-th time
that something is seen, never after some time. What is drawn by lot is drawn from one seed.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path
from typing import Self

from sqlmodel import Session, col, func, select

from mailhub.database import Database
from mailhub.journal import Inbound, InboundState
from mailhub.outbox import Outgoing, OutgoingState
from tests.journey import AS_CLIENTS_WRITE, CLAIRE, DOMAIN, mail, read, reply
from tests.postal import Parcel, Relay, Servers, Signpost
from tests.serving import AUTHSERV_ID, LONGEST_SECONDS, Line, Served, opened

QUESTION = (
    "Bonjour,\n\nNous préparons le diagnostic du quartier n° {n} et cherchons sa population par âge.\n"
    "Avez-vous des chiffres, et des exemples de villes comparables ?\n\nPersonne {n}\n"
)
ANSWER = "Bonjour,\n\nNous avons trouvé pour vous {n} habitants au recensement n° {n}."


class Moment(StrEnum):
    """When a kill may come."""

    HALF = "half"  # a mail server has sent half of a body
    DOT = "dot"  # it has sent all of it, and no answer has been read
    ACCEPTED = "accepted"  # 250 was read
    HANDLED = "handled"  # in the middle of the transaction that handles mails
    GRANTED = "granted"  # the relay is about to say 354
    TAKEN = "taken"  # the relay has the letter and has not said so
    ANSWERED = "answered"  # the relay's 250 has left
    DELIVERED = "delivered"  # the relay's 250 was read, and is not written yet
    SERVING = "serving"  # the doors have just opened


class Trap:
    """Kills at the n-th time a moment comes: the process in which it was seen, else the one drawn by lot."""

    def __init__(self, moment: Moment, count: int) -> None:
        self.moment, self.count = moment, count
        self.sprung = threading.Event()
        self.killed: Served | None = None
        self._left = count
        self._lock = threading.Lock()

    def saw(self, moment: str, served: Served | None) -> None:
        """Count it; the thread that sees the last one kills, at once."""
        with self._lock:
            if moment != self.moment or served is None:
                return
            self._left -= 1
            if self._left == 0:
                served.kill()
                self.killed = served
                self.sprung.set()


@dataclass
class Ordeal:
    """The run: so many questions from so many people, so many staff replies, one or several processes."""

    home: Path
    relay: Relay
    seed: int
    questions: int
    replies: int
    people: int
    processes: int = 1
    connections: int = 4
    kills: Counter[Moment] = field(default_factory=Counter)
    complaints: list[Line] = field(
        default_factory=list
    )  # what the processes said that they should not have to

    def __post_init__(self) -> None:
        self._lot = random.Random(self.seed)
        self._signpost = Signpost()
        self.servers = Servers(self._signpost, self.connections, self._saw)
        self.asked = [_question(number, self.people) for number in range(self.questions)]
        self.servers.give(self.asked)
        self.replied: list[Parcel] = []
        self._unanswered: list[EmailMessage] = []  # copies that Claire leaves for later
        self._desk = threading.Lock()
        self.relay.saw, self.relay.on_letter = self._saw, self._arrives
        self._running: list[Served | None] = [None] * self.processes
        self._trap: Trap | None = None
        self._drawn = 0
        self._news = threading.Event()

    def run(self, kills: int) -> None:
        """Serve, and kill so often, at every kind of moment; then serve until every mail is accepted."""
        moments = [*Moment] * (kills // len(Moment)) + self._lot.sample([*Moment], kills % len(Moment))
        self._lot.shuffle(moments)
        for number, moment in enumerate(moments):
            left = self.questions + self.replies - len(self.servers.accepted)
            self._live(moment, share=max(10, left // (kills - number)))
        self.serve()
        self.servers.allow(self.questions + self.replies)
        self.until(self.servers.is_done)
        self.until(lambda: self._reply_to_the_rest() and self.servers.is_done())

    def serve(self) -> None:
        """Start every process that does not run."""
        for place, served in enumerate(self._running):
            if served is None:
                self._running[place] = Served(self.home, self._hears)

    def stop(self) -> list[int]:
        """End every process in good order; their exit codes."""
        running = [served for served in self._running if served is not None]
        self._running = [None] * self.processes
        for served in running:
            self._signpost.drop(served.port)
        return [served.stop() for served in running]

    def until_quiet(self) -> None:
        """Wait until nothing is left to do; what a dead process of several held is left out, nobody may touch it yet."""
        ahead = [OutgoingState.WAITING, OutgoingState.DEFERRED]
        if self.processes == 1:
            ahead.append(OutgoingState.SENDING)
        with opened(self.home) as database:
            self.until(lambda: not _unfinished(database, ahead))

    def until(self, happens: Callable[[], bool]) -> None:
        """Wait for something that surely happens, as long as anything does."""
        silent_since = time.monotonic()
        while not happens():
            if self._news.wait(0.02):
                self._news.clear()
                silent_since = time.monotonic()
            assert time.monotonic() - silent_since < LONGEST_SECONDS, f"nothing happens any more: {self}"

    def __enter__(self) -> Self:
        self.servers.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.servers.__exit__()
        for served in self._running:
            if served is not None:
                served.kill()
                served.wait()

    def __str__(self) -> str:
        return (
            f"seed {self.seed}, {self.kills.total()} kills, {len(self.servers.accepted)} mails accepted, "
            f"{len(self.relay.letters)} letters arrived"
        )

    def _live(self, moment: Moment, share: int) -> None:
        """One life, ended by a kill while a share of the mails comes in."""
        # Mails under way at the last kill may be known already and cause nothing more: the trap is set for fewer.
        count = 1 if moment is Moment.SERVING else self._lot.randint(1, share - 2 * self.connections)
        trap = Trap(moment, count)
        self._drawn = self._lot.randrange(self.processes)
        if moment is Moment.SERVING:
            self._trap = trap
        self.serve()
        self._trap = trap
        self.servers.allow(share)
        self.until(trap.sprung.is_set)
        assert trap.killed is not None
        assert trap.killed.wait() == -9
        self._running[self._running.index(trap.killed)] = None
        self.kills[moment] += 1

    # -- what is seen --

    def _saw(self, moment: str) -> None:
        if self._trap is not None:
            self._trap.saw(moment, self._running[self._drawn])
        self._news.set()

    def _hears(self, served: Served, line: Line) -> None:
        moment = line["event"]
        if moment == Moment.SERVING:
            self._signpost.add(served.port)
        # Two processes may wait for each other's rows: PostgreSQL ends one transaction, which is done over.
        if line.get("level") != "info" and "deadlock detected" not in line.get("error", ""):
            self.complaints.append(line)
        if self._trap is not None:
            self._trap.saw(moment, served)
        self._news.set()

    def _arrives(self, letter: bytes) -> None:
        """Claire answers every second copy at once, as long as she has replies to give."""
        copy = read(letter)
        if CLAIRE not in str(copy["To"]) or not str(copy["Reply-To"]).startswith("rep+"):
            return
        with self._desk:
            if len(self.replied) < self.replies and len(self._unanswered) >= len(self.replied):
                self._reply(copy)
            else:
                self._unanswered.append(copy)

    def _reply(self, copy: EmailMessage) -> None:
        parcel = _staff_reply(copy, len(self.replied))
        self.replied.append(parcel)
        self.servers.give([parcel], first=True)

    def _reply_to_the_rest(self) -> bool:
        """Replies that are still to give go to the copies left for later."""
        with self._desk:
            while len(self.replied) < self.replies and self._unanswered:
                self._reply(self._unanswered.pop())
            return len(self.replied) == self.replies


def _question(number: int, people: int) -> Parcel:
    """A question that no other resembles; its From address is proven."""
    person = number % people
    town = f"ville-{person % 40}.example"
    asker = f"p{person}@{town}"
    written = mail(
        QUESTION.format(n=number),
        sender=asker,
        name=f"Personne {person}",
        subject=f"Population du quartier n° {number}",
        message_id=f"<q{number}@{town}>",
        headers={"Authentication-Results": f"{AUTHSERV_ID}; dmarc=pass header.from={town}"},
    )
    return Parcel(asker, f"question@{DOMAIN}", written.as_bytes(policy=AS_CLIENTS_WRITE))


def _staff_reply(copy: EmailMessage, number: int) -> Parcel:
    """What Claire answers to one of her copies."""
    written, address = reply(
        copy,
        ANSWER.format(n=number),
        sender=CLAIRE,
        name="Claire Morvan",
        message_id=f"<c{number}@{DOMAIN}>",
    )
    written["Authentication-Results"] = f"{AUTHSERV_ID}; dmarc=pass header.from={DOMAIN}"
    return Parcel(CLAIRE, address, written.as_bytes(policy=AS_CLIENTS_WRITE))


def _unfinished(database: Database, ahead: Sequence[OutgoingState]) -> int:
    with database.reading() as session:
        return _count(session, Inbound, col(Inbound.state) == InboundState.WAITING) + _count(
            session, Outgoing, col(Outgoing.state).in_(ahead)
        )


def _count(session: Session, table: type[Inbound | Outgoing], which: object) -> int:
    return session.exec(select(func.count()).select_from(table).where(which)).one()  # type: ignore[arg-type]
