"""What became of each copy that left by email, counted in issues and never in days.

Two consecutive hard failures stop the email and keep the reader; so does one « no such address » that no success has
followed before the next failure (D37). A full mailbox three issues in a row is shown to staff. What is refused for
our sake (5.7.x, anything at MAIL or DATA) is ours and charged to nobody.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column
from sqlmodel import Field, Session, SQLModel, col, select

from mailhub.centre import people, publications
from mailhub.centre.publications import Ledger
from mailhub.centre.subscriptions import consent, subscription
from mailhub.centre.subscriptions.consent import Act, Evidence, Source
from mailhub.centre.subscriptions.subscription import State, Subscription
from mailhub.database import words
from mailhub.mail import causes
from mailhub.mail.dsn import Delivery

SOFT_IN_A_ROW = 3


class Returned(StrEnum):
    """What became of one copy, as far as anybody told us."""

    SENT = "sent"  # the relay took it, and nothing came back so far
    POLICY = "policy"  # refused for what we are or send: ours, never theirs (5.7.x)
    SOFT = "soft"  # full, away, unreachable for now
    DELIVERED = "delivered"  # their server says so
    HARD = "hard"  # the mailbox is closed
    ADDRESS = "address"  # there is no such address (5.1.x)


# Of several words about one copy the strongest stays, in whatever order they come.
_STRENGTH = {outcome: place for place, outcome in enumerate(Returned)}
_SUCCESS = frozenset({Returned.SENT, Returned.DELIVERED})
_DEAD = frozenset({Returned.HARD, Returned.ADDRESS})
_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


class IssueReturn(SQLModel, table=True):
    """One copy of one issue by email, and what became of it."""

    subscription_id: int = Field(primary_key=True, foreign_key="subscription.id")
    issue_id: int = Field(primary_key=True)
    address: str  # where it went: failures stay with the address they happened at (T15)
    outcome: Returned = Field(sa_column=Column(words(Returned), nullable=False))
    first_at: datetime  # when it left, or was first heard of
    at: datetime  # when the outcome was told


class News(StrEnum):
    """What staff have to be told."""

    STOPPED = "stopped"  # the email is stopped, the reader kept: find the address, propose paper
    SOFT_AGAIN = "soft-again"  # three issues in a row did not get in
    POLICY = "policy"  # our sending is refused


@dataclass(frozen=True, slots=True)
class Event:
    """One thing to tell staff, once: `key` makes its letter unique."""

    news: News
    subscription_id: int
    issue_id: int
    key: str


def record(
    session: Session, subscription_id: int, issue_id: int, outcome: Returned, at: datetime
) -> tuple[Event, ...]:
    """Note what became of one copy, and act on what the issues say together; the same word twice changes nothing.

    Nor does word of a copy to whoever held a function before (T15).
    """
    # Ours until the transaction ends: of two issues that come back at once, one knows of the other.
    holder = session.get(Subscription, subscription_id, with_for_update=True, populate_existing=True)
    if holder is None or not went_to_reader(
        session, holder, publications.copy_of(session, issue_id, subscription_id)
    ):
        return ()
    row = session.get(IssueReturn, (subscription_id, issue_id))
    if row is None:
        row = IssueReturn(
            subscription_id=subscription_id,
            issue_id=issue_id,
            address=people.current_address(session, subscription.reader_of(session, holder)) or "",
            outcome=outcome,
            first_at=at,
            at=at,
        )
        session.add(row)
    elif _STRENGTH[outcome] > _STRENGTH[row.outcome]:
        row.outcome, row.at = outcome, at
    else:
        return ()
    session.flush()
    return _consequences(session, holder, row)


def went_to_reader(session: Session, holder: Subscription, copy: Ledger | None) -> bool:
    """Say whether a copy went to whoever reads this now; one nothing is known of is taken to have."""
    if copy is None or copy.person_id is None or holder.function_id is None:
        return True
    reader = subscription.reader_of(session, holder)
    return reader is not None and reader.id == copy.person_id


def forget(session: Session, subscription_id: int, issue_id: int) -> None:
    """Nothing is known of a copy that leaves once more."""
    row = session.get(IssueReturn, (subscription_id, issue_id))
    if row is not None:
        session.delete(row)
        session.flush()


def of_notice(delivery: Delivery) -> Returned | None:
    """What a notification says of a copy; None for what says nothing final: delayed, relayed (T12)."""
    if delivery.action == "delivered":
        return Returned.DELIVERED
    if delivery.action != "failed":
        return None
    if delivery.fault == causes.POLICY:
        return Returned.POLICY
    if delivery.hard:
        told = (delivery.status or "").startswith("5.1.") or delivery.fault == causes.ADDRESS
        return Returned.ADDRESS if told else Returned.HARD
    return Returned.SOFT


def of_answer(code: int, line: str, stage: str) -> Returned:
    """What a relay's own refusal says: at RCPT like a notification, at MAIL or DATA it is about us (D32)."""
    if 200 <= code < 300:
        return Returned.SENT
    status = next(iter(_ENHANCED.findall(line)), None)
    cause = causes.judge(status, line)
    if stage.lower() != "rcpt" or cause.fault == causes.POLICY:
        return Returned.POLICY
    delivery = Delivery(None, "failed", status, 500 <= code < 600, cause.reason, cause.fault)
    return of_notice(delivery) or Returned.SOFT


def told(session: Session, subscription_id: int) -> list[IssueReturn]:
    """What became of every copy of one subscription, oldest issue first."""
    query = select(IssueReturn).where(IssueReturn.subscription_id == subscription_id)
    return list(session.exec(query.order_by(col(IssueReturn.issue_id))).all())


def is_dead(outcomes: Sequence[Returned]) -> bool:
    """Say whether these issues, oldest first, tell of a dead mailbox. Our own faults count neither way."""
    dead = just_before = missing = False  # « no such address » since the last success
    for outcome in outcomes:
        if outcome is Returned.POLICY:
            continue
        if outcome in _SUCCESS:
            dead = just_before = missing = False
        elif outcome in _DEAD:
            dead = dead or just_before or missing
            just_before, missing = True, missing or outcome is Returned.ADDRESS
        else:
            just_before = False
    return dead


def soft_in_a_row(outcomes: Sequence[Returned]) -> int:
    """How many issues in a row, the last one included, did not get in for now."""
    counted = [outcome for outcome in outcomes if outcome is not Returned.POLICY]
    return sum(1 for _ in itertools.takewhile(lambda outcome: outcome is Returned.SOFT, reversed(counted)))


def _consequences(session: Session, holder: Subscription, row: IssueReturn) -> tuple[Event, ...]:
    events: list[Event] = []
    if row.outcome is Returned.POLICY:
        events.append(Event(News.POLICY, row.subscription_id, row.issue_id, f"policy:{row.issue_id}"))
    if holder.state not in {State.ACTIVE, State.PAUSED} or not holder.channel.has_email:
        return tuple(events)
    counted = _counted(session, holder)
    issues = sorted(counted)
    outcomes = [counted[issue_id] for issue_id in issues]
    # A copy of the next issue may be on its way while word of this one comes back: it is no success yet.
    so_far = outcomes[: issues.index(row.issue_id) + 1] if row.issue_id in issues else []
    which = f"{row.subscription_id}:{row.issue_id}"
    if is_dead(outcomes) or is_dead(so_far):
        failed = [str(issue_id) for issue_id in issues if counted[issue_id] in _DEAD]
        why = Evidence(Source.RETURNS, row.at, note=f"issues {', '.join(failed)}")
        consent.record(session, holder, Act.STOPPED, why, state=State.SUSPENDED)
        events.append(Event(News.STOPPED, row.subscription_id, row.issue_id, f"stopped:{which}"))
    elif row.outcome is Returned.SOFT and soft_in_a_row(so_far) == SOFT_IN_A_ROW:
        events.append(Event(News.SOFT_AGAIN, row.subscription_id, row.issue_id, f"soft:{which}"))
    return tuple(events)


def _counted(session: Session, holder: Subscription) -> dict[int, Returned]:
    """Each issue since failures count, with what became of its copy; one that never left tells nothing."""
    rows = told(session, holder.id or 0)
    return {row.issue_id: row.outcome for row in rows if row.first_at >= holder.returns_since}
