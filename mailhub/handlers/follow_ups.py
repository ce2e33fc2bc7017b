"""More mail in a thread: the asker again, a thank-you, or a third party who was shown the answer."""

from mailhub.centre import people, requests
from mailhub.centre.requests import ExchangeKind, Request
from mailhub.handlers import incoming, letters
from mailhub.handlers.desk import Desk, Outcome
from mailhub.journal import Verdict
from mailhub.mail import hints
from mailhub.understand import Reading


def handle(reading: Reading, desk: Desk) -> Outcome:
    """Add the mail to its thread and tell whoever owns it; open a linked request when the old one is long closed."""
    assert reading.sender is not None
    assert reading.standing.request_id is not None
    request = desk.session.get_one(Request, reading.standing.request_id)
    if not reading.standing.participant:
        copies = incoming.from_third_party(reading, desk, request)
        shown = "" if copies else "; filed only"
        note = f"third party in {request.reference}, told nothing{shown}"
        return Outcome(Verdict.MESSAGE_ADDED, note, copies)
    is_thanks = hints.is_thanks_only(reading.quoting.reply) and not reading.message.attachments
    if is_thanks or reading.message.is_reaction:
        return _thanks(reading, desk, request)
    if requests.is_past_reopening(request, desk.now):
        return _afresh(reading, desk, request)
    written = incoming.written(reading)
    person = people.meet(desk.session, reading.sender, reading.sender_name, written.at)
    exchange = requests.add(
        desk.session, request, ExchangeKind.FOLLOW_UP, written, person_id=people.identity(person)
    )
    requests.await_us(desk.session, request)
    return Outcome(
        Verdict.MESSAGE_ADDED,
        f"follow-up in {request.reference}",
        letters.staff_copies(desk, request, exchange, "follow_up", proven=reading.strong),
    )


def _thanks(reading: Reading, desk: Desk, request: Request) -> Outcome:
    """A thank-you is filed: nothing reopens and nobody is written to (P27, S15)."""
    assert reading.sender is not None
    written = incoming.written(reading)
    person = people.meet(desk.session, reading.sender, reading.sender_name, written.at)
    requests.add(desk.session, request, ExchangeKind.THANKS, written, person_id=people.identity(person))
    return Outcome(Verdict.MESSAGE_ADDED, f"thanks in {request.reference}")


def _afresh(reading: Reading, desk: Desk, old: Request) -> Outcome:
    """Long after closing, a reply is a new request linked to the old one, with a promise of its own (S16)."""
    request, question = requests.open_(
        desk.session,
        requester_id=old.requester_id,
        service=old.service,
        suggested=incoming.suggested_kind(reading),
        written=incoming.opening(reading, desk),
        calendar=desk.centre.calendar,
        promise=desk.centre.promise,
        follow_up_of=old,
    )
    acknowledgement = letters.acknowledgement(desk, request, reading)
    return Outcome(
        Verdict.REQUEST_OPENED,
        f"opened {request.reference}, which follows {old.reference}",
        (
            *((acknowledgement,) if acknowledgement else ()),
            *letters.staff_copies(desk, request, question, "question", proven=reading.strong),
        ),
    )
