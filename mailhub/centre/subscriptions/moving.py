"""Moving: a new address, asked about at both; what failed at the old one stays behind with it."""

from collections.abc import Iterable

from sqlmodel import Session, select

from mailhub.centre import people
from mailhub.centre.people import Function, Person
from mailhub.centre.subscriptions import confirmation, consent
from mailhub.centre.subscriptions.confirmation import About, Answer, Confirmation, Reply, Settled
from mailhub.centre.subscriptions.consent import Act, Evidence
from mailhub.centre.subscriptions.subscription import LIVE, State, Subscription, held_by
from mailhub.mail.address import normalise
from mailhub.mail.tokens import Keyring


def ask_to_move(
    session: Session,
    keyring: Keyring,
    person: Person,
    old: str,
    new: str,
    evidence: Evidence,
    *,
    proven: bool,
) -> tuple[Confirmation, ...]:
    """Ask both addresses whether somebody moved from one to the other; no letter leaves for an address at its caps.

    `proven` says that the old address itself is known to have asked: its yes is taken as said, and it is only told.
    """
    digests = {address: consent.digest_of(keyring, address) for address in (old, new)}
    if consent.suppressed(session, digests[new]) or not all(
        confirmation.may_ask(session, digest, evidence.at) for digest in digests.values()
    ):
        return ()
    pair = [
        Confirmation(
            about=about,
            person_id=people.identity(person),
            address=normalise(address),
            other_address=normalise(other),
            digest=digests[address],
            shown=evidence.shown,
            asked_at=evidence.at,
        )
        for about, address, other in ((About.MOVE_FROM, old, new), (About.MOVE_TO, new, old))
    ]
    session.add_all(pair)
    session.flush()
    leaving, arriving = pair
    leaving.pair_id, arriving.pair_id = arriving.id, leaving.id
    if proven:
        leaving.reply, leaving.replied_at = Reply.YES, evidence.at
    return (leaving, arriving)


def object_to_move(session: Session, question: Confirmation) -> bool:
    """A no from the old address, even after it was taken to have said yes: stops a move that is not done yet."""
    other = session.get(Confirmation, question.pair_id) if question.pair_id else None
    if question.about is not About.MOVE_FROM or other is None or other.reply is Reply.YES:
        return False
    question.reply = other.reply = Reply.NO
    return True


def settle(session: Session, question: Confirmation, evidence: Evidence, *, yes: bool) -> Answer:
    """Carry a move out when both addresses said yes; failures at the old one are left behind with it (T15)."""
    other = session.get(Confirmation, question.pair_id) if question.pair_id else None
    if not yes or other is None or other.reply in {Reply.NO, Reply.LAPSED}:
        if other is not None and other.reply is None:
            other.reply, other.replied_at = Reply.NO, evidence.at
        return Answer(Settled.REFUSED, question)
    if other.reply is None:
        return Answer(Settled.WAITING, question)
    leaving, arriving = (question, other) if question.about is About.MOVE_FROM else (other, question)
    if not leaving.address or not arriving.address:
        return Answer(Settled.GONE, question)
    person = session.get(Person, question.person_id)
    if person is None:  # they wanted nothing after all, and were forgotten
        return Answer(Settled.GONE, question)
    people.change_address(session, person, arriving.address, evidence.at)
    changed = _start_afresh(session, held_by(session, [people.identity(person)]), person, evidence)
    return Answer(Settled.DONE, question, changed)


def succeed(session: Session, seat: Function, person: Person, evidence: Evidence) -> None:
    """A function has a new holder: what failed at the address of the one before stays behind with them (T15)."""
    rows = session.exec(select(Subscription).where(Subscription.function_id == seat.id)).all()
    _start_afresh(session, rows, person, evidence)


def _start_afresh(
    session: Session, rows: Iterable[Subscription], person: Person, evidence: Evidence
) -> tuple[Subscription, ...]:
    """Older failures no longer count; those that are live, which are given back, are written to again."""
    changed = []
    for row in rows:
        row.returns_since = evidence.at
        if row.state in LIVE:
            state = State.ACTIVE if row.state is State.SUSPENDED else row.state
            consent.record(session, row, Act.MOVED, evidence, state=state, person_id=people.identity(person))
            changed.append(row)
    return tuple(changed)
