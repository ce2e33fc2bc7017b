"""The courier's side of the outbox: what is due, taken hold of as *sending*, and what came of it, many at a time.

Rows are read and written in groups and never become objects: a letter to ten thousand costs the same for each.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, Table, bindparam, or_, update
from sqlmodel import Session, SQLModel, col, select

from mailhub.centre import publications, subscriptions
from mailhub.centre.subscriptions import Channel, State, Subscription
from mailhub.outbox import personal
from mailhub.outbox.letter import LEASE, Outgoing, OutgoingState, Retries

_ROWS: Table = SQLModel.metadata.tables["outgoing"]


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
    next_at: datetime
    attempts: int


_CLAIMED = [_ROWS.c[name] for name in Claim._fields]


@dataclass(frozen=True, slots=True)
class Ending:
    """What came of one letter, as it is written to its row."""

    id: int
    state: OutgoingState
    answer: str
    next_at: datetime
    tried: bool = True  # False: the wire was never touched for it

    @classmethod
    def sent(cls, claim: Claim, answer: str) -> "Ending":
        """The relay took it."""
        return cls(claim.id, OutgoingState.SENT, answer, claim.next_at)

    @classmethod
    def failed(cls, claim: Claim, answer: str) -> "Ending":
        """It will not be tried again (D39: a 5yz never is)."""
        return cls(claim.id, OutgoingState.FAILED, answer, claim.next_at)

    @classmethod
    def in_doubt(cls, claim: Claim, answer: str) -> "Ending":
        """Nobody knows."""
        return cls(claim.id, OutgoingState.IN_DOUBT, answer, claim.next_at)

    @classmethod
    def deferred(cls, claim: Claim, answer: str, now: datetime, retries: Retries) -> "Ending":
        """Refused for now: tried again later, or failed when the time for that is over."""
        again = retries.next_at(claim.attempts + 1, claim.created_at, now)
        if again is None:
            return cls.failed(claim, f"given up: {answer}")
        return cls(claim.id, OutgoingState.DEFERRED, answer, again)

    @classmethod
    def put_back(cls, claim: Claim, answer: str, again_at: datetime) -> "Ending":
        """The wire was never touched for it: it waits as if nothing had happened."""
        state = OutgoingState.DEFERRED if claim.attempts else OutgoingState.WAITING
        return cls(claim.id, state, answer, again_at, tried=False)


def is_due(session: Session, now: datetime) -> bool:
    """Say whether any letter could be claimed, without taking hold of it."""
    query = select(Outgoing.id).where(
        col(Outgoing.state).in_([OutgoingState.WAITING, OutgoingState.DEFERRED]), col(Outgoing.next_at) <= now
    )
    return session.exec(query.limit(1)).first() is not None


def waiting(session: Session, now: datetime, limit: int, paused: Collection[str] = ()) -> list[Claim]:
    """Letters that are due, held until the transaction ends; destinations in `paused` wait their turn.

    Letters to one go before letters to many, and what was never tried before what was. A copy whose reader has left
    since the roster was frozen is withdrawn here, at the last moment at which that is certain (D23, S32).
    """
    while found := _found(session, now, limit, paused):
        unwanted = _unwanted(session, [claim for claim in found if claim.issue_id is not None], now)
        if not unwanted:
            return found
        _withdraw(session, unwanted, now)
        if kept := [claim for claim in found if claim.id not in unwanted]:
            return kept
    return []


def _found(session: Session, now: datetime, limit: int, paused: Collection[str]) -> list[Claim]:
    found: list[Claim] = []
    silent = publications.silent(session)
    for bulk in (False, True):
        for state in (OutgoingState.WAITING, OutgoingState.DEFERRED):
            if len(found) < limit:
                query = _due(paused, silent if bulk else ())
                values = {"now": now, "state": state, "bulk": bulk, "most": limit - len(found)}
                found += map(Claim._make, session.connection().execute(query, values))
    return found


def _unwanted(session: Session, copies: Sequence[Claim], now: datetime) -> dict[int, str]:
    """Copies nobody named on them wants any more, and why; nearly always none, found with one question."""
    if not copies:
        return {}
    readers = [copy.subscription_id for copy in copies]
    active = set(session.connection().scalars(_ACTIVE, {"readers": readers}))
    gone: dict[int, str] = {}
    for copy in copies:
        if copy.subscription_id in active:
            continue
        named = [copy.subscription_id or 0, *personal.also(copy.personal or "")]
        if not any(subscriptions.is_wanted(session, each, Channel.EMAIL, now) for each in named):
            row = session.get(Subscription, named[0])
            gone[copy.id] = str(row.state_at(now)) if row else "gone"
    return gone


def _withdraw(session: Session, unwanted: Mapping[int, str], now: datetime) -> None:
    rows = [{"letter": letter, "why": why, "at": now} for letter, why in unwanted.items()]
    session.connection().execute(_WITHDRAW, rows)


def take(session: Session, claims: Sequence[Claim], now: datetime) -> None:
    """Write down that these are about to leave: committed before the wire is touched (D45)."""
    if claims:
        session.connection().execute(_TAKE, {"ids": [claim.id for claim in claims], "lease": now + LEASE})


def settle(session: Session, endings: Sequence[Ending], now: datetime) -> None:
    """Write down what came of letters; a doubt that somebody noted meanwhile is resolved, nothing else overruled."""
    if endings:
        session.connection().execute(
            _SETTLE,
            [
                {
                    "letter": ending.id,
                    "state": ending.state,
                    "answer": ending.answer,
                    "next_at": ending.next_at,
                    "settled_at": now if ending.tried else None,
                    "tries": int(ending.tried),
                }
                for ending in endings
            ],
        )


def abandoned(session: Session, now: datetime, *, everything: bool = False) -> list[Outgoing]:
    """Letters a dead courier held; `everything` that is being sent, at the start of the only process of a home."""
    query = select(Outgoing).where(Outgoing.state == OutgoingState.SENDING).with_for_update(skip_locked=True)
    if not everything:
        query = query.where(col(Outgoing.lease_until) < now)
    return list(session.exec(query).all())


# Built once: building a question costs more than its answer, and these are asked for every few letters.
_DUE = (
    _ROWS.select()
    .with_only_columns(*_CLAIMED)
    .where(
        _ROWS.c.state == bindparam("state"),
        _ROWS.c.bulk == bindparam("bulk"),
        _ROWS.c.next_at <= bindparam("now"),
        or_(_ROWS.c.expires_at.is_(None), _ROWS.c.expires_at > bindparam("now")),
    )
    .order_by(_ROWS.c.next_at, _ROWS.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_TAKE = (
    update(_ROWS)
    .where(_ROWS.c.id.in_(bindparam("ids", expanding=True)))
    .values(state=OutgoingState.SENDING, lease_until=bindparam("lease"))
)
_ACTIVE = select(Subscription.id).where(
    col(Subscription.id).in_(bindparam("readers", expanding=True)), Subscription.state == State.ACTIVE
)
_WITHDRAW = (
    update(_ROWS)
    .where(_ROWS.c.id == bindparam("letter"))
    .values(state=OutgoingState.WITHDRAWN, answer=bindparam("why"), settled_at=bindparam("at"))
)
_SETTLE = (
    update(_ROWS)
    .where(
        _ROWS.c.id == bindparam("letter"),
        or_(_ROWS.c.state == OutgoingState.SENDING, _ROWS.c.state == OutgoingState.IN_DOUBT),
    )
    .values(
        state=bindparam("state"),
        answer=bindparam("answer"),
        next_at=bindparam("next_at"),
        settled_at=bindparam("settled_at"),
        attempts=_ROWS.c.attempts + bindparam("tries"),
        lease_until=None,
    )
)


def _due(paused: Collection[str], silent: Collection[int]) -> Select[tuple[object, ...]]:
    query = _DUE
    if paused:
        query = query.where(_ROWS.c.destination.not_in(list(paused)))
    if silent:
        query = query.where(_ROWS.c.issue_id.not_in(list(silent)))
    return query
