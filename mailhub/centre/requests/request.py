"""The need of one person: what kind it is, where it stands, whose it is, and what was promised."""

from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Column
from sqlmodel import Field, Session, SQLModel

from mailhub.database import words
from mailhub.errors import Refused

REOPENS_FOR = timedelta(days=30)  # after that a reply opens a new request, linked to the old one (product.md)


class RequestKind(StrEnum):
    """The three promises of the centre (R12-R14)."""

    QUICK_FACT = "quick_fact"
    DOCUMENT_SEARCH = "document_search"
    TOPIC_DOSSIER = "topic_dossier"


class RequestState(StrEnum):
    """Where a request stands."""

    OPEN = "open"  # waiting for us
    ANSWERED = "answered"
    CLOSED = "closed"


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


def answer(session: Session, request: Request, staff_id: int, at: datetime) -> None:
    """Note that staff answered; the first answer assigns, and one to a closed request opens it again."""
    request.state, request.closed_at = RequestState.ANSWERED, None
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


def require_open(request: Request) -> None:
    """Refuse a verb that makes no sense on a closed request."""
    if request.state is RequestState.CLOSED:
        raise Refused(f"{request.reference} is closed")
