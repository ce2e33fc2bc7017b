"""Copies of issues in the outbox: planned at release, taken back for who leaves, dropped when their time is over."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from sqlalchemy import Table, func, literal, text, update
from sqlalchemy import select as sa_select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, select

from mailhub import storage
from mailhub.centre import people, publications
from mailhub.centre.profile import Centre, Service
from mailhub.centre.publications import Issue, Ledger
from mailhub.centre.returns import IssueReturn, Returned
from mailhub.centre.subscriptions import Subscription
from mailhub.mail import threads
from mailhub.mail.address import Mailbox, domain_of
from mailhub.mail.newsletter import Form
from mailhub.mail.tokens import Purpose, Token
from mailhub.outbox import personal
from mailhub.outbox.endings import Ending
from mailhub.outbox.letter import UNSENT, Outgoing, OutgoingState, return_id
from mailhub.rows import insert_missing

if TYPE_CHECKING:  # heavy: a command that only looks must not load Jinja
    from mailhub.render import Renderer

AT_ONCE = 1000  # rows to one statement: an issue to any number takes the same memory
_ROWS: Table = SQLModel.metadata.tables["outgoing"]


def plan(session: Session, issue: Issue, centre: Centre, renderer: "Renderer", now: datetime) -> int:
    """Owe a copy to every line of the frozen roster that has one coming by email; say how many are new."""
    asks_for_greeting = Form(storage.fetch(session, issue.digest)).asks_for_greeting
    greeting = renderer.template("mail/issue/greeting.txt") if asks_for_greeting else None

    def rows() -> Iterator[dict[str, object]]:
        for line in publications.lines(session, issue):
            words = greeting.render(name=line.name).strip() if greeting else ""
            yield _row(issue, line, centre, words, now)

    each, new = rows(), 0
    while batch := list(islice(each, AT_ONCE)):
        new += insert_missing(session, Outgoing, batch)
    if session.get_bind().dialect.name == "postgresql":
        # Else its planner learns of so many rows a minute later, and until then sorts all of them for every claim.
        session.connection().execute(text("ANALYZE outgoing"))
    return new


def stop(session: Session, issue: Issue, now: datetime) -> int:
    """End an issue: what has not left never will; say how many copies that is."""
    publications.stop(session, issue)
    return take_back(session, issue, now)


def take_back(session: Session, issue: Issue, now: datetime) -> int:
    """Withdraw the copies of a stopped issue that have not left, also those that were in hand when it was stopped."""
    of_issue = _ROWS.c.issue_id == issue.id
    return _take_back(session, of_issue, OutgoingState.WITHDRAWN, "stopped", now)


def seal(session: Session, issue: Issue, now: datetime) -> None:
    """Let no copy of a stopped issue leave any more, whatever a person says later of one in doubt or refused."""
    of_issue = update(_ROWS).where(_ROWS.c.issue_id == issue.id, _ROWS.c.state != OutgoingState.SENT)
    session.connection().execute(of_issue.values(expires_at=now))


def expire(session: Session, now: datetime) -> int:
    """Drop copies whose time is over: reported as failed, never sent late (D43)."""
    over = _ROWS.c.expires_at <= now
    return _take_back(session, over, OutgoingState.FAILED, f"{Ending.EXPIRED}: its deadline has passed", now)


def count_sent(session: Session, issue: Issue) -> int:
    """Tell `returns` of copies the relay took: an issue that got through ends a row of failures. Idempotent."""
    row = _ROWS.c
    copies = (
        sa_select(row.subscription_id, row.issue_id, row.recipient, literal(Returned.SENT.value))
        .add_columns(row.settled_at, row.settled_at.label("at"))
        .where(row.issue_id == issue.id, row.state == OutgoingState.SENT)
        .where(row.subscription_id.in_(sa_select(col(Subscription.id))))
    )
    columns = ["subscription_id", "issue_id", "address", "outcome", "first_at", "at"]
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    done = session.connection().execute(
        insert(IssueReturn).from_select(columns, copies).on_conflict_do_nothing()
    )
    return done.rowcount


def unfinished(session: Session, issue: Issue) -> int:
    """How many copies of an issue are still to leave, or on the wire."""
    ahead = col(Outgoing.state).in_([*UNSENT, OutgoingState.SENDING])
    query = select(func.count()).select_from(Outgoing).where(Outgoing.issue_id == issue.id, ahead)
    return session.exec(query).one()


def _row(issue: Issue, line: Ledger, centre: Centre, greeting: str, now: datetime) -> dict[str, object]:
    key = f"issue:{issue.publication}:{issue.number}:{line.subscription_id}"
    number, address, seal = people.identity(issue), line.address or "", centre.keyring.seal
    copy = Token(Purpose.ISSUE, number, line.subscription_id)
    leave = Token(Purpose.LEAVE, line.subscription_id, line.person_id or 0)
    return {
        "key": key,
        "return_id": return_id(key),
        "kind": "issue",
        "recipient": address,
        "destination": domain_of(address),
        "envelope_from": centre.address(
            Service.RETURNS, seal(Token(Purpose.ISSUE_RETURN, number, line.subscription_id))
        ),
        # The same for ever, so that a copy that comes twice is seen to be one (D11).
        "message_id": threads.message_id(centre.keyring, copy, key, centre.domain),
        "subject": issue.subject,
        "digest": issue.digest,
        "personal": personal.written(
            Mailbox(line.name or None, address), seal(leave), greeting, line.shared_with
        ),
        "bulk": True,
        "issue_id": number,
        "subscription_id": line.subscription_id,
        "created_at": now,
        "expires_at": issue.expires_at,
        "state": OutgoingState.WAITING,
        "next_at": now,
        "attempts": 0,
    }


def _take_back(session: Session, which: object, state: OutgoingState, why: str, now: datetime) -> int:
    done = session.connection().execute(
        update(_ROWS)
        .where(which, _ROWS.c.bulk.is_(True), _ROWS.c.state.in_(UNSENT))  # type: ignore[arg-type]
        .values(state=state, answer=why, settled_at=now)
    )
    return done.rowcount
