"""Complaints: somebody pressed « spam ». That list stops at once for that address; they are never answered (D34)."""

from mailhub.centre import people, publications, returns, subscriptions
from mailhub.centre.subscriptions import LIVE, Evidence, Source, Subscription
from mailhub.handlers import correspondence, letters
from mailhub.handlers.desk import Desk, Outcome
from mailhub.journal import Verdict
from mailhub.mail import complaints, notices, threads
from mailhub.mail.complaints import Complaint
from mailhub.mail.tokens import Purpose, Token
from mailhub.understand import Reading

_OF_COPIES = frozenset({Purpose.ISSUE, Purpose.ISSUE_RETURN})


def handle(reading: Reading, desk: Desk) -> Outcome:
    """Stop the list the complaint is about, when a token of ours says which and whose; else show it to staff."""
    complaint = complaints.read(reading.message)
    if complaint is None or not complaint.leaves:
        kind = complaint.feedback_type if complaint else "unreadable"
        return Outcome(Verdict.AUTOMATIC, f"a report of {kind}: noted")
    about = _about(reading, desk, complaint)
    if about is None:
        return _unproven(reading, desk, complaint)
    row, token = about
    person = subscriptions.reader_of(desk.session, row)
    copy = (
        publications.copy_of(desk.session, token.thread, row.id or 0) if token.purpose in _OF_COPIES else None
    )
    address = copy.address if copy else people.current_address(desk.session, person)
    evidence = Evidence(Source.COMPLAINT, desk.now, inbound_id=reading.number, note=complaint.feedback_type)
    if not returns.went_to_reader(desk.session, row, copy):
        if address:
            subscriptions.shun(desk.session, desk.centre.keyring, row.publication, address, evidence)
        return Outcome(
            Verdict.COMMAND_DONE, f"complaint of whoever held the function of subscription {row.id} before"
        )
    beside = _others_at(desk, row, address)
    subscriptions.complain(desk.session, desk.centre.keyring, row, address, evidence, beside=beside)
    titles = correspondence.publications(desk, [row.publication])
    values = {
        "known": True,
        "title": titles[0].title if titles else row.publication,
        "reader": correspondence.card(desk, person, [row, *beside]),
        "kind_label": desk.renderer.words("complaints", kind=complaint.feedback_type),
        "recipient": None,
        "mail": reading.number,
    }
    drafts = letters.to_team(
        desk, "subscription-complaint", f"subscription-complaint:{reading.number}", values
    )
    return Outcome(
        Verdict.COMMAND_DONE,
        f"complaint: {row.publication} stopped for {_numbers(row, *beside)}",
        drafts,
    )


def _about(reading: Reading, desk: Desk, complaint: Complaint) -> tuple[Subscription, Token] | None:
    """The subscription a complaint is about, by our own signature: addresses in it are redacted or forged."""
    for token in _tokens(reading, desk, complaint):
        row = correspondence.subscription_of(desk, token)
        if row is not None:
            return row, token
    return None


def _others_at(desk: Desk, row: Subscription, address: str | None) -> list[Subscription]:
    """What others who share the address receive of the same publication: their copy is the one that was reported."""
    persons = [people.identity(person) for person in people.all_at(desk.session, address or "")]
    there = [person for person, at in people.addresses(desk.session, persons).items() if at == address]
    return [
        other
        for other in subscriptions.held_by(desk.session, there)
        if other.publication == row.publication and other.id != row.id and other.state in LIVE
    ]


def _numbers(*rows: Subscription) -> str:
    return f"subscription {', '.join(str(row.id) for row in rows)}"


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
