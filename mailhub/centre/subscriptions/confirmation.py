"""Questions that wait for a yes: to a subscription asked for, or to a new address.

At most one letter a day and three a month to one address, whoever asks and however often (T27): a form must not be
a weapon. Counts are kept by a keyed digest, so that they outlive what is erased after two weeks without an answer.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Column, Index, func
from sqlmodel import Field, Session, SQLModel, col, select

from mailhub.centre.subscriptions.subscription import Channel, Subscription
from mailhub.database import take_turns, words

A_DAY = timedelta(hours=24)
A_MONTH = timedelta(days=30)
MOST_A_MONTH = 3
REMIND_AFTER = timedelta(days=7)
LAPSE_AFTER = timedelta(days=14)


class About(StrEnum):
    """What is asked."""

    JOIN = "join"
    MOVE_FROM = "move-from"  # asked at the old address
    MOVE_TO = "move-to"  # asked at the new one


class Reply(StrEnum):
    """How it ended."""

    YES = "yes"
    NO = "no"
    LAPSED = "lapsed"  # nobody answered in two weeks


class Settled(StrEnum):
    """What an answer to a question did."""

    DONE = "done"
    ALREADY = "already done"  # the same answer again: harmless
    WAITING = "the other address has not answered yet"
    REFUSED = "refused"
    ELSEWHERE = "another address than the one asked"
    GONE = "nobody asks that any more"


class Confirmation(SQLModel, table=True):
    """One question to one address."""

    __table_args__ = (Index("ix_confirmation_digest_asked_at", "digest", "asked_at"),)
    id: int | None = Field(default=None, primary_key=True)  # in its token
    about: About = Field(sa_column=Column(words(About), nullable=False))
    person_id: int  # no foreign key: somebody who never answered is erased, the count stays
    publications: str = ""  # codes, joined by commas
    channel: Channel = Field(default=Channel.EMAIL, sa_column=Column(words(Channel), nullable=False))
    address: str | None = None  # who is asked, and who alone can answer (S35); erased when it lapses
    digest: str  # of that address
    other_address: str | None = None  # for a move: the one at the other end
    pair_id: int | None = None  # for a move: the question asked there
    shown: str = ""  # what was shown
    note: str = ""  # staff's, when they asked for somebody
    recorded_by: str = ""
    asked_at: datetime
    reminded_at: datetime | None = None
    reply: Reply | None = Field(default=None, sa_column=Column(words(Reply)))
    replied_at: datetime | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """The publications it is about."""
        return tuple(filter(None, self.publications.split(",")))


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer did, and to which subscriptions."""

    settled: Settled
    question: Confirmation | None = None
    changed: tuple[Subscription, ...] = ()


def may_ask(session: Session, digest: str, now: datetime) -> bool:
    """Say whether this address may be sent one more question today, and this month."""
    take_turns(session, [digest])
    query = select(Confirmation.asked_at, Confirmation.reminded_at).where(
        Confirmation.digest == digest,
        func.coalesce(Confirmation.reminded_at, Confirmation.asked_at) > now - A_MONTH,
    )
    letters = [at for row in session.exec(query).all() for at in row if at is not None]
    letters = [at for at in letters if at > now - A_MONTH]
    return len(letters) < MOST_A_MONTH and all(now - at >= A_DAY for at in letters)


def open_ones(session: Session, person_id: int) -> list[Confirmation]:
    """Questions this person has not answered."""
    query = select(Confirmation).where(Confirmation.person_id == person_id, col(Confirmation.reply).is_(None))
    return list(session.exec(query.order_by(col(Confirmation.id))).all())


def claimed(session: Session, confirmation_id: int) -> Confirmation | None:
    """A question, held until the transaction ends: of ten answers at once, nine wait and find it answered (T24)."""
    query = select(Confirmation).where(Confirmation.id == confirmation_id).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).first()


def forget(session: Session, now: datetime) -> int:
    """Remove settled questions that no count needs any more; say how many."""
    query = select(Confirmation).where(
        col(Confirmation.reply).is_not(None),
        func.coalesce(Confirmation.reminded_at, Confirmation.asked_at) <= now - A_MONTH,
    )
    rows = session.exec(query).all()
    for row in rows:
        session.delete(row)
    return len(rows)
