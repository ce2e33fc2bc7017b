"""Opening a request: its number for ever, its promise, its first entry."""

from dataclasses import dataclass

from sqlalchemy import bindparam, update
from sqlmodel import Field, Session, SQLModel, col

from mailhub import rows
from mailhub.centre.calendar import Calendar
from mailhub.centre.requests.request import Request, RequestKind, RequestState
from mailhub.centre.requests.thread import Exchange, ExchangeKind, Written, add


class Counter(SQLModel, table=True):
    """Numbers given out one by one, per name: `Q-2026` stands at 143."""

    name: str = Field(primary_key=True)
    last: int


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
    """Open a request with its reference and its promise; its first exchange is the mail that opened it.

    Both are handed back as they were written; whoever is to change the request gets it.
    """
    request = rows.record(
        session,
        Request,
        reference=_next_reference(session, calendar.local(written.at).year),
        subject=written.subject or f"{written.untitled} {subject_from(written.text)}".strip(),
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


def subject_from(text: str) -> str:
    """A subject for a mail that has none: its first twelve useful words, the greeting left out (S06)."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    body = " ".join(lines)
    for greeting in ("bonjour", "bonsoir", "madame", "monsieur", "bjr", "hello"):
        if body.casefold().startswith(greeting):
            body = body[len(greeting) :].lstrip(" ,.!;:-")
            break
    first = " ".join(body.split()[:12])
    return f"{first[:1].upper()}{first[1:]}"


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
        rows.record(session, Counter, name=name, last=number)
    return f"{name}-{number:04d}"
