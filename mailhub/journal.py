"""Stage 2: every mail we took, and what became of it. Raw bytes first, thoughts later.

`accept` is the doors' only verb: raw bytes and one `Inbound` row per envelope recipient, in the door's own
transaction, committed before anybody is told `250`. The pipeline then settles each row with exactly one verdict;
what fails three times is parked for a human, and can be replayed. Nothing here reads a mail.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    ScalarSelect,
    UniqueConstraint,
    Update,
    bindparam,
    func,
    or_,
    text,
    update,
)
from sqlalchemy import select as sql_select
from sqlmodel import Field, Session, SQLModel, col, select

from mailhub import rows, storage
from mailhub.database import words
from mailhub.errors import Refused, UnknownRow
from mailhub.mail.envelope import Envelope

MOST_ATTEMPTS = 3  # then a human looks
MOST_OCTETS_AT_ONCE = 32 * 1024 * 1024  # of mails read together
FLOOD_SPAN = timedelta(hours=1)
ECHO_SPAN = timedelta(minutes=30)


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


def _so_many(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """A count that ends at what matters: a flood costs no more with each of its mails."""
    found = sql_select(col(Inbound.id)).where(*conditions).limit(bindparam("enough")).subquery()
    return sql_select(func.count()).select_from(found).scalar_subquery()


_SEEN = sql_select(
    select(func.min(Inbound.id))
    .where(
        col(Inbound.message_id) == bindparam("message_id"),
        col(Inbound.author) == bindparam("author"),
        col(Inbound.id) < bindparam("id"),
        # A Message-ID alone does not decide: broken programs give one to different mails, and none may be lost.
        # The words must agree, or the mail came to another address of ours, perhaps with a footer added (S17).
        or_(col(Inbound.gist) == bindparam("gist"), col(Inbound.recipient) != bindparam("recipient")),
    )
    .scalar_subquery(),
    _so_many(
        col(Inbound.author) == bindparam("author"), col(Inbound.received_at) >= bindparam("an_hour_ago")
    ),
    _so_many(
        col(Inbound.gist) == bindparam("gist"), col(Inbound.received_at) >= bindparam("half_an_hour_ago")
    ),
)


@dataclass(frozen=True, slots=True)
class Unread:
    """A mail nobody has handled."""

    number: int
    envelope: Envelope
    raw: bytes


@dataclass(frozen=True, slots=True)
class Claimed:
    """A mail in the hands of whoever handles it."""

    number: int
    recipient: str
    attempts: int
    vouched_by: int | None
    let_in: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """What a mail turned out to be, and what became of it."""

    verdict: Verdict | None  # None: held
    rule: str
    note: str
    message_id: str | None
    author: str | None
    gist: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the journal holds that resembles one mail; counted no further than asked."""

    duplicate_of: int | None  # journal number of the mail it repeats
    of_author: int  # mails of the same author within the last hour
    alike: int  # mails with these very words within the last half hour, from anybody


def accept(session: Session, mails: Iterable[tuple[bytes, Sequence[Envelope]]], now: datetime) -> int:
    """Keep mails before anyone thinks about them, each with its envelopes; say how many rows are new.

    The same bytes for the same recipient by the same door are kept once: a sender who lost our `250` tries again.
    """
    new = []
    for octets, envelopes in mails:
        digest = storage.keep(session, octets, now)
        new += [
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
            for envelope in envelopes
        ]
    return rows.insert_missing(session, Inbound, new)


_OLDEST = (
    sql_select(col(Inbound.id), col(storage.Blob.size))
    .join(storage.Blob, col(storage.Blob.digest) == Inbound.digest)
    .where(col(Inbound.state) == InboundState.WAITING)
    .order_by(col(Inbound.id))
    .limit(bindparam("most"))
)
_WAITING = (
    sql_select(
        col(Inbound.id),
        col(Inbound.recipient),
        col(Inbound.sender),
        col(Inbound.source),
        col(Inbound.received_at),
        col(Inbound.client_ip),
        col(Inbound.helo),
        col(storage.Blob.content),
    )
    .join(storage.Blob, col(storage.Blob.digest) == Inbound.digest)
    .where(col(Inbound.state) == InboundState.WAITING, col(Inbound.id) <= bindparam("last"))
    .order_by(col(Inbound.id))
)


def waiting(session: Session, most: int, octets: int = MOST_OCTETS_AT_ONCE) -> list[Unread]:
    """The oldest mails nobody has handled, without taking hold of them: at least one, and no more than so many octets."""
    last = None
    for number, size in rows.ask(session, _OLDEST, most=most):
        if last is not None and size > octets:
            break
        last, octets = number, octets - size
    if last is None:
        return []
    found = rows.ask(session, _WAITING, last=last)
    return [Unread(number, Envelope(*envelope), raw) for number, *envelope, raw in found]


_CLAIMED = (
    col(Inbound.id),
    col(Inbound.recipient),
    col(Inbound.attempts),
    col(Inbound.vouched_by),
    col(Inbound.let_in),
)


def claim(session: Session, ids: Iterable[int]) -> list[Claimed]:
    """Take hold of those of these mails that still wait, until the transaction ends; others skip them."""
    query = (
        sql_select(*_CLAIMED)
        .where(col(Inbound.id).in_(list(ids)), col(Inbound.state) == InboundState.WAITING)
        .order_by(col(Inbound.id))
        .with_for_update(skip_locked=True)
    )
    return [Claimed(*row) for row in session.execute(query).all()]


def _writing(*columns: str) -> Update:
    put: dict[str, object] = {name: bindparam(f"its_{name}") for name in columns}
    return update(Inbound).where(col(Inbound.id) == bindparam("number")).values(put)


_SETTLE = _writing("state", "verdict", "rule", "note", "handled_at", "message_id", "author", "gist")
_FAILED = _writing("state", "note", "handled_at", "attempts")


def settle(session: Session, mail: Claimed, ending: Ending, now: datetime) -> None:
    """Write the one verdict of a mail; without one it is held until somebody answers for it."""
    rows.ask(
        session,
        _SETTLE,
        number=mail.number,
        its_state=InboundState.DONE if ending.verdict else InboundState.HELD,
        its_verdict=ending.verdict,
        its_rule=ending.rule,
        its_note=ending.note,
        its_handled_at=now,
        its_message_id=ending.message_id,
        its_author=ending.author,
        its_gist=ending.gist,
    )


def failed(session: Session, mail: Claimed, why: str, now: datetime) -> None:
    """Count one failure; the third parks the mail."""
    attempts = mail.attempts + 1
    state = InboundState.PARKED if attempts >= MOST_ATTEMPTS else InboundState.WAITING
    rows.ask(
        session,
        _FAILED,
        number=mail.number,
        its_state=state,
        its_note=why,
        its_handled_at=now,
        its_attempts=attempts,
    )


def raw(session: Session, row: Inbound) -> bytes:
    """The bytes as they came; refused once retention has taken them."""
    if not row.raw_kept:
        raise Refused(f"the bytes of mail {row.id} were removed by the retention clock")
    return storage.fetch(session, row.digest)


def replay(session: Session, inbound_id: int) -> Inbound:
    """Put a parked mail back in the queue."""
    row = get(session, inbound_id)
    if row.state is not InboundState.PARKED:
        raise Refused(f"mail {inbound_id} is {row.state}, only a parked mail can be replayed")
    row.state, row.attempts = InboundState.WAITING, 0
    return row


def release(session: Session, row: Inbound, vouched_by: int | None = None) -> None:
    """Let a mail in that was held, set aside or sent to triage: it is handled afresh, as a person's own words."""
    ended_aside = row.verdict in {Verdict.QUARANTINE, Verdict.TRIAGE, Verdict.AUTOMATIC}
    if row.state is not InboundState.HELD and not ended_aside:
        raise Refused(
            f"mail {row.id} is {row.verdict or row.state}; only a held or set-aside mail can be let in"
        )
    row.state, row.verdict, row.attempts = InboundState.WAITING, None, 0
    row.vouched_by, row.let_in = vouched_by, vouched_by is None
    session.add(row)


def discard(session: Session, inbound_id: int, why: str, now: datetime) -> Inbound:
    """End a held or parked mail without doing anything for it; the bytes stay until their clock runs out."""
    row = get(session, inbound_id)
    if row.state not in {InboundState.HELD, InboundState.PARKED}:
        raise Refused(f"mail {inbound_id} is {row.state}, only a held or parked mail can be discarded")
    row.state, row.verdict, row.handled_at = InboundState.DONE, Verdict.QUARANTINE, now
    row.rule, row.note = row.rule or "discarded", why
    return row


def get(session: Session, inbound_id: int) -> Inbound:
    """The mail with this journal number."""
    row = session.get(Inbound, inbound_id)
    if row is None:
        raise UnknownRow(f"there is no mail {inbound_id} in the journal; `mailhub journal ls` lists them")
    return row


def seen(
    session: Session,
    mail: Claimed,
    *,
    message_id: str | None,
    author: str | None,
    gist: str,
    now: datetime,
    enough: int,
) -> Seen:
    """What came before this mail: the same one, others of its author, others with its words, `enough` of each."""
    found = rows.ask(
        session,
        _SEEN,
        id=mail.number,
        recipient=mail.recipient,
        message_id=message_id,
        author=author,
        gist=gist,
        an_hour_ago=now - FLOOD_SPAN,
        half_an_hour_ago=now - ECHO_SPAN,
        enough=enough,
    )
    return Seen(*found[0])


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


def forget(session: Session, now: datetime, days: Mapping[Verdict, int]) -> int:
    """Remove the raw bytes of mails whose retention clock has run out; the row and its verdict stay."""
    gone = 0
    for verdict, kept_days in days.items():
        query = select(Inbound).where(
            Inbound.verdict == verdict,
            Inbound.state == InboundState.DONE,
            col(Inbound.raw_kept).is_(True),
            col(Inbound.received_at) < now - timedelta(days=kept_days),
        )
        for row in session.exec(query).all():
            row.raw_kept = False
            session.flush()
            still_used = select(func.count()).where(
                Inbound.digest == row.digest, col(Inbound.raw_kept).is_(True)
            )
            if session.exec(still_used).one() == 0:
                storage.forget(session, row.digest)
            gone += 1
    return gone


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
