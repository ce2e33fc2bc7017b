"""One letter to one person: its row, the bytes it stands for, and what a person may decide about it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import BigInteger, Column, Index, UniqueConstraint, text
from sqlmodel import Field, Session, SQLModel, col, select

from mailhub import storage
from mailhub.centre import returns
from mailhub.database import words
from mailhub.errors import Refused, UnknownRow
from mailhub.mail import compose, message
from mailhub.mail.address import domain_of
from mailhub.mail.draft import Draft
from mailhub.outbox.endings import Ending
from mailhub.outbox.personal import copy
from mailhub.rows import insert_missing

COUNTED = "letters written"  # what a session has counted of each kind, and wrote since
_OPENING_OCTETS = 64 * 1024  # of a letter: its words are nearly always among them
LEASE = timedelta(minutes=15)  # longer than any one transaction on the wire may take


class OutgoingState(StrEnum):
    """Where a letter stands."""

    WAITING = "waiting"  # to be sent, or tried again, from `next_at` on
    SENDING = "sending"  # a courier holds it; the wire may have been touched
    SENT = "sent"  # the relay took it
    DEFERRED = "deferred"  # refused for now, tried again from `next_at` on
    FAILED = "failed"  # refused for good, or given up
    IN_DOUBT = "in_doubt"  # nobody knows whether the relay took it
    WITHDRAWN = "withdrawn"  # taken back before it left: the reader did, or the issue was stopped


UNSENT = (OutgoingState.WAITING, OutgoingState.DEFERRED)  # no courier holds them

# Word for word as in the questions that are to use these indexes.
TO_ONE = text("NOT bulk")


def _of_letters_to_one(*columns: str, unique: bool = False) -> Index:
    name = "_".join(("uq" if unique else "ix", "outgoing", *columns))
    return Index(name, *columns, unique=unique, sqlite_where=TO_ONE, postgresql_where=TO_ONE)


class Outgoing(SQLModel, table=True):
    """One letter to one person."""

    __table_args__ = (
        Index("ix_outgoing_state_bulk_next_at_id", "state", "bulk", "next_at", "id"),
        # Nobody asks for copies of issues in these ways, and every index is written at each step of each copy.
        _of_letters_to_one("kind", "recipient", "created_at"),
        _of_letters_to_one("kind", "created_at"),
        _of_letters_to_one("request_id"),
        _of_letters_to_one("return_id", unique=True),
        UniqueConstraint("issue_id", "subscription_id"),  # whatever happens, one copy for each reader (T3)
    )
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)  # "ack:Q-2026-0143": the same letter is never written twice
    return_id: int = Field(sa_column=Column(BigInteger, nullable=False))  # names it in its return path
    kind: str  # the template's name
    recipient: str  # RCPT TO
    destination: str  # its domain, for pacing
    envelope_from: str  # MAIL FROM
    message_id: str = Field(index=True)
    subject: str
    digest: str = Field(foreign_key="blob.digest")  # what leaves, before it is signed; of an issue, its form
    personal: str | None = None  # what fills the blanks of that form
    bulk: bool = False  # a letter to many: letters to one go first
    issue_id: int | None = Field(default=None, foreign_key="issue.id")
    subscription_id: int | None = None  # whose copy it is
    request_id: int | None = None
    staff_id: int | None = None  # the author, told when it cannot be delivered
    created_at: datetime  # of a copy: the instant of release, which is its Date
    expires_at: datetime | None = None  # not after (D43)
    state: OutgoingState = Field(sa_column=Column(words(OutgoingState), nullable=False))
    next_at: datetime  # not before
    attempts: int = 0
    tried_since: datetime | None = (
        None  # the first of the tries that are given up together; a person begins them anew
    )
    lease_until: datetime | None = None  # while sending: after this the courier is taken for dead
    answer: str | None = None  # what the relay said last, one line; `endings` reads it
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Retries:
    """When a deferred letter is tried again (D38: half an hour apart in the first hour, then every two to three hours)."""

    minutes: tuple[int, ...] = (30, 30, 120, 180)  # the last one repeats
    give_up_after: timedelta = timedelta(days=4)

    def next_at(self, attempts: int, tried_since: datetime, now: datetime) -> datetime | None:
        """The next try after that many; None: give up."""
        wait = self.minutes[min(max(attempts, 1), len(self.minutes)) - 1]
        again = now + timedelta(minutes=wait)
        return None if again - tried_since > self.give_up_after else again


def return_id(key: str) -> int:
    """The number that stands for the letter of this key in its return path (VERP), the same every time."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) >> 1


def put(session: Session, drafts: Sequence[Draft], *, domain: str, now: datetime) -> int:
    """Owe letters; say how many are new. One whose key is already owed or sent is no error, and no second letter."""
    if not drafts:
        return 0
    written = [compose.to_bytes(draft, date=now, domain=domain) for draft in drafts]
    digests = storage.keep_all(session, written, now)
    rows = [_row(draft, digest, domain, now) for draft, digest in zip(drafts, digests, strict=True)]
    new = insert_missing(session, Outgoing, rows)
    counted = session.info.get(COUNTED, {})
    for draft in drafts:
        if draft.kind in counted:
            counted[draft.kind] += 1
    return new


def _row(draft: Draft, digest: str, domain: str, now: datetime) -> dict[str, object]:
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
        "digest": digest,  # the row is written again at every step, its bytes beside it never are
        "bulk": False,
        "request_id": draft.request_id,
        "staff_id": draft.staff_id,
        "created_at": now,
        "state": OutgoingState.WAITING,
        "next_at": now,
        "attempts": 0,
    }


def get(session: Session, outgoing_id: int, *, claim: bool = False) -> Outgoing:
    """The letter of this row; with `claim` nobody else changes it until the transaction ends."""
    row = session.get(Outgoing, outgoing_id, with_for_update=claim or None, populate_existing=claim)
    if row is None:
        raise UnknownRow(f"there is no letter {outgoing_id} in the outbox; `mailhub outbox ls` lists them")
    return row


def raw(session: Session, row: Outgoing) -> bytes:
    """Exactly what leaves, before it is signed."""
    octets = storage.fetch(session, row.digest)
    if row.personal is None:
        return octets
    return copy(octets, row.personal, row.message_id, row.created_at).raw


def said(session: Session, letters: Sequence[Outgoing]) -> list[str]:
    """What each of these letters to one says: as `message.read` has it, at the cost of the words, not of the files."""
    digests = {letter.digest for letter in letters}
    begun = storage.beginnings(session, sorted(digests), _OPENING_OCTETS)
    words = {digest: _words(session, digest, begun.get(digest)) for digest in digests}
    return [words[letter.digest] for letter in letters]


def _words(session: Session, digest: str, beginning: bytes | None) -> str:
    if beginning is not None and len(beginning) < _OPENING_OCTETS:
        return message.read(beginning).text  # all of it
    opening = None if beginning is None else message.opening(beginning)
    return message.read(storage.fetch(session, digest)).text if opening is None else opening


def forget(session: Session, keys: Sequence[str], now: datetime) -> None:
    """Keep of these letters only that they were written, not to whom nor what; one that has not left does not.

    One that is on the wire is left alone: whoever has it in hand settles it.
    """
    found = session.exec(select(Outgoing).where(col(Outgoing.key).in_(keys)).with_for_update()).all()
    for row in found:
        if row.state is OutgoingState.SENDING:
            continue
        if row.state in UNSENT:
            _settle(row, OutgoingState.WITHDRAWN, "nobody is to be asked any more", now)
        said, row.digest = row.digest, storage.keep(session, b"", now)
        row.recipient = row.destination = ""
        session.flush()
        storage.forget(session, said)


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
    row.tried_since = row.tried_since or now
    again = retries.next_at(row.attempts + 1, row.tried_since, now)
    if again is None:
        failed(row, f"{Ending.GIVEN_UP}: {answer}", now)
        return
    _settle(row, OutgoingState.DEFERRED, answer, now)
    row.next_at = again


def put_back(row: Outgoing, answer: str, again_at: datetime) -> None:
    """The wire was never touched for this letter: it waits as if nothing had happened."""
    row.state = OutgoingState.DEFERRED if row.attempts else OutgoingState.WAITING
    row.lease_until, row.answer, row.next_at = None, answer, again_at


def retry(session: Session, outgoing_id: int, now: datetime) -> Outgoing:
    """Send a failed or deferred letter again now, because a human says so."""
    row = get(session, outgoing_id, claim=True)
    if row.state not in {OutgoingState.FAILED, OutgoingState.DEFERRED}:
        raise Refused(
            f"letter {outgoing_id} is {row.state}; only a failed or deferred one can be retried"
            + ("; `mailhub outbox settle` decides a doubt" if row.state is OutgoingState.IN_DOUBT else "")
        )
    _send_again(session, row, now)
    return row


def settle_doubt(session: Session, outgoing_id: int, *, arrived: bool, now: datetime) -> Outgoing:
    """End a doubt: it arrived, or it did not and leaves once more with the same Message-ID."""
    row = get(session, outgoing_id, claim=True)
    if row.state is not OutgoingState.IN_DOUBT:
        raise Refused(f"letter {outgoing_id} is {row.state}, there is no doubt to settle")
    if arrived:
        _settle(row, OutgoingState.SENT, "settled by a person: it arrived", now)
    else:
        _send_again(session, row, now)
        row.answer = "settled by a person: send it again"
    return row


def _send_again(session: Session, row: Outgoing, now: datetime) -> None:
    """Let it leave once more; what was told of a copy before then no longer counts."""
    if not row.recipient:
        raise Refused(f"letter {row.id} was forgotten with the address it went to")
    if row.expires_at is not None and row.expires_at <= now:
        raise Refused(f"letter {row.id} is a copy of an issue that was stopped, or whose deadline has passed")
    row.state, row.next_at, row.tried_since, row.settled_at = OutgoingState.WAITING, now, None, None
    if row.issue_id is not None:
        returns.forget(session, row.subscription_id or 0, row.issue_id)


def _settle(row: Outgoing, state: OutgoingState, answer: str, now: datetime) -> None:
    row.state, row.answer, row.settled_at, row.lease_until = state, answer, now, None
    row.attempts += 1
