"""The letters handlers write: who they come from, how they thread, what machines are told about them.

Each is a template and a Draft. To an asker: from the service address, with a token of theirs to reply to. To staff:
from the service address too, with a token for this request and this person. Automatic ones say so (RFC 3834).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from mailhub import storage
from mailhub.centre import people, recall, requests
from mailhub.centre.people import Colleague
from mailhub.centre.profile import Service
from mailhub.centre.requests import Attachment, Exchange, Request, RequestKind
from mailhub.handlers.desk import Desk
from mailhub.mail import address, subjects, threads, tokens
from mailhub.mail.address import Mailbox
from mailhub.mail.draft import Draft, Enclosure
from mailhub.mail.tokens import Purpose, Token
from mailhub.outbox import Outgoing, return_id, written, written_to
from mailhub.render import Renderer
from mailhub.understand import Reading

INTERNAL_MARKER = "--- Ce qui suit est interne : ne jamais transmettre. ---"


@dataclass(frozen=True, slots=True)
class _File:
    filename: str
    content_type: str
    size: int
    sent_along: bool
    url: str


def service_of(request: Request) -> Service:
    """The address a request lives at."""
    return Service(request.service)


def shown_subject(request: Request) -> str:
    """The subject of a thread, free of prefixes and of our own reference."""
    bare = subjects.base(request.subject).replace(f"[{request.reference}]", "")
    return " ".join(bare.split()) or "(sans objet)"


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
        subject=shown_subject(request),
        first_contact_on=request.first_contact_on,
        echo=reading.strong,
        text=reading.quoting.reply,
        follow_up_of=follow_up_of.reference if follow_up_of else None,
        service_address=desk.centre.address(service_of(request)),
    )
    token = Token(Purpose.ASKER, requests.identity(request), request.requester_id)
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
        message_id=threads.message_id(desk.centre.keyring, token, key, desk.centre.domain),
        headers=_echoed(reading),
        request_id=request.id,
    )


def staff_copies(
    desk: Desk,
    request: Request,
    exchange: Exchange,
    occasion: str,
    *,
    proven: bool,
    passed_on: Mailbox | None = None,
) -> tuple[Draft, ...]:
    """A copy of one incoming mail for its owner, or for whoever is told of new questions.

    `passed_on` is the author of a forwarded message: shown as a proposal, never written to (P23).
    """
    owner = people.colleague(desk.session, request.owner_id) if request.owner_id else None
    told = [owner] if owner else people.told_of_new(desk.session)
    return tuple(
        _staff_copy(desk, request, exchange, occasion, colleague, owner, proven=proven, passed_on=passed_on)
        for colleague in told
    )


def to_staff(
    desk: Desk,
    template: str,
    colleague: Colleague,
    key: str,
    values: Mapping[str, object],
    *,
    request: Request | None = None,
    confirm: int | None = None,
    answers: str | None = None,
) -> Draft:
    """A short letter to one member of staff: a receipt, a refusal, a question. `confirm` is the mail it asks about."""
    known: dict[str, object] = {"centre": desk.centre, "reference": None, "subject": None}
    if request is not None:
        known |= {"reference": request.reference, "subject": shown_subject(request)}
    words = desk.renderer.letter(template, **{**known, **values})
    service = service_of(request) if request else Service.CONTACT
    if confirm is not None:
        token = Token(Purpose.CONFIRM, confirm, colleague.id)
        reply_to: str | None = desk.centre.address(Service.CONFIRM, desk.centre.keyring.seal(token))
    else:
        token = Token(Purpose.NOTE, request.id or 0 if request else 0, colleague.id)
        reply_to = desk.centre.address(Service.NOTE, desk.centre.keyring.seal(token)) if request else None
    stable = _stable_id(desk, request) if request else None
    return Draft(
        key=key,
        kind=template,
        sender=desk.centre.mailbox(service),
        recipient=Mailbox(colleague.name, colleague.address),
        subject=words.subject,
        text=words.text,
        envelope_from=_return_path(desk, key),
        reply_to=reply_to,
        in_reply_to=answers,
        references=threads.references_for(stable, answers),
        automatic="auto-generated",
        message_id=threads.message_id(desk.centre.keyring, token, key, desk.centre.domain),
        headers=_loop_mark(desk),
        request_id=request.id if request else None,
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
) -> Draft:
    """A staff member's words to the asker: from the service address, in the asker's thread, their question quoted."""
    asked = _last_from_asker(desk, request)
    person = desk.session.get_one(people.Person, request.requester_id)
    recipient = people.address_of(desk.session, request.requester_id)
    words = desk.renderer.letter(
        "answer",
        centre=desk.centre,
        reference=request.reference,
        subject=shown_subject(request),
        text=text,
        asker=person.name or recipient,
        asked_at=desk.centre.calendar.local(asked.at) if asked else None,
        question=asked.text if asked else "",
    )
    token = Token(Purpose.ASKER, requests.identity(request), request.requester_id)
    return Draft(
        key=key,
        kind="answer",
        sender=desk.centre.mailbox(service_of(request)),
        recipient=Mailbox(None if person.shared_mailbox else person.name, recipient),
        subject=words.subject,
        text=words.text,
        html=html,
        envelope_from=_return_path(desk, key),
        reply_to=desk.centre.address(Service.REPLY, desk.centre.keyring.seal(token)),
        in_reply_to=asked.message_id if asked else None,
        references=_references_to_asker(desk, request),
        message_id=threads.message_id(desk.centre.keyring, token, key, desk.centre.domain),
        headers=_thread_headers(asked),
        enclosures=enclosures,
        request_id=request.id,
        staff_id=colleague.id,
    )


# -- courtesy ---------------------------------------------------------------------------------------------------


def _may_acknowledge(desk: Desk, reading: Reading, asker: people.Person) -> bool:
    """RFC 3834 section 2 and the caps of D28-D29, P6, S9: better silent than an instrument of nuisance."""
    courtesy, sender = desk.centre.courtesy, reading.sender
    if sender is None or not reading.sort.may_answer or address.never_answer(sender):
        return False
    # From us may be a form on the centre's own site, or a forger: we would write to ourselves.
    if desk.centre.is_ours(sender):
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


# -- staff copy -------------------------------------------------------------------------------------------------


def _staff_copy(
    desk: Desk,
    request: Request,
    exchange: Exchange,
    occasion: str,
    colleague: Colleague,
    owner: Colleague | None,
    *,
    proven: bool,
    passed_on: Mailbox | None,
) -> Draft:
    session, centre = desk.session, desk.centre
    key = f"copy:{exchange.id}:{colleague.id}"
    token = Token(Purpose.ANSWER, requests.identity(request), colleague.id)
    note = Token(Purpose.NOTE, requests.identity(request), colleague.id)
    files, enclosures = _files(desk, exchange, colleague)
    requester = _card(desk, request.requester_id)
    by_another = exchange.person_id != request.requester_id
    words = desk.renderer.letter(
        "staff-copy",
        centre=centre,
        occasion=occasion,
        proven=proven,
        passed_on=passed_on,
        marker=INTERNAL_MARKER,
        reference=request.reference,
        subject=shown_subject(request),
        text=exchange.text,
        files=files,
        links_until=centre.calendar.local(desk.now) + timedelta(days=centre.files_days)
        if any(file.url for file in files)
        else None,
        asker=_card(desk, exchange.person_id) if exchange.person_id and by_another else requester,
        requester=requester,
        kind_label=_kind_label(desk.renderer, request.kind or request.suggested_kind),
        first_contact_on=request.first_contact_on,
        due_on=request.due_on,
        owner=owner.name if owner else None,
        doors=[] if occasion == "question" else requests.doors(session, request),
        history=[
            {
                "reference": past.reference,
                "received_on": centre.calendar.local(past.received_at).date(),
                "subject": past.subject,
            }
            for past in requests.history(session, request)
        ],
        similar=recall.nearest(
            session, f"{exchange.subject or ''}\n{exchange.text}", besides=requests.identity(request)
        ),
        service_address=centre.address(service_of(request)),
        note_address=centre.address(Service.NOTE, centre.keyring.seal(note)),
    )
    return Draft(
        key=key,
        kind="staff-copy",
        sender=centre.mailbox(service_of(request)),
        recipient=Mailbox(colleague.name, colleague.address),
        subject=words.subject,
        text=words.text,
        envelope_from=_return_path(desk, key),
        reply_to=centre.address(Service.REPLY, centre.keyring.seal(token)),
        references=threads.references_for(_stable_id(desk, request)),
        automatic="auto-generated",
        message_id=threads.message_id(centre.keyring, token, key, centre.domain),
        headers=_loop_mark(desk),
        enclosures=enclosures,
        request_id=request.id,
    )


@lru_cache(32)  # the three kinds and none, for each renderer
def _kind_label(renderer: Renderer, kind: RequestKind | None) -> str:
    return renderer.template("words/kinds.txt").render(kind=kind)


def _card(desk: Desk, person_id: int) -> dict[str, object]:
    person = desk.session.get_one(people.Person, person_id)
    organisation = (
        desk.session.get(people.Organisation, person.organisation_id)
        if person.organisation_id is not None
        else None
    )
    return {
        "name": person.name,
        "address": people.address_of(desk.session, person_id),
        "shared": person.shared_mailbox,
        "organisation": organisation.name if organisation else None,
        "member": people.is_member(organisation, desk.centre.calendar.local(desk.now).date()),
    }


def _files(desk: Desk, exchange: Exchange, colleague: Colleague) -> tuple[list[_File], tuple[Enclosure, ...]]:
    """Files are listed always, sent along while small together, and otherwise fetched by a signed, expiring link."""
    assert exchange.id is not None
    rows = requests.attachments(desk.session, exchange.id) if exchange.files else []
    along = sum(row.size for row in rows) <= desk.centre.copy_limit
    files = [
        _File(row.filename, row.content_type, row.size, along, "" if along else _link(desk, row, colleague))
        for row in rows
    ]
    if not along:
        return files, ()
    return files, tuple(
        Enclosure(row.filename, row.content_type, storage.fetch(desk.session, row.digest)) for row in rows
    )


def _link(desk: Desk, row: Attachment, colleague: Colleague) -> str:
    if not desk.centre.files_url:
        return ""
    until = tokens.day(desk.now) + desk.centre.files_days
    return desk.centre.files_url + desk.centre.keyring.seal(
        Token(Purpose.FILE, row.id or 0, colleague.id, until)
    )


# -- threading --------------------------------------------------------------------------------------------------


def _return_path(desk: Desk, key: str) -> str:
    """VERP: the return address names the letter by a token, never the person by their address (T14)."""
    token = Token(Purpose.BOUNCE, return_id(key), 0)
    return desk.centre.address(Service.RETURNS, desk.centre.keyring.seal(token))


def _stable_id(desk: Desk, request: Request) -> str:
    return threads.stable_id(desk.centre.keyring, request.reference, desk.centre.domain)


def _loop_mark(desk: Desk) -> tuple[tuple[str, str], ...]:
    return (("X-Mailhub-Loop", desk.centre.keyring.fingerprint(f"loop {desk.centre.domain}")),)


def _echoed(reading: Reading) -> tuple[tuple[str, str], ...]:
    """Outlook threads by these two; it is given its own back (desk.md, FreeScout 4922)."""
    return tuple(
        (name, value) for name in ("Thread-Topic", "Thread-Index") if (value := reading.message.header(name))
    )


def _last_from_asker(desk: Desk, request: Request) -> Exchange | None:
    theirs = {requests.ExchangeKind.QUESTION, requests.ExchangeKind.FOLLOW_UP, requests.ExchangeKind.THANKS}
    thread = requests.exchanges(desk.session, request)
    return next((exchange for exchange in reversed(thread) if exchange.kind in theirs), None)


def _references_to_asker(desk: Desk, request: Request) -> tuple[str, ...]:
    thread = requests.exchanges(desk.session, request)
    outside = [exchange for exchange in thread if exchange.kind is not requests.ExchangeKind.NOTE]
    return threads.references_for(*(exchange.message_id for exchange in outside))


def _thread_headers(asked: Exchange | None) -> tuple[tuple[str, str], ...]:
    if asked is None:
        return ()
    echoed = (("Thread-Topic", asked.thread_topic), ("Thread-Index", asked.thread_index))
    return tuple((name, value) for name, value in echoed if value)


# -- what became of an answer -----------------------------------------------------------------------------------


def undelivered(desk: Desk, letter: Outgoing, said: str) -> tuple[Draft, ...]:
    """Tell the author of an answer that it did not arrive; the request waits for us again (P19)."""
    if letter.kind != "answer" or letter.request_id is None:
        return ()
    request = requests.get(desk.session, letter.request_id)
    if request is not None:
        requests.await_us(desk.session, request)
    return about_answer(desk, letter, "answer-failed", {"answer": said})


def about_answer(
    desk: Desk, letter: Outgoing, template: str, values: Mapping[str, object]
) -> tuple[Draft, ...]:
    """A letter to the author of an answer; to nobody when they are no longer staff."""
    author = people.colleague(desk.session, letter.staff_id) if letter.staff_id else None
    request = requests.get(desk.session, letter.request_id) if letter.request_id else None
    if author is None or request is None:
        return ()
    key = f"{template}:{letter.id}:{letter.attempts}"
    told = {"number": letter.id, "recipient": letter.recipient, **values}
    return (to_staff(desk, template, author, key, told, request=request),)
