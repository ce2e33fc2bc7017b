"""Stage 6: every letter we owe, and how far it got. One row, one person, one unique key.

A letter enters in the transaction that causes it and leaves by `deliver`: claimed as *sending* (the intent is
written before the wire is touched), then *sent*, *deferred*, *failed* or *in doubt*. In doubt is the truth when a
connection died between the final dot and the reply: it is shown so, and never resent unless a human says so.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import BigInteger, Column, Index, bindparam, func
from sqlmodel import Field, Session, SQLModel, col, select

from mailhub import storage
from mailhub.database import insert_missing, words
from mailhub.errors import Refused, UnknownRow
from mailhub.mail import compose
from mailhub.mail.address import domain_of
from mailhub.mail.draft import Draft

LEASE = timedelta(minutes=15)  # longer than any one transaction on the wire may take


class OutgoingState(StrEnum):
    """Where a letter stands."""

    WAITING = "waiting"  # to be sent, or tried again, from `next_at` on
    SENDING = "sending"  # a courier holds it; the wire may have been touched
    SENT = "sent"  # the relay took it
    DEFERRED = "deferred"  # refused for now, tried again from `next_at` on
    FAILED = "failed"  # refused for good, or given up
    IN_DOUBT = "in_doubt"  # nobody knows whether the relay took it


class Outgoing(SQLModel, table=True):
    """One letter to one person."""

    __table_args__ = (
        Index("ix_outgoing_state_next_at", "state", "next_at"),
        Index("ix_outgoing_kind_recipient_created_at", "kind", "recipient", "created_at"),
        Index("ix_outgoing_kind_created_at", "kind", "created_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)  # "ack:Q-2026-0143": the same letter is never written twice
    return_id: int = Field(
        sa_column=Column(BigInteger, nullable=False, unique=True)
    )  # names it in its return path
    kind: str  # the template's name
    recipient: str  # RCPT TO
    destination: str  # its domain, for pacing
    envelope_from: str  # MAIL FROM
    message_id: str = Field(index=True)
    subject: str
    digest: str = Field(foreign_key="blob.digest")  # what leaves, before it is signed
    request_id: int | None = Field(default=None, index=True)
    staff_id: int | None = None  # the author, told when it cannot be delivered
    created_at: datetime
    state: OutgoingState = Field(sa_column=Column(words(OutgoingState), nullable=False))
    next_at: datetime  # not before
    attempts: int = 0
    lease_until: datetime | None = None  # while sending: after this the courier is taken for dead
    answer: str | None = None  # what the relay said last, one line
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Retries:
    """When a deferred letter is tried again (D38: half an hour apart in the first hour, then every two to three hours)."""

    minutes: tuple[int, ...] = (30, 30, 120, 180)  # the last one repeats
    give_up_after: timedelta = timedelta(days=4)

    def next_at(self, attempts: int, created_at: datetime, now: datetime) -> datetime | None:
        """The next try after that many; None: give up."""
        wait = self.minutes[min(max(attempts, 1), len(self.minutes)) - 1]
        again = now + timedelta(minutes=wait)
        return None if again - created_at > self.give_up_after else again


def return_id(key: str) -> int:
    """The number that stands for the letter of this key in its return path (VERP), the same every time."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) >> 1


def put(session: Session, drafts: Sequence[Draft], *, domain: str, now: datetime) -> int:
    """Owe letters; say how many are new. One whose key is already owed or sent is no error, and no second letter."""
    if not drafts:
        return 0
    return insert_missing(session, Outgoing, [_row(session, draft, domain, now) for draft in drafts])


def _row(session: Session, draft: Draft, domain: str, now: datetime) -> dict[str, object]:
    address = draft.recipient.address or ""
    return {
        "key": draft.key,
        "return_id": return_id(draft.key),
        "kind": draft.kind,
        "recipient": address,
        "destination": domain_of(address),
        "envelope_from": draft.envelope_from,
        "message_id": draft.message_id or compose.message_id(draft.key, domain),
        "subject": draft.subject,
        # Beside the row, not in it: the row is written again at every step, its bytes never are.
        "digest": storage.keep(session, compose.to_bytes(draft, date=now, domain=domain), now),
        "request_id": draft.request_id,
        "staff_id": draft.staff_id,
        "created_at": now,
        "state": OutgoingState.WAITING,
        "next_at": now,
        "attempts": 0,
    }


def is_due(session: Session, now: datetime) -> bool:
    """Say whether any letter could be claimed, without taking hold of it."""
    query = select(Outgoing.id).where(
        col(Outgoing.state).in_([OutgoingState.WAITING, OutgoingState.DEFERRED]), col(Outgoing.next_at) <= now
    )
    return session.exec(query.limit(1)).first() is not None


def claim(session: Session, now: datetime, limit: int, paused: Collection[str] = ()) -> list[Outgoing]:
    """Take hold of letters that are due, as *sending*; destinations in `paused` wait their turn."""
    query = (
        select(Outgoing)
        .where(
            col(Outgoing.state).in_([OutgoingState.WAITING, OutgoingState.DEFERRED]),
            col(Outgoing.next_at) <= now,
        )
        .order_by(col(Outgoing.next_at), col(Outgoing.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if paused:
        query = query.where(col(Outgoing.destination).not_in(list(paused)))
    rows = list(session.exec(query).all())
    for row in rows:
        row.state, row.lease_until = OutgoingState.SENDING, now + LEASE
    return rows


def sent(row: Outgoing, answer: str, now: datetime) -> None:
    """The relay took it."""
    _settle(row, OutgoingState.SENT, answer, now)


def failed(row: Outgoing, answer: str, now: datetime) -> None:
    """It will not be tried again (D39: a 5yz never is)."""
    _settle(row, OutgoingState.FAILED, answer, now)


def in_doubt(row: Outgoing, answer: str, now: datetime) -> None:
    """Nobody knows; a person or a later notification will settle it."""
    _settle(row, OutgoingState.IN_DOUBT, answer, now)


def deferred(row: Outgoing, answer: str, now: datetime, retries: Retries) -> None:
    """Refused for now: try again later, or fail when the time for that is over."""
    again = retries.next_at(row.attempts + 1, row.created_at, now)
    if again is None:
        failed(row, f"given up: {answer}", now)
        return
    _settle(row, OutgoingState.DEFERRED, answer, now)
    row.next_at = again


def put_back(row: Outgoing, answer: str, again_at: datetime) -> None:
    """The wire was never touched for this letter: it waits as if nothing had happened."""
    row.state, row.lease_until, row.answer, row.next_at = OutgoingState.WAITING, None, answer, again_at


def abandoned(session: Session, now: datetime, *, everything: bool = False) -> list[Outgoing]:
    """Letters a dead courier held; `everything` that is being sent, at the start of the only process of a home."""
    query = select(Outgoing).where(Outgoing.state == OutgoingState.SENDING).with_for_update(skip_locked=True)
    if not everything:
        query = query.where(col(Outgoing.lease_until) < now)
    return list(session.exec(query).all())


def retry(session: Session, outgoing_id: int, now: datetime) -> Outgoing:
    """Send a failed or deferred letter again now, because a human says so."""
    row = get(session, outgoing_id)
    if row.state not in {OutgoingState.FAILED, OutgoingState.DEFERRED}:
        raise Refused(
            f"letter {outgoing_id} is {row.state}; only a failed or deferred one can be retried"
            + ("; `mailhub outbox settle` decides a doubt" if row.state is OutgoingState.IN_DOUBT else "")
        )
    row.state, row.next_at, row.attempts, row.settled_at = OutgoingState.WAITING, now, 0, None
    return row


def settle_doubt(session: Session, outgoing_id: int, *, arrived: bool, now: datetime) -> Outgoing:
    """End a doubt: it arrived, or it did not and leaves once more with the same Message-ID."""
    row = get(session, outgoing_id)
    if row.state is not OutgoingState.IN_DOUBT:
        raise Refused(f"letter {outgoing_id} is {row.state}, there is no doubt to settle")
    if arrived:
        _settle(row, OutgoingState.SENT, "settled by a person: it arrived", now)
    else:
        row.state, row.next_at, row.settled_at = OutgoingState.WAITING, now, None
        row.answer = "settled by a person: send it again"
    return row


def get(session: Session, outgoing_id: int) -> Outgoing:
    """The letter of this row."""
    row = session.get(Outgoing, outgoing_id)
    if row is None:
        raise UnknownRow(f"there is no letter {outgoing_id} in the outbox; `mailhub outbox ls` lists them")
    return row


def raw(session: Session, row: Outgoing) -> bytes:
    """Exactly what leaves, before it is signed."""
    return storage.fetch(session, row.digest)


def returned(session: Session, number: int) -> Outgoing | None:
    """The letter whose return path bears this number."""
    return session.exec(select(Outgoing).where(Outgoing.return_id == number)).first()


def with_message_id(session: Session, message_ids: Sequence[str]) -> Outgoing | None:
    """The letter of ours that bears one of these ids."""
    return session.exec(select(Outgoing).where(col(Outgoing.message_id).in_(list(message_ids)))).first()


# Built once: building a question costs more than its answer, and this one is asked for every mail.
_WRITTEN = select(func.count().filter(col(Outgoing.created_at) >= bindparam("hour")), func.count()).where(
    col(Outgoing.kind) == bindparam("kind"), col(Outgoing.created_at) >= bindparam("day")
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
        query = query.where(Outgoing.request_id == request_id)
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


def _settle(row: Outgoing, state: OutgoingState, answer: str, now: datetime) -> None:
    row.state, row.answer, row.settled_at, row.lease_until = state, answer, now, None
    row.attempts += 1


def unsettled(session: Session) -> list[Outgoing]:
    """Every letter whose end is not written: it waits, is deferred, or is on the wire."""
    ahead = col(Outgoing.state).in_([OutgoingState.WAITING, OutgoingState.DEFERRED, OutgoingState.SENDING])
    return list(session.exec(select(Outgoing).where(ahead).order_by(col(Outgoing.id))).all())
