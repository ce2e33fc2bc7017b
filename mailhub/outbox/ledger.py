"""The ledger of an issue: each line of its roster with what became of it, and sums that always balance.

A state is written in one place only: why somebody was left out in the roster's line, all else in the letter's row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, and_, case, func, literal
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from mailhub.centre.publications import Issue, Ledger
from mailhub.centre.returns import IssueReturn, Returned
from mailhub.centre.subscriptions import Consent, Source
from mailhub.lists import Channel
from mailhub.outbox.letter import Outgoing, OutgoingState

AT_ONCE = 1000


class Standing(StrEnum):
    """Where one reader's copy stands."""

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    PAPER = "paper"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Line:
    """One reader of one issue."""

    subscription_id: int
    person_id: int | None
    name: str
    address: str | None
    standing: Standing
    why: str | None  # the reason of an exclusion, else what the relay said last
    at: datetime | None  # when it came to its end
    letter_id: int | None
    message_id: str | None
    returned: Returned | None  # what came back since, as `returns` counts it


_OF_STATE = {state.value: state.value for state in OutgoingState} | {
    OutgoingState.WAITING.value: Standing.PLANNED.value,
    OutgoingState.WITHDRAWN.value: Standing.EXCLUDED.value,
}
_STANDING = case(
    (col(Ledger.excluded).is_not(None), literal(Standing.EXCLUDED.value)),
    (col(Ledger.channel) == Channel.PAPER, literal(Standing.PAPER.value)),
    else_=func.coalesce(
        case(*((col(Outgoing.state) == state, literal(_OF_STATE[state.value])) for state in OutgoingState)),
        literal(Standing.PLANNED.value),
    ),
).label("standing")
_LETTER = and_(
    col(Outgoing.issue_id) == col(Ledger.issue_id),
    col(Outgoing.subscription_id) == col(Ledger.subscription_id),
    col(Ledger.channel) == Channel.EMAIL,
)

_RETURN = and_(
    col(IssueReturn.issue_id) == col(Outgoing.issue_id),
    col(IssueReturn.subscription_id) == col(Outgoing.subscription_id),
)


def read(session: Session, issue: Issue, standing: Standing | None = None) -> Iterator[Line]:
    """Every line of an issue, name by name, in the order of the roster."""
    after = 0
    while True:
        query = _lines(issue, standing).where(col(Ledger.id) > after).limit(AT_ONCE)
        rows = session.execute(query).all()
        for row in rows:
            after = row[0]
            yield Line(row[1], row[2], row[3], row[4], Standing(row[5]), *row[6:])
        if len(rows) < AT_ONCE:
            return


def sums(session: Session, issue: Issue) -> dict[Standing, int]:
    """How many lines stand where; together they are the roster."""
    query = (
        select(_STANDING, func.count())
        .select_from(Ledger)
        .outerjoin(Outgoing, _LETTER)
        .where(col(Ledger.issue_id) == issue.id)
        .group_by(_STANDING)
    )
    counted = {Standing(standing): count for standing, count in session.execute(query).all()}
    return {standing: counted.get(standing, 0) for standing in Standing}


def complaints(session: Session, issue: Issue) -> int:
    """How many readers to whom an issue was to leave by email have complained of its publication since (D36)."""
    if issue.released_at is None:
        return 0
    query = (
        select(func.count(func.distinct(Consent.subscription_id)))
        .join(Ledger, col(Ledger.subscription_id) == Consent.subscription_id)
        .where(
            Ledger.issue_id == issue.id,
            Ledger.channel == Channel.EMAIL,
            Consent.publication == issue.publication,
            Consent.source == Source.COMPLAINT,
            Consent.at >= issue.released_at,
        )
    )
    return session.exec(query).one()


_COLUMNS: tuple[Any, ...] = (
    *(Ledger.id, Ledger.subscription_id, Ledger.person_id, Ledger.name, Ledger.address, _STANDING),
    func.coalesce(col(Ledger.excluded), col(Outgoing.answer)),
    *(Outgoing.settled_at, Outgoing.id, Outgoing.message_id, IssueReturn.outcome),
)


def _lines(issue: Issue, standing: Standing | None) -> Select[Any]:
    query = (
        sa_select(*_COLUMNS).select_from(Ledger).outerjoin(Outgoing, _LETTER).outerjoin(IssueReturn, _RETURN)
    )
    query = query.where(col(Ledger.issue_id) == issue.id).order_by(col(Ledger.id))
    return query.where(_STANDING.in_([standing.value])) if standing is not None else query
