"""The courier's side of the outbox: what is due, taken hold of as *sending*, and what came of it, many at a time.

Rows are read and written in groups and never become objects: a letter to ten thousand costs the same for each.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Select, Table, and_, bindparam, false, func, or_, update
from sqlalchemy import select as sa_select
from sqlmodel import Session, SQLModel, col, select

from mailhub import rows
from mailhub.centre import publications, returns, subscriptions
from mailhub.centre.subscriptions import Channel, State, Subscription
from mailhub.outbox import personal
from mailhub.outbox.letter import LEASE, UNSENT, Outgoing, OutgoingState

_ROWS: Table = SQLModel.metadata.tables["outgoing"]
_Query = TypeVar("_Query", bound=Select[Any])


class Claim(NamedTuple):
    """What a courier needs of one letter."""

    id: int
    envelope_from: str
    recipient: str
    destination: str
    digest: str
    personal: str | None
    message_id: str
    issue_id: int | None
    subscription_id: int | None
    created_at: datetime
    is_wanted: bool  # at a glance: a person's own subscription, active; else it is looked into


def is_due(session: Session, now: datetime, paused: Collection[str] = ()) -> bool:
    """Say whether any letter could be claimed, without taking hold of it."""
    return any(_ask(session, query, paused, now=now) for query in _ANY_DUE)


def copies_waiting(session: Session, most: int) -> int:
    """How many copies of issues wait for their first try, counted no further than `most`."""
    count: int = rows.value(session, _HOW_MANY, most=most)
    return count


def waiting(session: Session, now: datetime, limit: int, paused: Collection[str] = ()) -> list[Claim]:
    """Letters that are due, held until the transaction ends; destinations in `paused` wait their turn.

    Letters to one go before letters to many, and what was never tried before what was. A copy whose reader has left
    since the roster was frozen, or whose function somebody else holds, is withdrawn here, at the last moment at which
    that is certain (D23, S32).
    """
    while found := _found(session, now, limit, paused):
        unwanted = _unwanted(session, found, now)
        if not unwanted:
            return found
        _withdraw(session, unwanted, now)
        if kept := [claim for claim in found if claim.id not in unwanted]:
            return kept
    return []


def _found(session: Session, now: datetime, limit: int, paused: Collection[str]) -> list[Claim]:
    found: list[Claim] = []
    for query in (_TO_ONE, _TO_MANY, _TO_MANY_AGAIN):
        if len(found) < limit:
            found += map(Claim._make, _ask(session, query, paused, now=now, most=limit - len(found)))
    return found


def _ask(
    session: Session, query: Select[Any], paused: Collection[str], **values: object
) -> Sequence[Sequence[Any]]:
    """What a question about letters finds, but for those to destinations that wait their turn."""
    if not paused:
        return rows.ask(session, query, **values)
    # Rare, and never the same list for long: not worth a statement kept prepared.
    return session.connection().execute(query.where(_ROWS.c.destination.not_in(list(paused))), values).all()


def _unwanted(session: Session, claims: Sequence[Claim], now: datetime) -> dict[int, str]:
    """Copies nobody named on them wants or reads any more, and why."""
    gone: dict[int, str] = {}
    for claim in claims:
        if claim.issue_id is None or claim.is_wanted:
            continue
        named = [claim.subscription_id or 0, *personal.also(claim.personal or "")]
        against = [_against(session, claim.issue_id, each, now) for each in named]
        if all(against):
            gone[claim.id] = against[0] or ""
    return gone


def _against(session: Session, issue_id: int, subscription_id: int, now: datetime) -> str | None:
    """Why a copy is not to go to one it names, in one word; None when it is."""
    row = session.get(Subscription, subscription_id)
    if row is None:
        return "gone"
    if not subscriptions.is_wanted(session, subscription_id, Channel.EMAIL, now):
        state = row.state_at(now)
        return "deceased" if state is State.ACTIVE else str(state)
    copy = publications.copy_of(session, issue_id, subscription_id)
    return None if returns.went_to_reader(session, row, copy) else "succeeded"


def _withdraw(session: Session, unwanted: Mapping[int, str], now: datetime) -> None:
    rows.ask_each(
        session, _WITHDRAW, [{"letter": letter, "why": why, "at": now} for letter, why in unwanted.items()]
    )


def take(session: Session, claims: Sequence[Claim], now: datetime) -> None:
    """Write down that these are about to leave: committed before the wire is touched (D45)."""
    if claims:
        session.connection().execute(_TAKE, {"ids": [claim.id for claim in claims], "lease": now + LEASE})


def settle_sent(session: Session, sent: Sequence[tuple[int, str]], now: datetime) -> None:
    """The relay took these, and said so; a doubt that somebody noted meanwhile is resolved too."""
    if sent:
        rows.ask_each(session, _SENT, [{"letter": letter, "said": said, "at": now} for letter, said in sent])


def abandoned(session: Session, now: datetime, *, everything: bool = False) -> list[Outgoing]:
    """Letters a dead courier held; `everything` that is being sent, at the start of the only process of a home."""
    query = select(Outgoing).where(Outgoing.state == OutgoingState.SENDING).with_for_update(skip_locked=True)
    if not everything:
        query = query.where(col(Outgoing.lease_until) < now)
    return list(session.exec(query).all())


# Built once: building a question costs more than its answer, and these are asked for every few letters.
def _due(query: _Query, *states: OutgoingState, bulk: bool) -> _Query:
    """Letters that may leave now."""
    row = _ROWS.c
    if bulk:
        query = query.where(row.issue_id.not_in(publications.silent()))
    return query.where(
        or_(*(row.state == state for state in states)),
        row.bulk.is_(bulk),
        row.next_at <= bindparam("now"),
        or_(row.expires_at.is_(None), row.expires_at > bindparam("now")),
    )


def _held(query: _Query) -> _Query:
    """They, in the order of their index: it costs the same however many wait."""
    in_order = query.order_by(_ROWS.c.next_at, _ROWS.c.id).limit(bindparam("most"))
    return in_order.with_for_update(skip_locked=True, of=_ROWS)


_COLUMNS = [_ROWS.c[name] for name in Claim._fields if name != "is_wanted"]
_LETTERS: Select[tuple[object, ...]] = sa_select(*_COLUMNS, false())
_IS_OWN_AND_ACTIVE = and_(col(Subscription.state) == State.ACTIVE, col(Subscription.person_id).is_not(None))
_COPIES: Select[tuple[object, ...]] = (
    sa_select(*_COLUMNS, func.coalesce(_IS_OWN_AND_ACTIVE, false()))
    .select_from(_ROWS)
    .outerjoin(Subscription, col(Subscription.id) == _ROWS.c.subscription_id)
)
_TO_ONE = _held(_due(_LETTERS, *UNSENT, bulk=False))
_TO_MANY = _held(_due(_COPIES, OutgoingState.WAITING, bulk=True))
_TO_MANY_AGAIN = _held(_due(_COPIES, OutgoingState.DEFERRED, bulk=True))
_ANY_DUE = [_due(sa_select(_ROWS.c.id), *UNSENT, bulk=bulk).limit(1) for bulk in (False, True)]
_HOW_MANY = sa_select(func.count()).select_from(
    sa_select(_ROWS.c.id)
    .where(_ROWS.c.state == OutgoingState.WAITING, _ROWS.c.bulk.is_(True))
    .limit(bindparam("most"))
    .subquery()
)
_TAKE = (
    update(_ROWS)
    .where(_ROWS.c.id.in_(bindparam("ids", expanding=True)))
    .values(state=OutgoingState.SENDING, lease_until=bindparam("lease"))
)
_WITHDRAW = (
    update(_ROWS)
    .where(_ROWS.c.id == bindparam("letter"))
    .values(state=OutgoingState.WITHDRAWN, answer=bindparam("why"), settled_at=bindparam("at"))
)
_SENT = (
    update(_ROWS)
    .where(
        _ROWS.c.id == bindparam("letter"),
        or_(_ROWS.c.state == OutgoingState.SENDING, _ROWS.c.state == OutgoingState.IN_DOUBT),
    )
    .values(
        state=OutgoingState.SENT,
        answer=bindparam("said"),
        settled_at=bindparam("at"),
        attempts=_ROWS.c.attempts + 1,
        lease_until=None,
    )
)
