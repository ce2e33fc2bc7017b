"""The roster of one issue as it was when the issue left: who gets it and how, who does not and why, name by name.

A line is written once and never changed. What became of a copy by email is the state of its letter in the outbox.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from sqlalchemy import Column, UniqueConstraint, insert
from sqlmodel import Field, Session, SQLModel, col, select

from mailhub.centre.people import identity
from mailhub.centre.publications.issue import Issue, IssueState
from mailhub.database import words
from mailhub.errors import Refused
from mailhub.lists import Channel

AT_ONCE = 1000  # rows to one statement: a roster of any length takes the same memory


class Recipient(Protocol):
    """One line of a roster, as `subscriptions.roster` gives it."""

    @property
    def subscription_id(self) -> int: ...
    @property
    def person_id(self) -> int | None: ...
    @property
    def names(self) -> Sequence[str]: ...
    @property
    def address(self) -> str | None: ...
    @property
    def channel(self) -> str: ...
    @property
    def excluded(self) -> str | None: ...
    @property
    def also(self) -> Sequence[int]: ...


class Ledger(SQLModel, table=True):
    """One reader of one issue by one channel."""

    __table_args__ = (UniqueConstraint("issue_id", "subscription_id", "channel"),)
    id: int | None = Field(default=None, primary_key=True)
    issue_id: int = Field(foreign_key="issue.id")
    subscription_id: int  # no foreign key: the account stays when a person is erased
    person_id: int | None = None
    name: str  # as it stood; several, when they share an address
    address: str | None = None  # where email went
    channel: Channel = Field(sa_column=Column(words(Channel), nullable=False))
    also: str = ""  # the subscriptions of others whom the copy names, because they share its address
    excluded: str | None = None  # why nothing was meant to leave for them, in one word

    @property
    def shared_with(self) -> list[int]:
        """The subscriptions of `also`."""
        return [int(number) for number in self.also.split()]


def freeze(
    session: Session, issue: Issue, roster: Sequence[Recipient], now: datetime, *, expires_after: timedelta
) -> int:
    """Write down who is on the roster at this instant, and let the issue leave; say how many lines there are."""
    if issue.released_at is not None:
        raise Refused(f"the roster of {issue.reference} was frozen already")
    rows = (row for recipient in roster for row in _rows(identity(issue), recipient))
    count = 0
    while batch := list(islice(rows, AT_ONCE)):
        session.connection().execute(insert(Ledger), batch)
        count += len(batch)
    issue.state, issue.released_at, issue.expires_at = IssueState.RELEASED, now, now + expires_after
    session.add(issue)
    session.flush()
    return count


def copy_of(session: Session, issue_id: int, subscription_id: int) -> Ledger | None:
    """The line of one copy by email: who it went to, and where."""
    query = select(Ledger).where(
        Ledger.issue_id == issue_id,
        Ledger.subscription_id == subscription_id,
        Ledger.channel == Channel.EMAIL,
    )
    return session.exec(query).first()


def lines(session: Session, issue: Issue) -> Iterator[Ledger]:
    """The lines of an issue that leave by email, in order, a few at a time."""
    after = 0
    while True:
        query = (
            select(Ledger)
            .where(
                Ledger.issue_id == identity(issue),
                Ledger.channel == Channel.EMAIL,
                col(Ledger.excluded).is_(None),
                col(Ledger.id) > after,
            )
            .order_by(col(Ledger.id))
            .limit(AT_ONCE)
        )
        batch = session.exec(query).all()
        if not batch:
            return
        yield from batch
        after = batch[-1].id or 0
        for row in batch:
            session.expunge(row)


def _rows(issue_id: int, recipient: Recipient) -> Iterator[dict[str, object]]:
    """One line for each channel; whoever cannot be reached by it was excluded by the roster."""
    for channel in Channel:
        if recipient.channel not in {channel.value, "both"}:
            continue
        yield {
            "issue_id": issue_id,
            "subscription_id": recipient.subscription_id,
            "person_id": recipient.person_id,
            "name": ", ".join(recipient.names),
            "address": recipient.address if channel is Channel.EMAIL else None,
            "channel": channel,
            "also": " ".join(map(str, recipient.also)) if channel is Channel.EMAIL else "",
            "excluded": recipient.excluded,
        }
