"""Complaints: somebody pressed « spam ». That list stops at once for that address; they are never answered (D34)."""

from mailhub.centre import people, subscriptions
from mailhub.centre.subscriptions import Evidence, Source, Subscription
from mailhub.handlers import correspondence, letters
from mailhub.handlers.desk import Desk, Outcome
from mailhub.journal import Verdict
from mailhub.mail import complaints, notices, threads
from mailhub.mail.complaints import Complaint
from mailhub.mail.tokens import Token
from mailhub.understand import Reading


def handle(reading: Reading, desk: Desk) -> Outcome:
    """Stop the list the complaint is about, when a token of ours says which and whose; else show it to staff."""
    complaint = complaints.read(reading.message)
    if complaint is None or not complaint.leaves:
        kind = complaint.feedback_type if complaint else "unreadable"
        return Outcome(Verdict.AUTOMATIC, f"a report of {kind}: noted")
    row = _about(reading, desk, complaint)
    if row is None:
        return _unproven(reading, desk, complaint)
    person = subscriptions.reader_of(desk.session, row)
    number = people.identity(person) if person else 0
    address = people.addresses(desk.session, [number]).get(number)
    evidence = Evidence(Source.COMPLAINT, desk.now, inbound_id=reading.number, note=complaint.feedback_type)
    subscriptions.complain(desk.session, desk.centre.keyring, row, address, evidence)
    titles = correspondence.publications(desk, [row.publication])
    values = {
        "known": True,
        "title": titles[0].title if titles else row.publication,
        "reader": correspondence.card(desk, person, [row]),
        "kind_label": desk.renderer.words("complaints", kind=complaint.feedback_type),
        "recipient": None,
        "mail": reading.number,
    }
    drafts = letters.to_team(
        desk, "subscription-complaint", f"subscription-complaint:{reading.number}", values
    )
    return Outcome(
        Verdict.COMMAND_DONE, f"complaint: {row.publication} stopped for subscription {row.id}", drafts
    )


def _about(reading: Reading, desk: Desk, complaint: Complaint) -> Subscription | None:
    """The subscription a complaint is about, by our own signature: addresses in it are redacted or forged."""
    found = (correspondence.subscription_of(desk, token) for token in _tokens(reading, desk, complaint))
    return next((row for row in found if row is not None), None)


def _tokens(reading: Reading, desk: Desk, complaint: Complaint) -> list[Token]:
    """Every good token the report brings: the address it came to, our Message-ID, our leave address."""
    keyring = desk.centre.keyring
    found = [reading.token]
    if complaint.message_id:
        found.append(threads.token_of_id(keyring, complaint.message_id))
    returned = notices.read(reading.message)
    for name in ("List-Unsubscribe", "Return-Path", "Reply-To"):
        for piece in (returned.returned_header(name) or "").replace("<", " ").replace(">", " ").split():
            _, tag = desk.centre.service_at(piece.removeprefix("mailto:").partition("?")[0].strip(","))
            found.append(keyring.open(tag) if tag else None)
    return [token for token in found if token is not None]


def _unproven(reading: Reading, desk: Desk, complaint: Complaint) -> Outcome:
    """An address alone proves nothing: a complaint must not be a way to silence somebody else."""
    values = {
        "known": False,
        "title": "",
        "reader": correspondence.card(desk, None, []),
        "kind_label": desk.renderer.words("complaints", kind=complaint.feedback_type),
        "recipient": complaint.recipient,
        "mail": reading.number,
    }
    drafts = letters.to_team(
        desk, "subscription-complaint", f"subscription-complaint:{reading.number}", values
    )
    return Outcome(
        Verdict.TRIAGE, f"complaint about nothing we can prove, shown to {len(drafts)} of staff", drafts
    )
