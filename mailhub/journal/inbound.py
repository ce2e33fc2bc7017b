"""The mails themselves: kept before anyone thinks about them, forgotten when their clock has run out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Column, Index, UniqueConstraint, func, text
from sqlmodel import Field, Session, SQLModel, col, select

from mailhub import rows, storage
from mailhub.database import words
from mailhub.mail.envelope import Envelope


class InboundState(StrEnum):
    """Where a mail stands."""

    WAITING = "waiting"  # accepted, not yet handled
    HELD = "held"  # asked somebody; released or dropped by their answer
    DONE = "done"  # exactly one verdict
    PARKED = "parked"  # failed three times; `mailhub journal replay`


class Verdict(StrEnum):
    """What became of a mail: every accepted one ends in exactly one of these (O1)."""

    REQUEST_OPENED = "request opened"
    MESSAGE_ADDED = "message added"
    COMMAND_DONE = "command done"
    ORDER_TAKEN = "order taken"
    RSVP = "rsvp"
    BOUNCE = "bounce"
    AUTOMATIC = "automatic"
    DUPLICATE = "duplicate"
    QUARANTINE = "quarantine"
    TRIAGE = "triage"


def _of_those_with(*columns: str) -> Index:
    known = text(f"{columns[0]} IS NOT NULL")
    return Index("_".join(("ix", "inbound", *columns)), *columns, sqlite_where=known, postgresql_where=known)


class Inbound(SQLModel, table=True):
    """One mail for one envelope recipient."""

    __table_args__ = (
        UniqueConstraint("digest", "recipient", "source"),
        Index("ix_inbound_state_id", "state", "id"),
        # Read at handling: until then there is nothing to look up, and a door has less to write.
        _of_those_with("author", "received_at"),
        _of_those_with("gist", "received_at"),
        _of_those_with("message_id"),
        _of_those_with("verdict"),
    )
    id: int | None = Field(default=None, primary_key=True)  # the journal number, named in every log line
    digest: str  # SHA-256 of the raw bytes; the bytes themselves are a Blob until retention takes them
    recipient: str  # RCPT TO
    sender: str  # MAIL FROM, "" for the null sender
    source: str  # the door
    received_at: datetime
    client_ip: str = ""
    helo: str = ""
    state: InboundState = Field(sa_column=Column(words(InboundState), nullable=False))
    verdict: Verdict | None = Field(default=None, sa_column=Column(words(Verdict)))
    rule: str | None = None  # the line of the route table that fired
    note: str | None = None  # why, in words; never the text of the mail
    attempts: int = 0
    handled_at: datetime | None = None
    message_id: str | None = None  # read at handling
    author: str | None = None  # the From address as read
    gist: str | None = None  # digest of the words, to know the same text again
    vouched_by: int | None = None  # the member of staff who said yes to it while it was held
    let_in: bool = (
        False  # an operator said it is a person's mail: no machine or hostile verdict applies any more
    )
    raw_kept: bool = True  # False once retention has taken the bytes


def accept(session: Session, mails: Iterable[tuple[bytes, Sequence[Envelope]]], now: datetime) -> int:
    """Keep mails before anyone thinks about them, each with its envelopes; say how many rows are new.

    They are asked for one by one, and large ones written while the next is waited for. The same bytes for the same
    recipient by the same door are kept once: a sender who lost our `250` tries again.
    """
    addressed: list[Sequence[Envelope]] = []

    def contents() -> Iterator[bytes]:
        for octets, envelopes in mails:
            addressed.append(envelopes)
            yield octets

    digests = storage.keep_all(session, contents(), now)
    new = [
        {
            "digest": digest,
            "recipient": envelope.recipient,
            "sender": envelope.sender,
            "source": envelope.source,
            "received_at": envelope.received_at or now,
            "client_ip": envelope.client_ip,
            "helo": envelope.helo,
            "state": InboundState.WAITING,
            "attempts": 0,
            "let_in": False,
            "raw_kept": True,
        }
        for digest, envelopes in zip(digests, addressed, strict=True)
        for envelope in envelopes
    ]
    count = rows.insert_missing(session, Inbound, new)
    if count < len(new):  # what came again may have been forgotten long ago
        _let_go(session, set(digests))
    return count


def expired(session: Session, now: datetime, days: Mapping[Verdict, int]) -> list[int]:
    """The mails whose retention clock has run out and whose bytes are still there."""
    return [
        number
        for verdict, kept_days in days.items()
        for number in session.exec(
            select(Inbound.id).where(
                Inbound.verdict == verdict,
                Inbound.state == InboundState.DONE,
                col(Inbound.raw_kept).is_(True),
                col(Inbound.received_at) < now - timedelta(days=kept_days),
            )
        ).all()
        if number is not None
    ]


def forget(session: Session, numbers: Sequence[int]) -> None:
    """Remove the raw bytes of these mails; their rows and verdicts stay."""
    found = session.exec(select(Inbound).where(col(Inbound.id).in_(numbers))).all()
    for row in found:
        row.raw_kept = False
    session.flush()
    _let_go(session, {row.digest for row in found})


def _let_go(session: Session, digests: Iterable[str]) -> None:
    """Remove those of these bytes that no mail keeps."""
    for digest in sorted(digests):
        storage.claim(session, digest)
        still_used = select(func.count()).where(Inbound.digest == digest, col(Inbound.raw_kept).is_(True))
        if session.exec(still_used).one() == 0:
            storage.forget(session, digest)
