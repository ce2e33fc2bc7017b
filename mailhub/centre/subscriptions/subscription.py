"""One subscription: one publication for one person, or for a function whoever holds it.

The row says where it stands now; how it came there is told by the consent records, which are never changed.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, ColumnElement, UniqueConstraint, and_, not_, or_
from sqlmodel import Field, Session, SQLModel, col, select

from mailhub.centre import people
from mailhub.database import words
from mailhub.errors import UnknownRow
from mailhub.mail.tokens import Purpose, Token


class State(StrEnum):
    """Where a subscription stands."""

    PENDING = "pending"  # asked for, not yet confirmed: nothing is sent but the question
    ACTIVE = "active"
    PAUSED = "paused"  # between two instants; it ends by itself
    LEFT = "left"
    SUSPENDED = "suspended"  # its email came back too often; paper goes on
    COMPLAINED = "complained"  # reported as spam: never again without their own word
    SUPPRESSED = "suppressed"  # asked never to be written to


class Channel(StrEnum):
    """How its issues come."""

    EMAIL = "email"
    PAPER = "paper"
    BOTH = "both"

    @property
    def has_email(self) -> bool:
        """Whether email is part of it."""
        return self is not Channel.PAPER

    @property
    def has_paper(self) -> bool:
        """Whether paper is part of it."""
        return self is not Channel.EMAIL


# Nobody comes back from these by a file or by staff alone (T21): it takes the person's own word.
CLOSED = frozenset({State.LEFT, State.COMPLAINED, State.SUPPRESSED})
LIVE = frozenset({State.ACTIVE, State.PAUSED, State.SUSPENDED})


class Subscription(SQLModel, table=True):
    """One publication for one person or one function."""

    __table_args__ = (
        CheckConstraint("(person_id IS NULL) <> (function_id IS NULL)", name="one_holder"),
        UniqueConstraint("publication", "person_id"),
        UniqueConstraint("publication", "function_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    publication: str  # its code: "lettre"
    person_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    function_id: int | None = Field(default=None, foreign_key="function.id", index=True)
    state: State = Field(sa_column=Column(words(State), nullable=False))
    channel: Channel = Field(sa_column=Column(words(Channel), nullable=False))
    paused_from: datetime | None = None  # while paused: from this instant …
    paused_until: datetime | None = None  # … until just before this one
    returns_since: datetime  # older failures of its email no longer count (T11, T15)
    created_at: datetime
    changed_at: datetime

    def state_at(self, at: datetime) -> State:
        """Where it stands at an instant: a pause begins and ends by itself."""
        if self.state is not State.PAUSED:
            return self.state
        begun = self.paused_from is None or self.paused_from <= at
        over = self.paused_until is not None and self.paused_until <= at
        return State.PAUSED if begun and not over else State.ACTIVE


def new(code: str, holder: people.Person | people.Function, channel: Channel, now: datetime) -> Subscription:
    """A new subscription, which is nothing until somebody says yes."""
    return Subscription(
        publication=code,
        person_id=people.identity(holder) if isinstance(holder, people.Person) else None,
        function_id=people.identity(holder) if isinstance(holder, people.Function) else None,
        state=State.PENDING,
        channel=channel,
        returns_since=now,
        created_at=now,
        changed_at=now,
    )


def pend(
    session: Session, code: str, holder: people.Person | people.Function, channel: Channel, now: datetime
) -> Subscription:
    """Put a new subscription on file, pending."""
    row = new(code, holder, channel, now)
    session.add(row)
    session.flush()
    return row


def get(session: Session, subscription_id: int) -> Subscription:
    """The subscription of this row."""
    row = session.get(Subscription, subscription_id)
    if row is None:
        raise UnknownRow(f"there is no subscription {subscription_id}; `mailhub subscribers ls` lists them")
    return row


def find(session: Session, publication: str, person_id: int) -> Subscription | None:
    """A person's own subscription to a publication."""
    return session.exec(
        select(Subscription).where(
            Subscription.publication == publication, Subscription.person_id == person_id
        )
    ).first()


def listed(
    session: Session,
    at: datetime,
    *,
    publication: str | None = None,
    state: State | None = None,
    beyond: int = 0,
    limit: int,
) -> list[Subscription]:
    """Subscriptions behind that number, oldest first; of one publication, or that stand there at an instant."""
    query = select(Subscription).where(col(Subscription.id) > beyond)
    if publication is not None:
        query = query.where(Subscription.publication == publication)
    if state is not None:
        query = query.where(_stands(state, at))
    return list(session.exec(query.order_by(col(Subscription.id)).limit(limit)).all())


def _stands(state: State, at: datetime) -> ColumnElement[bool]:
    """As `state_at` says it, in the words of the database."""
    begun, over = col(Subscription.paused_from), col(Subscription.paused_until)
    is_there = col(Subscription.state) == state
    is_pause = col(Subscription.state) == State.PAUSED
    holds = and_(or_(begun.is_(None), begun <= at), or_(over.is_(None), over > at))
    if state is State.PAUSED:
        return and_(is_pause, holds)
    return or_(is_there, and_(is_pause, not_(holds))) if state is State.ACTIVE else is_there


def held_by(session: Session, person_ids: Collection[int]) -> list[Subscription]:
    """Every subscription of these persons, their own and those of functions they hold, oldest first."""
    seats = [seat.id for person_id in person_ids for seat in people.functions_of(session, person_id)]
    query = select(Subscription).where(
        or_(
            col(Subscription.person_id).in_(list(person_ids)),
            col(Subscription.function_id).in_(seats),
        )
    )
    return list(session.exec(query.order_by(col(Subscription.id))).all())


def borne(session: Session, token: Token) -> Subscription | None:
    """The subscription a token of ours is about, while it still is that person's; a successor's is not theirs."""
    about_issue = token.purpose is Purpose.ISSUE
    row = session.get(Subscription, token.person if about_issue else token.thread)
    if row is None or about_issue:
        return row
    reader = reader_of(session, row)
    return row if reader is not None and reader.id == token.person else None


def postal_of(session: Session, row: Subscription) -> people.PostalAddress | None:
    """Where its paper copies go: to the function, else to whoever reads it; None when no label can be made of it."""
    seat = people.function(session, row.function_id) if row.function_id is not None else None
    reader = reader_of(session, row)
    return label(
        people.postal_of(session, seat) if seat else None,
        people.postal_of(session, reader) if reader else None,
    )


def label(
    of_function: people.PostalAddress | None, of_reader: people.PostalAddress | None
) -> people.PostalAddress | None:
    """What stands on a label: the function's address, however much is missing in it, else its reader's; None if no label."""
    found = of_function or of_reader
    return found if found is not None and found.is_complete else None


def reader_of(session: Session, row: Subscription) -> people.Person | None:
    """Who reads it now; None for a function nobody holds."""
    if row.function_id is not None:
        return people.holder(session, row.function_id)
    assert row.person_id is not None
    return session.get(people.Person, row.person_id)
