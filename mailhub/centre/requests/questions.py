"""What others ask about requests: by reference, by the ids of their thread, by person; who takes part, what is due."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, or_
from sqlmodel import Session, col, select

from mailhub import rows
from mailhub.centre.requests.request import Request, RequestState
from mailhub.centre.requests.thread import Attachment, Door, Exchange, ExchangeKind, ThreadId
from mailhub.errors import UnknownRow


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is told of an earlier request of the same person."""

    reference: str
    received_at: datetime
    subject: str


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


def written_since(session: Session, request: Request, kind: ExchangeKind, since: datetime) -> int:
    """How many entries of a kind a thread was given since then."""
    query = select(func.count()).where(
        Exchange.request_id == request.id, Exchange.kind == kind, col(Exchange.at) >= since
    )
    return session.exec(query).one()


def doors(session: Session, request: Request) -> list[str]:
    """The further addresses of ours this request also came to."""
    return list(
        session.exec(select(Door.service).where(Door.request_id == request.id).order_by(Door.service)).all()
    )


def attachments(session: Session, exchange_id: int) -> list[Attachment]:
    """The files that came with one entry."""
    query = select(Attachment).where(Attachment.exchange_id == exchange_id).order_by(col(Attachment.id))
    return list(session.exec(query).all())


def in_whose_thread(session: Session, inbound_ids: Iterable[int]) -> Request | None:
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
