"""Coming in: asked for by anybody, confirmed once by the address itself, from itself.

This yes is the one way back for whoever had left, complained or objected.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from mailhub.centre import people
from mailhub.centre.people import Person
from mailhub.centre.subscriptions import confirmation, consent, moving
from mailhub.centre.subscriptions.confirmation import About, Answer, Confirmation, Reply, Settled
from mailhub.centre.subscriptions.consent import Act, Evidence
from mailhub.centre.subscriptions.lapsing import erase_pending
from mailhub.centre.subscriptions.subscription import LIVE, Channel, State, Subscription, find, pend
from mailhub.mail.address import normalise
from mailhub.mail.tokens import Keyring


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of a wish to join."""

    confirmation: Confirmation | None  # the question to send; None: no letter leaves
    already: tuple[str, ...] = ()  # publications they receive already
    silent: str = ""  # why no question is sent


def ask(
    session: Session,
    keyring: Keyring,
    address: str,
    name: str | None,
    publications: Sequence[str],
    evidence: Evidence,
    *,
    proven: bool = False,
    channel: Channel = Channel.EMAIL,
) -> Asked:
    """Ask an address whether it wants these publications: one question for all of them, within the caps (T27).

    An address that objected is only asked when the wish is `proven` to be its own.
    """
    digest = consent.digest_of(keyring, address)
    person = people.recognise(session, address, name)
    rows = {code: find(session, code, people.identity(person)) if person else None for code in publications}
    already = tuple(code for code, row in rows.items() if row is not None and row.state in LIVE)
    wanted = [code for code in publications if code not in already]
    if not wanted:
        return Asked(None, already)
    if not proven and any(consent.is_suppressed(session, digest, code) for code in wanted):
        return Asked(None, already, "the address asked never to be written to")
    if not confirmation.may_ask(session, digest, evidence.at):
        return Asked(None, already, "asked already today, or three times this month")
    person = person or people.introduce(session, address, name, evidence.at)
    for code in wanted:
        if rows[code] is None:
            pend(session, code, person, channel, evidence.at)
    question = Confirmation(
        about=About.JOIN,
        person_id=people.identity(person),
        publications=",".join(wanted),
        channel=channel,
        address=normalise(address),
        digest=digest,
        shown=evidence.shown,
        note=evidence.note,
        recorded_by=evidence.recorded_by,
        asked_at=evidence.at,
    )
    session.add(question)
    session.flush()
    return Asked(question, already)


def answer(
    session: Session,
    confirmation_id: int,
    address: str | None,
    evidence: Evidence,
    *,
    yes: bool,
) -> Answer:
    """Settle a question by a yes or a no. `address` is who answers by mail; a page that bears the token gives None."""
    question = confirmation.claimed(session, confirmation_id)
    if question is None or question.reply is Reply.LAPSED:
        return Answer(Settled.GONE)
    known = question.address is not None  # else they said no, and it was erased
    if address is not None and known and normalise(address) != question.address:
        return Answer(Settled.ELSEWHERE, question)
    if question.reply is not None:
        if not yes and moving.object_to_move(session, question):
            return Answer(Settled.REFUSED, question)
        return Answer(Settled.ALREADY if question.reply is Reply.YES else Settled.REFUSED, question)
    question.reply, question.replied_at = (Reply.YES if yes else Reply.NO), evidence.at
    if question.about is not About.JOIN:
        return moving.settle(session, question, evidence, yes=yes)
    if not yes:
        erase_pending(session, question)
        return Answer(Settled.REFUSED, question)
    return Answer(Settled.DONE, question, _join(session, question, evidence))


def _join(session: Session, question: Confirmation, evidence: Evidence) -> tuple[Subscription, ...]:
    """The yes of the person herself: the one way back for whoever had left or objected."""
    person = session.get_one(Person, question.person_id)
    person.last_contact_at = max(person.last_contact_at, evidence.at)
    person.deceased = False
    _welcome_back(session, question, evidence.at)
    proof = Evidence(
        source=evidence.source,
        at=evidence.at,
        shown=question.shown,
        message_digest=evidence.message_digest,
        inbound_id=evidence.inbound_id,
        recorded_by=question.recorded_by,
        note=question.note,
    )
    changed = []
    for code in question.codes:
        row = find(session, code, question.person_id) or pend(
            session, code, person, question.channel, evidence.at
        )
        if row.state in LIVE:
            continue
        row.returns_since = evidence.at
        consent.record(session, row, Act.GIVEN, proof, state=State.ACTIVE, channel=question.channel)
        changed.append(row)
    return tuple(changed)


def _welcome_back(session: Session, question: Confirmation, now: datetime) -> None:
    """Lift what stands against these publications; an objection to everything goes on for the others."""
    scopes = consent.suppressed(session, question.digest)
    if consent.EVERYTHING in scopes:
        others = select(Subscription.publication).where(
            Subscription.person_id == question.person_id,
            Subscription.state == State.SUPPRESSED,
            col(Subscription.publication).not_in(question.codes),
        )
        for code in session.exec(others).all():
            consent.suppress(session, question.digest, code, consent.Source.MAIL, now)
    consent.lift(session, question.digest, frozenset({consent.EVERYTHING, *question.codes}), now)
