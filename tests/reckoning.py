"""The count after an ordeal: what was accepted, what came of it, what left and what arrived, each once.

A fault is a sentence; a home that kept its promises has none.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import select

from mailhub import journal
from mailhub.centre.requests import Exchange, ExchangeKind, Request
from mailhub.database import Database
from mailhub.journal import Inbound, InboundState, Verdict
from mailhub.outbox import Outgoing, OutgoingState
from tests.ordeal import Ordeal
from tests.postal import Parcel


@dataclass(frozen=True)
class Books:
    """What a home says of itself, and what came out of it."""

    mails: list[Inbound]
    requests: list[Request]
    exchanges: list[Exchange]
    letters: list[Outgoing]
    arrived: Counter[str]

    @classmethod
    def of(cls, database: Database, ordeal: Ordeal) -> "Books":
        """Read everything."""
        with database.reading() as session:
            return cls(
                *(
                    [row.model_copy() for row in session.exec(select(table).order_by(table.id)).all()]
                    for table in (Inbound, Request, Exchange, Outgoing)
                ),
                ordeal.relay.arrived,
            )

    def of_kind(self, kind: str) -> list[Outgoing]:
        """Letters of one kind."""
        return [letter for letter in self.letters if letter.kind == kind]

    def doubts(self) -> list[Outgoing]:
        """Letters of which nobody knows."""
        return [letter for letter in self.letters if letter.state is OutgoingState.IN_DOUBT]


def faults(database: Database, ordeal: Ordeal) -> list[str]:
    """Everything that is not as it must be, once all is quiet and no doubt has been settled."""
    books = Books.of(database, ordeal)
    return [
        *(f"a process complained: {line}" for line in ordeal.complaints),
        *_faults_of_mails(books, ordeal),
        *_faults_of_threads(books, ordeal),
        *_faults_of_letters(books, ordeal),
        *_faults_of_tables(database),
    ]


def _faults_of_mails(books: Books, ordeal: Ordeal) -> Iterator[str]:
    """Every mail that had its 250 is in the journal once, with the one verdict it must have."""
    for parcels, verdict in (
        (ordeal.asked, Verdict.REQUEST_OPENED),
        (ordeal.replied, Verdict.MESSAGE_ADDED),
    ):
        became = Counter(
            (row.digest, str(row.verdict or row.state), row.attempts)
            for row in books.mails
            if row.digest in set(map(_digest, parcels))
        )
        yield from _differences(f"{verdict}", became, ((_digest(one), str(verdict), 0) for one in parcels))
    yield from _differences("accepted", Counter(ordeal.servers.accepted), [*ordeal.asked, *ordeal.replied])
    states = Counter(row.state for row in books.mails)
    if states != {InboundState.DONE: len(ordeal.asked) + len(ordeal.replied)}:
        yield f"the journal does not balance: {states}"


def _faults_of_threads(books: Books, ordeal: Ordeal) -> Iterator[str]:
    """Each question has one request, each staff reply one answer, and every reference was given once."""
    count = len(ordeal.asked)
    opened = Counter(entry.request_id for entry in books.exchanges if entry.kind is ExchangeKind.QUESTION)
    yield from _differences("opened by", opened, (request.id for request in books.requests))
    if len(books.requests) != count:
        yield f"{len(books.requests)} requests for {count} questions"
    year = books.requests[0].reference[:7]
    references = Counter(request.reference for request in books.requests)
    yield from _differences(
        "reference", references, (f"{year}{number:04d}" for number in range(1, count + 1))
    )
    answers = [entry for entry in books.exchanges if entry.kind is ExchangeKind.ANSWER]
    replies = {row.id for row in books.mails if row.digest in set(map(_digest, ordeal.replied))}
    yield from _differences("answer to", Counter(entry.inbound_id for entry in answers), replies)
    if len(books.exchanges) != count + len(ordeal.replied):
        yield f"{len(books.exchanges)} entries in the threads"


def _faults_of_letters(books: Books, ordeal: Ordeal) -> Iterator[str]:
    """Each letter that is owed exists once, came once, or is in doubt and came at most once."""
    requests = [request.id for request in books.requests]
    answered = Counter(entry.request_id for entry in books.exchanges if entry.kind is ExchangeKind.ANSWER)
    for kind, owed in (
        ("acknowledgement", requests),
        ("staff-copy", requests),
        ("answer", answered.elements()),
    ):
        yield from _differences(kind, Counter(letter.request_id for letter in books.of_kind(kind)), owed)
    for kind, state in (
        ("answer-sent", OutgoingState.SENT),
        ("answer-in-doubt", OutgoingState.IN_DOUBT),
    ):
        about = Counter(letter.key.split(":")[1] for letter in books.of_kind(kind))
        which = (str(letter.id) for letter in books.of_kind("answer") if letter.state is state)
        yield from _differences(f"{kind} about", about, which)
    ids = Counter(letter.message_id for letter in books.letters)
    yield from _differences("Message-ID", ids, set(ids))
    for letter in books.letters:
        came = books.arrived[letter.message_id]
        may = {OutgoingState.SENT: {1}, OutgoingState.IN_DOUBT: {0, 1}}.get(letter.state, set())
        if came not in may:
            yield f"letter {letter.key} is {letter.state} and came {came} times"
    if strange := set(books.arrived) - set(ids):
        yield f"letters nobody wrote: {strange}"
    most = 4 * ordeal.kills.total()  # one for each connection of a courier
    if len(books.doubts()) > most:
        yield f"{len(books.doubts())} doubts, and no more than {most} letters can have been on the wire"


def _faults_of_tables(database: Database) -> Iterator[str]:
    """The figures agree with the rows, and the file is whole."""
    with database.reading() as session:
        states, verdicts = journal.figures(session)
        if sum(states.values()) != sum(verdicts.values()):
            yield f"{states} do not balance {verdicts}"
        if database.dialect == "sqlite":
            whole = session.connection().execute(sa.text("PRAGMA integrity_check")).scalars().all()
            orphans = session.connection().execute(sa.text("PRAGMA foreign_key_check")).all()
            if list(whole) != ["ok"] or orphans:
                yield f"the file is damaged: {whole} {orphans}"


def _differences(what: str, found: Counter[object], wanted: Iterable[object]) -> Iterator[str]:
    wanted = Counter(wanted)
    for one, count in (found - wanted).items():
        yield f"{what} {one}: {count} too many"
    for one, count in (wanted - found).items():
        yield f"{what} {one}: {count} missing"


def _digest(parcel: Parcel) -> str:
    return hashlib.sha256(parcel.raw).hexdigest()
