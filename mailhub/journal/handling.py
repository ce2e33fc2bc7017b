"""The pipeline's side of the journal: what waits, taken hold of, and what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Boolean, ColumnElement, ScalarSelect, Update, and_, bindparam, func, or_, update
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from mailhub import rows, storage
from mailhub.journal.inbound import Inbound, InboundState, Verdict
from mailhub.mail.envelope import Envelope

MOST_ATTEMPTS = 3  # then a human looks
MOST_OCTETS_AT_ONCE = 32 * 1024 * 1024  # of mails read together
FLOOD_SPAN = timedelta(hours=1)
ECHO_SPAN = timedelta(minutes=30)
TWIN_SPAN = timedelta(days=5)  # as long as a server tries (RFC 5321 section 4.5.4.1)


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
class Traits:
    """What a mail is known again by."""

    message_id: str | None
    author: str | None
    gist: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the journal holds that resembles one mail; counted no further than asked."""

    duplicate_of: int | None  # journal number of the mail it repeats
    of_author: int  # mails of the same author within the last hour
    alike: int  # mails with these very words within the last half hour, from anybody


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


def _so_many(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """A count that ends at what matters: a flood costs no more with each of its mails."""
    found = sql_select(col(Inbound.id)).where(*conditions).limit(bindparam("enough")).subquery()
    return sql_select(func.count()).select_from(found).scalar_subquery()


_SEEN = sql_select(
    select(func.min(Inbound.id))
    .where(
        col(Inbound.message_id) == bindparam("message_id"),
        col(Inbound.author) == bindparam("author"),
        # Whatever was handled before, in whatever order they came; but not what was itself put aside for this one.
        col(Inbound.id) != bindparam("id"),
        or_(col(Inbound.verdict).is_(None), col(Inbound.verdict) != Verdict.DUPLICATE),
        # A Message-ID alone does not decide: broken programs give one to all their mails, and none may be lost. The
        # words must agree, or the mail came to another address of ours meanwhile, perhaps with a footer added (S17).
        or_(
            col(Inbound.gist) == bindparam("gist"),
            and_(
                col(Inbound.recipient) != bindparam("recipient"),
                col(Inbound.received_at) >= bindparam("days_ago"),
            ),
        ),
        # What staff were only shown is no request: whoever wrote to the service as well has theirs opened.
        or_(
            bindparam("opens", type_=Boolean).is_(False),
            col(Inbound.verdict).is_(None),
            col(Inbound.verdict) != Verdict.TRIAGE,
            col(Inbound.recipient) == bindparam("recipient"),
        ),
        # A note is filed beside whatever else its mail is.
        or_(bindparam("alone", type_=Boolean).is_(False), col(Inbound.recipient) == bindparam("recipient")),
        # An address with a token is one of its own: a mail to those of two threads is for both.
        or_(
            bindparam("tagged", type_=Boolean).is_(False),
            col(Inbound.recipient) == bindparam("recipient"),
            col(Inbound.recipient).not_like("%+%@%"),
        ),
    )
    .scalar_subquery(),
    _so_many(
        col(Inbound.author) == bindparam("author"), col(Inbound.received_at) >= bindparam("an_hour_ago")
    ),
    _so_many(
        col(Inbound.gist) == bindparam("gist"), col(Inbound.received_at) >= bindparam("half_an_hour_ago")
    ),
)


def seen(
    session: Session,
    mail: Claimed,
    traits: Traits,
    now: datetime,
    *,
    enough: int,
    opens: bool,
    alone: bool,
) -> Seen:
    """What came before this mail: the same one, others of its author, others with its words, `enough` of each.

    `opens` says that it came to a service, which does more with a mail than show it to staff; `alone`, that what came
    to other addresses of ours is no twin of it.
    """
    found = rows.ask(
        session,
        _SEEN,
        id=mail.number,
        recipient=mail.recipient,
        tagged="+" in mail.recipient,
        message_id=traits.message_id,
        author=traits.author,
        gist=traits.gist,
        an_hour_ago=now - FLOOD_SPAN,
        half_an_hour_ago=now - ECHO_SPAN,
        days_ago=now - TWIN_SPAN,
        enough=enough,
        opens=opens,
        alone=alone,
    )
    return Seen(*found[0])
