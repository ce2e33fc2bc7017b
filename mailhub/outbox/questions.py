"""What others ask about letters: by return path, by id, by kind; how many stand where, and since when."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func
from sqlmodel import Session, col, select

from mailhub.outbox.letter import TO_ONE, Outgoing, OutgoingState


def returned(session: Session, number: int) -> Outgoing | None:
    """The letter whose return path bears this number."""
    return session.exec(select(Outgoing).where(Outgoing.return_id == number, TO_ONE)).first()


def with_message_id(session: Session, message_ids: Sequence[str]) -> Outgoing | None:
    """The letter of ours that bears one of these ids."""
    return session.exec(select(Outgoing).where(col(Outgoing.message_id).in_(list(message_ids)))).first()


# Built once: building a question costs more than its answer, and this one is asked for every mail.
_WRITTEN = select(func.count().filter(col(Outgoing.created_at) >= bindparam("hour")), func.count()).where(
    col(Outgoing.kind) == bindparam("kind"), col(Outgoing.created_at) >= bindparam("day"), TO_ONE
)
_WRITTEN_TO = _WRITTEN.where(col(Outgoing.recipient) == bindparam("recipient"))


def written(session: Session, kind: str, now: datetime, recipient: str | None = None) -> tuple[int, int]:
    """How many letters of a kind were written within the last hour and the last day, to everybody or to one address."""
    span = {"kind": kind, "hour": now - timedelta(hours=1), "day": now - timedelta(days=1)}
    if recipient is None:
        within_the_hour, within_the_day = session.execute(_WRITTEN, span).one()
    else:
        within_the_hour, within_the_day = session.execute(_WRITTEN_TO, {**span, "recipient": recipient}).one()
    return within_the_hour, within_the_day


def listed(
    session: Session,
    *,
    state: OutgoingState | None = None,
    about: str | None = None,
    request_id: int | None = None,
    kind: str | None = None,
    limit: int = 50,
) -> list[Outgoing]:
    """Letters for a list on a screen, latest first; `about` is an address or a Message-ID."""
    query = select(Outgoing).order_by(col(Outgoing.id).desc()).limit(limit)
    if state is not None:
        query = query.where(Outgoing.state == state)
    if about is not None:
        query = query.where((Outgoing.recipient == about) | (Outgoing.message_id == about))
    if request_id is not None:
        query = query.where(Outgoing.request_id == request_id, TO_ONE)
    if kind is not None:
        query = query.where(Outgoing.kind == kind)
    return list(session.exec(query).all())


def figures(session: Session) -> dict[OutgoingState, int]:
    """How many letters stand where."""
    return dict(session.exec(select(col(Outgoing.state), func.count()).group_by(col(Outgoing.state))).all())


def oldest_due(session: Session) -> datetime | None:
    """Since when the letter that waits longest is owed."""
    unsent = col(Outgoing.state).in_([OutgoingState.WAITING, OutgoingState.DEFERRED])
    return session.exec(select(func.min(Outgoing.created_at)).where(unsent)).one()


def unsettled(session: Session) -> list[Outgoing]:
    """Every letter whose end is not written: it waits, is deferred, or is on the wire."""
    ahead = col(Outgoing.state).in_([OutgoingState.WAITING, OutgoingState.DEFERRED, OutgoingState.SENDING])
    return list(session.exec(select(Outgoing).where(ahead).order_by(col(Outgoing.id))).all())
