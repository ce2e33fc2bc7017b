"""What was said about a request, entry by entry, with its files and the ids by which later mail finds it.

`Exchange` is each mail or note, `Attachment` each file that came with one, `ThreadId` every Message-ID the thread
has seen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, select

from mailhub import rows, storage
from mailhub.centre.people import identity
from mailhub.centre.requests.request import Request
from mailhub.database import words
from mailhub.mail.message import Part


class ExchangeKind(StrEnum):
    """What one entry of a thread is."""

    QUESTION = "question"  # the mail that opened it
    FOLLOW_UP = "follow_up"  # the asker again
    THANKS = "thanks"  # the asker, with nothing to answer
    ANSWER = "answer"  # what staff sent to the asker
    NOTE = "note"  # among staff; no outgoing builder ever reads these
    THIRD_PARTY = "third_party"  # somebody else wrote into the thread


BETWEEN_STAFF = frozenset({ExchangeKind.NOTE, ExchangeKind.THIRD_PARTY})  # what the asker never sees


class Exchange(SQLModel, table=True):
    """One entry of a thread."""

    id: int | None = Field(default=None, primary_key=True)
    request_id: int = Field(foreign_key="request.id", index=True)
    kind: ExchangeKind = Field(sa_column=Column(words(ExchangeKind), nullable=False))
    at: datetime
    person_id: int | None = Field(default=None, foreign_key="person.id")
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    inbound_id: int | None = Field(default=None, index=True)  # journal number of the mail it came in
    message_id: str | None = None
    subject: str | None = None
    text: str  # the words written by this person, without what they quoted
    files: int = 0  # how many attachments came with it
    outgoing_key: str | None = None  # the letter an answer left in
    thread_topic: str | None = None  # Outlook threads by these two; it is given its own back
    thread_index: str | None = None


class Door(SQLModel, table=True):
    """A further address of ours the same mail came to; one request, several doors (S17)."""

    __table_args__ = (UniqueConstraint("request_id", "service"),)
    id: int | None = Field(default=None, primary_key=True)
    request_id: int = Field(foreign_key="request.id", index=True)
    service: str
    at: datetime


class Attachment(SQLModel, table=True):
    """A file that came with a mail; its bytes are kept once, whoever sends them again."""

    id: int | None = Field(default=None, primary_key=True)
    exchange_id: int = Field(foreign_key="exchange.id", index=True)
    filename: str  # "" when its author gave it none
    content_type: str
    size: int  # octets
    digest: str = Field(foreign_key="blob.digest", index=True)
    inline: bool = False


class ThreadId(SQLModel, table=True):
    """A Message-ID seen in a thread, borne or only named: replies to mail we never saw still find home (P14)."""

    message_id: str = Field(primary_key=True)
    request_id: int = Field(foreign_key="request.id", primary_key=True)


@dataclass(frozen=True, slots=True)
class Written:
    """What one incoming mail brings to a thread."""

    text: str
    subject: str | None
    message_id: str | None
    ids: tuple[str, ...]  # every id it bears or names
    inbound_id: int | None
    at: datetime
    parts: tuple[Part, ...] = ()
    thread_topic: str | None = None
    thread_index: str | None = None
    untitled: str = ""  # what its request says before its first words, when it has no subject


def add(
    session: Session,
    request: Request,
    kind: ExchangeKind,
    written: Written,
    *,
    person_id: int | None = None,
    staff_id: int | None = None,
    outgoing_key: str | None = None,
) -> Exchange:
    """Put one more entry in a thread, its files kept once, its ids remembered."""
    exchange = rows.record(
        session,
        Exchange,
        request_id=identity(request),
        kind=kind,
        at=written.at,
        person_id=person_id,
        staff_id=staff_id,
        inbound_id=written.inbound_id,
        message_id=written.message_id,
        subject=written.subject,
        text=written.text,
        files=len(written.parts),
        outgoing_key=outgoing_key,
        thread_topic=written.thread_topic,
        thread_index=written.thread_index,
    )
    for part in written.parts:
        assert exchange.id is not None
        session.add(
            Attachment(
                exchange_id=exchange.id,
                filename=part.filename or "",
                content_type=part.content_type,
                size=part.size,
                digest=storage.keep(session, part.payload, written.at),
                inline=part.inline,
            )
        )
    remember_ids(session, request, written.ids)
    return exchange


def remember_ids(session: Session, request: Request, ids: Iterable[str]) -> None:
    """Let later mail that names one of these ids find this request."""
    key = identity(request)
    rows.insert_missing(
        session,
        ThreadId,
        [{"message_id": identifier, "request_id": key} for identifier in dict.fromkeys(ids)],
    )


def add_door(session: Session, request: Request, service: str, at: datetime) -> None:
    """Note that the same mail also came to another address of ours."""
    known = session.exec(select(Door).where(Door.request_id == request.id, Door.service == service)).first()
    if service != request.service and known is None:
        session.add(Door(request_id=identity(request), service=service, at=at))
