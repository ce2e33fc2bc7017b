"""One issue of a publication, from the day it is kept to the day every copy has come to an end.

Its content is the form that leaves, octet by octet, under the name of its hash: what was looked at is what is sent.
"""

import re
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Column, UniqueConstraint, and_, func, not_, or_
from sqlmodel import Field, Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from mailhub import storage
from mailhub.database import words
from mailhub.errors import Refused, UnknownRow

_REFERENCE = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*?)[-/ ]([1-9]\d{0,5})")


class IssueState(StrEnum):
    """Where an issue stands."""

    READY = "ready"  # kept; it leaves when a person says so
    SCHEDULED = "scheduled"  # it leaves at its hour
    LATE = "late"  # its hour is long past, and a person decides (T5)
    RELEASED = "released"  # the roster is frozen and copies leave
    PAUSED = "paused"  # the roster is frozen and nothing leaves for now
    STOPPED = "stopped"  # what has not left will not
    CLOSED = "closed"  # every copy has come to an end, and staff were told


class Issue(SQLModel, table=True):
    """A numbered issue."""

    __table_args__ = (UniqueConstraint("publication", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    publication: str  # the code of its file in lists/
    number: int
    title: str  # how readers call it
    subject: str
    digest: str = Field(foreign_key="blob.digest")  # the form: head and body with their blanks
    state: IssueState = Field(sa_column=Column(words(IssueState), nullable=False, index=True))
    created_at: datetime
    release_at: datetime | None = None  # its hour
    released_at: datetime | None = None  # when its roster was frozen
    expires_at: datetime | None = None  # after this no copy leaves (D43)

    @property
    def reference(self) -> str:
        """How staff call it: « lettre-57 »."""
        return f"{self.publication}-{self.number}"


def next_number(session: Session, publication: str) -> int:
    """The number after the last one."""
    last = session.exec(select(func.max(Issue.number)).where(Issue.publication == publication)).one()
    return int(last or 0) + 1


def add(
    session: Session,
    publication: str,
    number: int,
    form: bytes,
    *,
    title: str,
    subject: str,
    now: datetime,
) -> Issue:
    """Keep an issue; a number is given once and for ever."""
    taken = select(Issue).where(Issue.publication == publication, Issue.number == number)
    if session.exec(taken).first() is not None:
        raise Refused(f"there is an issue {publication}-{number} already; the next number is free")
    issue = Issue(
        publication=publication,
        number=number,
        title=title,
        subject=subject,
        digest=storage.keep(session, form, now),
        state=IssueState.READY,
        created_at=now,
    )
    session.add(issue)
    session.flush()
    return issue


def called(session: Session, written: str) -> Issue:
    """The issue somebody calls « lettre-57 » or « lettre 57 »."""
    found = _REFERENCE.fullmatch(written.strip().lower())
    issue = None
    if found is not None:
        query = select(Issue).where(Issue.publication == found[1], Issue.number == int(found[2]))
        issue = session.exec(query).first()
    if issue is None:
        raise UnknownRow(f"there is no issue {written!r}; `mailhub issue ls` lists them")
    return issue


def release(session: Session, issue: Issue, at: datetime) -> None:
    """Let it leave at an hour, or go on with what was paused."""
    _claim(session, issue)
    if issue.state is IssueState.PAUSED:
        issue.state = IssueState.RELEASED
    elif issue.state in {IssueState.READY, IssueState.SCHEDULED, IssueState.LATE}:
        issue.state, issue.release_at = IssueState.SCHEDULED, at
    else:
        raise Refused(f"{issue.reference} is {issue.state}: an issue is released once")
    session.add(issue)


def hold(session: Session, issue: Issue) -> None:
    """Let it wait: before its hour as a whole, after it what has not left."""
    _claim(session, issue)
    if issue.state in {IssueState.SCHEDULED, IssueState.LATE}:
        issue.state = IssueState.READY
    elif issue.state is IssueState.RELEASED:
        issue.state = IssueState.PAUSED
    else:
        raise Refused(f"{issue.reference} is {issue.state}: there is nothing to hold")
    session.add(issue)


def stop(session: Session, issue: Issue) -> None:
    """End it for good; `outbox.stop` takes back the copies too."""
    _claim(session, issue)
    if issue.state in {IssueState.STOPPED, IssueState.CLOSED}:
        raise Refused(f"{issue.reference} is {issue.state} already")
    issue.state = IssueState.STOPPED
    session.add(issue)


def put_off(session: Session, issue: Issue) -> None:
    """Its hour is too long past to be kept without asking."""
    issue.state = IssueState.LATE
    session.add(issue)


def close(session: Session, issue: Issue) -> None:
    """Every copy has come to an end."""
    issue.state = IssueState.CLOSED
    session.add(issue)


def due(session: Session, now: datetime) -> list[Issue]:
    """Issues whose hour has come, the earliest first; `claim_due` before anything is done about one."""
    query = (
        select(Issue)
        .where(Issue.state == IssueState.SCHEDULED, col(Issue.release_at) <= now)
        .order_by(col(Issue.release_at), col(Issue.id))
    )
    return list(session.exec(query).all())


def claim_due(session: Session, issue: Issue, now: datetime) -> bool:
    """Hold an issue until the transaction ends; False when it was released, held or stopped since it was found due."""
    _claim(session, issue)
    return issue.state is IssueState.SCHEDULED and issue.release_at is not None and issue.release_at <= now


def find_late(issues: list[Issue], now: datetime, grace: timedelta) -> list[Issue]:
    """Those of them whose hour is further past than anybody would expect a copy to leave by itself."""
    return [issue for issue in issues if issue.release_at is not None and now - issue.release_at > grace]


def running(session: Session, now: datetime) -> list[Issue]:
    """Issues that were released and of which copies may still leave: a closed one too, until its deadline.

    A person may say of a copy in doubt, or refused, that it is to leave again (D45).
    """
    is_over = and_(col(Issue.state) == IssueState.CLOSED, col(Issue.expires_at) <= now)
    query = select(Issue).where(col(Issue.released_at).is_not(None), not_(is_over)).order_by(col(Issue.id))
    return list(session.exec(query).all())


def silent() -> "SelectOfScalar[int] | SelectOfScalar[None]":
    """The question for the rows of issues of which nothing leaves for now."""
    state = col(Issue.state)
    return select(Issue.id).where(or_(state == IssueState.PAUSED, state == IssueState.STOPPED))


def listed(session: Session, publication: str | None = None, limit: int = 50) -> list[Issue]:
    """Issues for a list on a screen, latest first."""
    query = select(Issue).order_by(col(Issue.id).desc()).limit(limit)
    if publication is not None:
        query = query.where(Issue.publication == publication)
    return list(session.exec(query).all())


def _claim(session: Session, issue: Issue) -> None:
    """See an issue as it stands, and let nobody change it until the transaction ends."""
    session.refresh(issue, with_for_update=True)
