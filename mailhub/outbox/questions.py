"""What others ask about letters: by return path, by id, by kind; how many stand where, and since when."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func
from sqlmodel import Session, col, select

from mailhub import rows
from mailhub.outbox.letter import COUNTED, TO_ONE, UNSENT, Outgoing, OutgoingState


def returned(session: Session, number: int) -> Outgoing | None:
    """The letter whose return path bears this number."""
    return session.exec(select(Outgoing).where(Outgoing.return_id == number, TO_ONE)).first()


def with_message_id(session: Session, message_ids: Sequence[str]) -> Outgoing | None:
    """The letter of ours that bears one of these ids."""
    return session.exec(select(Outgoing).where(col(Outgoing.message_id).in_(list(message_ids)))).first()


def keyed(session: Session, key: str) -> Outgoing | None:
    """The letter that was caused under this key."""
    return session.exec(select(Outgoing).where(Outgoing.key == key)).first()


_WRITTEN = select(func.count()).where(
    col(Outgoing.kind) == bindparam("kind"), col(Outgoing.created_at) >= bindparam("since"), TO_ONE
)
_WRITTEN_TO = _WRITTEN.where(col(Outgoing.recipient) == bindparam("recipient")).add_columns(
    func.count().filter(col(Outgoing.created_at) >= bindparam("hour"))
)


def written(session: Session, kind: str, now: datetime) -> int:
    """How many letters of a kind were written within the last hour, to everybody.

    It is a long count, so a transaction counts once and adds what it wrote itself.
    """
    counted: dict[str, int] = session.info.setdefault(COUNTED, {})
    if kind not in counted:
        counted[kind] = rows.value(session, _WRITTEN, kind=kind, since=now - timedelta(hours=1))
    return counted[kind]


def written_to(session: Session, recipient: str, kind: str, now: datetime) -> tuple[int, int]:
    """How many letters of a kind were written to one address, within the last hour and within the last day."""
    hour, day = now - timedelta(hours=1), now - timedelta(days=1)
    ((within_the_day, within_the_hour),) = rows.ask(
        session, _WRITTEN_TO, recipient=recipient, kind=kind, hour=hour, since=day
    )
    return within_the_hour, within_the_day


def listed(
    session: Session,
    *,
    state: OutgoingState | None = None,
    about: str | None = None,
    request_id: int | None = None,
    kind: str | None = None,
    limit: int | None = 50,
) -> list[Outgoing]:
    """Letters for a list on a screen, latest first; `about` is an address or a Message-ID. No `limit`: all of them."""
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
    return session.exec(select(func.min(Outgoing.created_at)).where(col(Outgoing.state).in_(UNSENT))).one()


def unsettled(session: Session) -> list[Outgoing]:
    """Every letter whose end is not written: it waits, is deferred, or is on the wire."""
    ahead = col(Outgoing.state).in_([*UNSENT, OutgoingState.SENDING])
    return list(session.exec(select(Outgoing).where(ahead).order_by(col(Outgoing.id))).all())
