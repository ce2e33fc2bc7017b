"""What others ask of the journal: one mail, a list of them, how many stand where, what concerns somebody."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from mailhub import storage
from mailhub.errors import Refused, UnknownRow
from mailhub.journal.inbound import Inbound, InboundState, Verdict


def get(session: Session, inbound_id: int, *, claim: bool = False) -> Inbound:
    """The mail with this journal number; with `claim` nobody else changes it until the transaction ends."""
    row = session.get(Inbound, inbound_id, with_for_update=claim or None, populate_existing=claim)
    if row is None:
        raise UnknownRow(f"there is no mail {inbound_id} in the journal; `mailhub journal ls` lists them")
    return row


def raw(session: Session, row: Inbound) -> bytes:
    """The bytes as they came; refused once retention has taken them."""
    if not row.raw_kept:
        raise Refused(f"the bytes of mail {row.id} were removed by the retention clock")
    return storage.fetch(session, row.digest)


def listed(
    session: Session,
    *,
    state: InboundState | None = None,
    verdict: Verdict | None = None,
    about: str | None = None,
    limit: int = 50,
) -> list[Inbound]:
    """Mails for a list on a screen, latest first; `about` is an address or a Message-ID."""
    query = select(Inbound).order_by(col(Inbound.id).desc()).limit(limit)
    if state is not None:
        query = query.where(Inbound.state == state)
    if verdict is not None:
        query = query.where(Inbound.verdict == verdict)
    if about is not None:
        query = query.where(
            (Inbound.sender == about)
            | (Inbound.author == about)
            | (Inbound.recipient == about)
            | (Inbound.message_id == about)
        )
    return list(session.exec(query).all())


def figures(session: Session) -> tuple[dict[InboundState, int], dict[Verdict, int]]:
    """How many mails stand where, and how many ended how; their sum is all we ever accepted."""
    states = session.exec(select(col(Inbound.state), func.count()).group_by(col(Inbound.state))).all()
    ends = session.exec(
        select(col(Inbound.verdict), func.count())
        .where(col(Inbound.verdict).is_not(None))
        .group_by(col(Inbound.verdict))
    ).all()
    return dict(states), {verdict: count for verdict, count in ends if verdict is not None}


def oldest_waiting(session: Session) -> datetime | None:
    """When the mail that waits longest came."""
    return session.exec(
        select(func.min(Inbound.received_at)).where(Inbound.state == InboundState.WAITING)
    ).one()


def bearing(session: Session, digest: str) -> list[Inbound]:
    """Every line about these very bytes, one per recipient and door."""
    return list(session.exec(select(Inbound).where(Inbound.digest == digest).order_by(col(Inbound.id))).all())


def concerning(
    session: Session,
    *,
    numbers: Iterable[int] = (),
    recipients: Iterable[str] = (),
    message_ids: Iterable[str] = (),
    named: str | None = None,
) -> list[Inbound]:
    """Mails by number, by the machine address they came to, by Message-ID, or whose note names a reference."""
    query = select(Inbound).where(
        or_(
            col(Inbound.id).in_(list(numbers)),
            col(Inbound.recipient).in_(list(recipients)),
            col(Inbound.message_id).in_(list(message_ids)),
            *((col(Inbound.note).contains(named, autoescape=True),) if named else ()),
        )
    )
    return list(session.exec(query.order_by(col(Inbound.id))).all())
