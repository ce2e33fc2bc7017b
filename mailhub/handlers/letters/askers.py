"""The letters to an asker, from the service address, with a token of theirs to reply to: acknowledged once, answered."""

from collections.abc import Sequence

from mailhub.centre import people, requests
from mailhub.centre.people import Colleague
from mailhub.centre.profile import Service
from mailhub.centre.requests import Exchange, Request
from mailhub.handlers.desk import Desk
from mailhub.handlers.letters.heads import is_answerable, message_id, return_path, service_of, shown_subject
from mailhub.mail import threads
from mailhub.mail.address import Mailbox
from mailhub.mail.draft import Draft, Enclosure
from mailhub.mail.tokens import Purpose, Token
from mailhub.outbox import written, written_to
from mailhub.understand import Reading


def acknowledgement(desk: Desk, request: Request, reading: Reading) -> Draft | None:
    """The one acknowledgement of a question; None when courtesy, RFC 3834 or the caps ask for silence."""
    asker = desk.session.get_one(people.Person, request.requester_id)
    if not _may_acknowledge(desk, reading, asker) or reading.sender is None:
        return None
    follow_up_of = requests.get(desk.session, request.follow_up_of_id) if request.follow_up_of_id else None
    key = f"ack:{request.reference}"
    words = desk.renderer.letter(
        "acknowledgement",
        centre=desk.centre,
        reference=request.reference,
        subject=shown_subject(desk, request),
        first_contact_on=request.first_contact_on,
        echo=reading.strong,
        text=reading.quoting.reply,
        follow_up_of=follow_up_of.reference if follow_up_of else None,
        service_address=desk.centre.address(service_of(request)),
    )
    token = Token(Purpose.ASKER, people.identity(request), request.requester_id)
    return Draft(
        key=key,
        kind="acknowledgement",
        sender=desk.centre.mailbox(service_of(request)),
        recipient=Mailbox(reading.sender_name if reading.strong else None, reading.sender),
        subject=words.subject,
        text=words.text,
        envelope_from="",
        reply_to=desk.centre.address(Service.REPLY, desk.centre.keyring.seal(token)),
        in_reply_to=reading.message.message_id,
        references=threads.references_for(*reading.message.references, reading.message.message_id),
        automatic="auto-replied",
        message_id=message_id(desk, token, key),
        headers=_echoed(reading),
        request_id=request.id,
    )


def answer(
    desk: Desk,
    request: Request,
    colleague: Colleague,
    key: str,
    *,
    text: str,
    html: str | None,
    enclosures: tuple[Enclosure, ...],
    thread: Sequence[Exchange],
) -> Draft:
    """A staff member's words to the asker: from the service address, in the asker's thread, their question quoted."""
    asked = _last_from_asker(thread)
    person = desk.session.get_one(people.Person, request.requester_id)
    recipient = people.address_of(desk.session, request.requester_id)
    words = desk.renderer.letter(
        "answer",
        centre=desk.centre,
        reference=request.reference,
        subject=shown_subject(desk, request),
        text=text,
        asker=person.name or recipient,
        asked_at=desk.centre.calendar.local(asked.at) if asked else None,
        question=asked.text if asked else "",
    )
    token = Token(Purpose.ASKER, people.identity(request), request.requester_id)
    return Draft(
        key=key,
        kind="answer",
        sender=desk.centre.mailbox(service_of(request)),
        recipient=Mailbox(None if person.shared_mailbox else person.name, recipient),
        subject=words.subject,
        text=words.text,
        html=html,
        envelope_from=return_path(desk, key),
        reply_to=desk.centre.address(Service.REPLY, desk.centre.keyring.seal(token)),
        in_reply_to=asked.message_id if asked else None,
        references=_references_to_asker(thread),
        message_id=message_id(desk, token, key),
        headers=_thread_headers(asked),
        enclosures=enclosures,
        request_id=request.id,
        staff_id=colleague.id,
    )


def _may_acknowledge(desk: Desk, reading: Reading, asker: people.Person) -> bool:
    """The caps of D28-D29, P6, S9: better silent than an instrument of nuisance."""
    courtesy, sender = desk.centre.courtesy, reading.sender
    if sender is None or not is_answerable(desk, reading):
        return False
    if reading.standing.staff is not None or reading.standing.repeated >= courtesy.alike_in_half_an_hour:
        return False
    within_the_hour, within_the_day = written_to(desk.session, sender, "acknowledgement", desk.now)
    if reading.strong or asker.organisation_id is not None:
        return within_the_hour < courtesy.per_hour and within_the_day < courtesy.per_day
    return (
        within_the_day < courtesy.unproven_per_day
        and written(desk.session, "acknowledgement", desk.now) < courtesy.unproven_per_hour_overall
    )


def _echoed(reading: Reading) -> tuple[tuple[str, str], ...]:
    """Outlook threads by these two; it is given its own back (desk.md, FreeScout 4922)."""
    return tuple(
        (name, value) for name in ("Thread-Topic", "Thread-Index") if (value := reading.message.header(name))
    )


def _last_from_asker(thread: Sequence[Exchange]) -> Exchange | None:
    theirs = {requests.ExchangeKind.QUESTION, requests.ExchangeKind.FOLLOW_UP, requests.ExchangeKind.THANKS}
    return next((exchange for exchange in reversed(thread) if exchange.kind in theirs), None)


def _references_to_asker(thread: Sequence[Exchange]) -> tuple[str, ...]:
    outside = [exchange for exchange in thread if exchange.kind not in requests.BETWEEN_STAFF]
    return threads.references_for(*(exchange.message_id for exchange in outside))


def _thread_headers(asked: Exchange | None) -> tuple[tuple[str, str], ...]:
    if asked is None:
        return ()
    echoed = (("Thread-Topic", asked.thread_topic), ("Thread-Index", asked.thread_index))
    return tuple((name, value) for name, value in echoed if value)
