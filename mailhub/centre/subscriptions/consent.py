"""Proof: one record for each thing anybody decided about a subscription, and addresses never to be written to.

Records are only ever added; the database itself refuses to change or remove one (D46). They name nobody in clear:
an address is kept as a keyed digest, so that they outlive the erasure of a person (and refuse her return by a file).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Index
from sqlmodel import Field, Session, SQLModel, col, select

from mailhub.centre.subscriptions.subscription import Channel, State, Subscription
from mailhub.database import words
from mailhub.errors import ChangedMeanwhile
from mailhub.mail.address import normalise
from mailhub.mail.tokens import Keyring

EVERYTHING = "*"  # the scope of a suppression that holds for every publication


class Act(StrEnum):
    """What was decided."""

    GIVEN = "given"  # yes, by the person
    INFORMED = "informed"  # a professional address, told of its right to object (CPCE L34-5)
    WITHDRAWN = "withdrawn"
    OBJECTED = "objected"  # never again
    PAUSED = "paused"
    RESUMED = "resumed"
    CHANNEL = "channel"  # email, paper or both
    MOVED = "moved"  # to another address
    RESTORED = "restored"  # the last decision was taken back
    COMPLAINED = "complained"  # reported as spam
    STOPPED = "stopped"  # by us: its email came back


class Source(StrEnum):
    """Where a decision came from."""

    MAIL = "mail"
    PAGE = "page"
    ONE_CLICK = "one-click"  # RFC 8058
    STAFF = "staff"  # somebody told us; the note says how
    IMPORT = "import"
    RETURNS = "returns"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a decision comes from and what proves it."""

    source: Source
    at: datetime
    shown: str = ""  # what the person was shown, or the rule that applied
    message_digest: str | None = None  # SHA-256 of the mail that says it
    inbound_id: int | None = None  # its journal number
    recorded_by: str = ""  # the member of staff who noted it
    note: str = ""  # what they noted: « demandé par téléphone le 3 mars »


class Consent(SQLModel, table=True):
    """One decision, for ever. No foreign key: it stays when the person and the subscription are erased."""

    __table_args__ = (Index("ix_consent_subscription_id_id", "subscription_id", "id"),)
    id: int | None = Field(default=None, primary_key=True)
    subscription_id: int
    person_id: int | None = Field(default=None, index=True)
    publication: str
    act: Act = Field(sa_column=Column(words(Act), nullable=False))
    at: datetime
    source: Source = Field(sa_column=Column(words(Source), nullable=False))
    shown: str  # what they were shown
    message_digest: str | None = None
    inbound_id: int | None = None
    recorded_by: str = ""
    note: str = ""
    state_before: State = Field(sa_column=Column(words(State), nullable=False))
    state_after: State = Field(sa_column=Column(words(State), nullable=False))
    channel_before: Channel = Field(sa_column=Column(words(Channel), nullable=False))
    channel_after: Channel = Field(sa_column=Column(words(Channel), nullable=False))
    paused_from_before: datetime | None = None  # the pause before, for whoever takes a longer one back
    paused_until_before: datetime | None = None


class Suppression(SQLModel, table=True):
    """An address never to be written to, as a keyed digest: it survives erasure and names nobody."""

    __table_args__ = (Index("ix_suppression_digest_scope", "digest", "scope"),)
    id: int | None = Field(default=None, primary_key=True)
    digest: str
    scope: str  # EVERYTHING, or the code of a publication
    source: Source = Field(sa_column=Column(words(Source), nullable=False))
    at: datetime
    lifted_at: datetime | None = None  # they took it back themselves


def record(
    session: Session,
    row: Subscription,
    act: Act,
    evidence: Evidence,
    *,
    state: State | None = None,
    channel: Channel | None = None,
    person_id: int | None = None,
) -> Consent:
    """Move a subscription to a state or channel and write down why: the only way either ever changes.

    Raises `ChangedMeanwhile` when another process moved it since it was looked at: what was decided may no longer
    hold. What is pending is held by the question about it.
    """
    assert row.id is not None
    if row.state is not State.PENDING:
        seen = (row.state, row.channel)
        session.flush()
        session.refresh(row, with_for_update=True)
        if (row.state, row.channel) != seen:
            raise ChangedMeanwhile
    kept = Consent(
        subscription_id=row.id,
        person_id=person_id or row.person_id,
        publication=row.publication,
        act=act,
        at=evidence.at,
        source=evidence.source,
        shown=evidence.shown,
        message_digest=evidence.message_digest,
        inbound_id=evidence.inbound_id,
        recorded_by=evidence.recorded_by,
        note=evidence.note,
        state_before=row.state,
        state_after=state or row.state,
        channel_before=row.channel,
        channel_after=channel or row.channel,
        paused_from_before=row.paused_from,
        paused_until_before=row.paused_until,
    )
    row.state, row.channel, row.changed_at = kept.state_after, kept.channel_after, evidence.at
    session.add(kept)
    return kept


def history(session: Session, subscription_id: int) -> list[Consent]:
    """Every decision about a subscription, oldest first."""
    query = select(Consent).where(Consent.subscription_id == subscription_id).order_by(col(Consent.id))
    return list(session.exec(query).all())


def digest_of(keyring: Keyring, address: str) -> str:
    """What stands for an address where it must not be readable."""
    return keyring.fingerprint(f"address {normalise(address)}")


def suppress(session: Session, digest: str, scope: str, source: Source, at: datetime) -> None:
    """Never write to an address again, for one publication or for all; said once, however often."""
    if scope not in suppressed(session, digest):
        session.add(Suppression(digest=digest, scope=scope, source=source, at=at))
        session.flush()


def suppressed(session: Session, digest: str) -> frozenset[str]:
    """The scopes for which an address is suppressed."""
    query = select(Suppression.scope).where(
        Suppression.digest == digest, col(Suppression.lifted_at).is_(None)
    )
    return frozenset(session.exec(query).all())


def is_suppressed(session: Session, digest: str, publication: str) -> bool:
    """Say whether an address must not be sent this publication."""
    return bool(suppressed(session, digest) & {EVERYTHING, publication})


def lift(session: Session, digest: str, scopes: frozenset[str], at: datetime) -> None:
    """Take suppressions back, because the person says so."""
    query = select(Suppression).where(
        Suppression.digest == digest,
        col(Suppression.lifted_at).is_(None),
        col(Suppression.scope).in_(list(scopes)),
    )
    for row in session.exec(query).all():
        row.lifted_at = at
