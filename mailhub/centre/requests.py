"""A question and its life: opened with a promise, answered, assigned, closed, reopened.

`Request` is the need of one person, `Exchange` each mail or note in its thread, `Attachment` each file that came
with one, `ThreadId` every Message-ID the thread has seen. Verbs take the session first and never commit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Column, UniqueConstraint, bindparam, func, or_, update
from sqlmodel import Field, Session, SQLModel, col, select

from mailhub import rows, storage
from mailhub.centre.calendar import Calendar
from mailhub.database import words
from mailhub.errors import Refused, UnknownRow
from mailhub.mail.message import Part

REOPENS_FOR = timedelta(days=30)  # after that a reply opens a new request, linked to the old one (product.md)


class RequestKind(StrEnum):
    """The three promises of the centre (R12-R14)."""

    QUICK_FACT = "quick_fact"
    DOCUMENT_SEARCH = "document_search"
    TOPIC_DOSSIER = "topic_dossier"


class RequestState(StrEnum):
    """Where a request stands."""

    OPEN = "open"  # waiting for us
    WAITING_REQUESTER = "waiting_requester"  # the clock is paused
    ANSWERED = "answered"
    CLOSED = "closed"


class ExchangeKind(StrEnum):
    """What one entry of a thread is."""

    QUESTION = "question"  # the mail that opened it
    FOLLOW_UP = "follow_up"  # the asker again
    THANKS = "thanks"  # the asker, with nothing to answer
    ANSWER = "answer"  # what staff sent to the asker
    NOTE = "note"  # among staff; no outgoing builder ever reads these
    THIRD_PARTY = "third_party"  # somebody else wrote into the thread


class Counter(SQLModel, table=True):
    """Numbers given out one by one, per name: `Q-2026` stands at 143."""

    name: str = Field(primary_key=True)
    last: int


class Request(SQLModel, table=True):
    """One need of one person."""

    id: int | None = Field(default=None, primary_key=True)
    reference: str = Field(unique=True)  # "Q-2026-0143", for ever
    subject: str  # what the asker wrote, or made from the first words
    requester_id: int = Field(foreign_key="person.id", index=True)
    service: str  # the address it came to: "question"
    suggested_kind: RequestKind | None = Field(default=None, sa_column=Column(words(RequestKind)))
    kind: RequestKind | None = Field(default=None, sa_column=Column(words(RequestKind)))  # confirmed by staff
    state: RequestState = Field(sa_column=Column(words(RequestState), nullable=False, index=True))
    owner_id: int | None = Field(default=None, foreign_key="staff.id", index=True)
    received_at: datetime
    first_contact_on: date  # what the acknowledgement promised
    due_on: date = Field(index=True)  # the answer, by its kind
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    follow_up_of_id: int | None = Field(default=None, foreign_key="request.id")


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
    filename: str
    content_type: str
    size: int  # octets
    digest: str = Field(foreign_key="blob.digest", index=True)
    inline: bool = False


class ThreadId(SQLModel, table=True):
    """A Message-ID seen in a thread, borne or only named: replies to mail we never saw still find home (P14)."""

    message_id: str = Field(primary_key=True)
    request_id: int = Field(foreign_key="request.id", primary_key=True)


@dataclass(frozen=True, slots=True)
class Promise:
    """How many working days each kind of request is given."""

    first_contact: int = 2
    quick_fact: int = 2
    document_search: int = 5
    topic_dossier: int = 15

    def days(self, kind: RequestKind | None) -> int:
        """Working days until the answer; what is not classified is due as a search."""
        return {
            RequestKind.QUICK_FACT: self.quick_fact,
            RequestKind.DOCUMENT_SEARCH: self.document_search,
            RequestKind.TOPIC_DOSSIER: self.topic_dossier,
            None: self.document_search,
        }[kind]


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


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is told of an earlier request of the same person."""

    reference: str
    received_at: datetime
    subject: str


def identity(request: Request) -> int:
    """The key of a request that has been flushed."""
    assert request.id is not None
    return request.id


def open_(
    session: Session,
    *,
    requester_id: int,
    service: str,
    suggested: RequestKind | None,
    written: Written,
    calendar: Calendar,
    promise: Promise,
    follow_up_of: Request | None = None,
) -> tuple[Request, Exchange]:
    """Open a request with its reference and its promise; its first exchange is the mail that opened it."""
    request = rows.insert(
        session,
        Request,
        reference=_next_reference(session, calendar.local(written.at).year),
        subject=written.subject or subject_from(written.text),
        requester_id=requester_id,
        service=service,
        suggested_kind=suggested,
        state=RequestState.OPEN,
        owner_id=follow_up_of.owner_id if follow_up_of else None,
        received_at=written.at,
        first_contact_on=calendar.due_on(written.at, promise.first_contact),
        due_on=calendar.due_on(written.at, promise.days(suggested)),
        follow_up_of_id=follow_up_of.id if follow_up_of else None,
    )
    return request, add(session, request, ExchangeKind.QUESTION, written, person_id=requester_id)


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
    exchange = rows.insert(
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
                filename=part.filename or "sans-nom",
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


def answer(session: Session, request: Request, staff_id: int, at: datetime) -> None:
    """Note that staff answered; the first answer assigns."""
    request.state = RequestState.ANSWERED
    request.answered_at = request.answered_at or at
    assign_if_free(session, request, staff_id)


def assign_if_free(session: Session, request: Request, staff_id: int) -> None:
    """Give a request to whoever acted first."""
    if request.owner_id is None:
        assign(session, request, staff_id)


def assign(session: Session, request: Request, staff_id: int) -> None:
    """Give a request to a member of staff."""
    request.owner_id = staff_id
    session.add(request)


def close(session: Session, request: Request, at: datetime) -> None:
    """Close a request; closing twice changes nothing."""
    if request.state is not RequestState.CLOSED:
        request.state, request.closed_at = RequestState.CLOSED, at
        session.add(request)


def await_us(session: Session, request: Request) -> None:
    """The request waits for us once more: the asker wrote again, or our answer did not arrive."""
    request.state, request.closed_at = RequestState.OPEN, None
    session.add(request)


def is_past_reopening(request: Request, at: datetime) -> bool:
    """Say whether a reply now is a new request rather than the same one (S16)."""
    return request.closed_at is not None and at - request.closed_at > REOPENS_FOR


def subject_from(text: str) -> str:
    """A subject for a mail that has none: its first twelve useful words, the greeting left out (S06)."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    body = " ".join(lines)
    for greeting in ("bonjour", "bonsoir", "madame", "monsieur", "bjr", "hello"):
        if body.casefold().startswith(greeting):
            body = body[len(greeting) :].lstrip(" ,.!;:-")
            break
    first = " ".join(body.split()[:12])
    return f"(sans objet) {first[:1].upper()}{first[1:]}".rstrip() if first else "(sans objet)"


# -- questions --------------------------------------------------------------------------------------------------


def get(session: Session, request_id: int) -> Request | None:
    """The request of this row, or None."""
    return session.get(Request, request_id)


def called(session: Session, reference: str) -> Request:
    """The request with this reference, as a person types it."""
    wanted = reference.strip().upper()
    request = session.exec(select(Request).where(Request.reference == wanted)).first()
    if request is None:
        raise UnknownRow(f"there is no request {wanted}; `mailhub requests ls` lists them")
    return request


def sharing_an_id(session: Session, ids: Sequence[str]) -> list[Request]:
    """Requests whose thread has seen one of these ids, latest first."""
    if not ids:
        return []
    query = (
        select(Request)
        .join(ThreadId)
        .where(col(ThreadId.message_id).in_(list(ids)[:100]))
        .order_by(col(Request.id).desc())
    )
    return list(session.exec(query).unique().all())


def participants(session: Session, request: Request) -> set[int]:
    """People (not staff) who wrote in this thread as themselves, the requester first of all."""
    wrote = select(Exchange.person_id).where(
        Exchange.request_id == request.id,
        col(Exchange.kind).in_([ExchangeKind.QUESTION, ExchangeKind.FOLLOW_UP, ExchangeKind.THANKS]),
    )
    return {request.requester_id, *(person for person in session.exec(wrote).all() if person is not None)}


def exchanges(session: Session, request: Request) -> list[Exchange]:
    """The thread, oldest first."""
    return list(
        session.exec(
            select(Exchange).where(Exchange.request_id == request.id).order_by(col(Exchange.id))
        ).all()
    )


def doors(session: Session, request: Request) -> list[str]:
    """The further addresses of ours this request also came to."""
    return list(
        session.exec(select(Door.service).where(Door.request_id == request.id).order_by(Door.service)).all()
    )


def attachments(session: Session, exchange_id: int) -> list[Attachment]:
    """The files that came with one entry."""
    query = select(Attachment).where(Attachment.exchange_id == exchange_id).order_by(col(Attachment.id))
    return list(session.exec(query).all())


def opened_by_inbound(session: Session, inbound_ids: Iterable[int]) -> Request | None:
    """The request in whose thread one of these mails stands."""
    query = select(Request).join(Exchange).where(col(Exchange.inbound_id).in_(list(inbound_ids)))
    return session.exec(query).first()


_HISTORY = (
    select(Request.reference, Request.received_at, Request.subject)
    .where(col(Request.requester_id) == bindparam("requester_id"), col(Request.id) < bindparam("before"))
    .order_by(col(Request.id).desc())
    .limit(5)
)


def history(session: Session, before: Request) -> list[Earlier]:
    """The latest earlier requests of the same person, latest first."""
    found = rows.ask(session, _HISTORY, requester_id=before.requester_id, before=before.id)
    return [Earlier(*row) for row in found]


def listed(
    session: Session,
    *,
    state: RequestState | None = None,
    owner_id: int | None = None,
    limit: int = 50,
) -> list[Request]:
    """Requests for a list on a screen: what is due first comes first."""
    query = select(Request).order_by(col(Request.due_on), col(Request.id)).limit(limit)
    if state is not None:
        query = query.where(Request.state == state)
    if owner_id is not None:
        query = query.where(Request.owner_id == owner_id)
    return list(session.exec(query).all())


def of_person(session: Session, person_id: int) -> list[Request]:
    """Every request this person made or wrote in."""
    wrote = select(Exchange.request_id).where(Exchange.person_id == person_id)
    query = (
        select(Request)
        .where(or_(col(Request.requester_id) == person_id, col(Request.id).in_(wrote)))
        .order_by(col(Request.id))
    )
    return list(session.exec(query).all())


def count_by_state(session: Session) -> dict[RequestState, int]:
    """How many requests stand where."""
    return dict(session.exec(select(col(Request.state), func.count()).group_by(col(Request.state))).all())


_STEP = (
    update(Counter)
    .where(col(Counter.name) == bindparam("counter"))
    .values(last=Counter.last + 1)
    .returning(col(Counter.last))
)


def _next_reference(session: Session, year: int) -> str:
    name = f"Q-{year}"
    number = rows.value(session, _STEP, counter=name)
    if number is None:
        number = 1
        rows.insert(session, Counter, name=name, last=number)
    return f"{name}-{number:04d}"


def require_open(request: Request) -> None:
    """Refuse a verb that makes no sense on a closed request."""
    if request.state is RequestState.CLOSED:
        raise Refused(f"{request.reference} is closed")
