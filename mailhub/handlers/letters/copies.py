"""The copy of an incoming mail that staff answer by replying to it: the words, who asks, what is known, what is due."""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from mailhub import storage
from mailhub.centre import people, recall, requests
from mailhub.centre.people import Colleague
from mailhub.centre.profile import Service
from mailhub.centre.requests import Attachment, Exchange, Request, RequestKind
from mailhub.handlers.desk import Desk
from mailhub.handlers.letters.heads import (
    loop_mark,
    message_id,
    return_path,
    service_of,
    shown_subject,
    stable_id,
)
from mailhub.mail import hints, threads, tokens
from mailhub.mail.address import Mailbox
from mailhub.mail.draft import Draft, Enclosure
from mailhub.mail.tokens import Purpose, Token
from mailhub.render import Renderer

# French, and not in `templates/`: it also finds the internal part of copies that left long ago. Had a centre changed its
# words meanwhile, nothing below it would be known as internal any more, and a reply could carry it out.
INTERNAL_MARKER = "--- Ce qui suit est interne : ne jamais transmettre. ---"


@dataclass(frozen=True, slots=True)
class _File:
    filename: str
    content_type: str
    size: int
    sent_along: bool
    url: str


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
    token = Token(Purpose.ANSWER, people.identity(request), colleague.id)
    note = Token(Purpose.NOTE, people.identity(request), colleague.id)
    files, enclosures = _files(desk, exchange, colleague)
    requester = _card(desk, request.requester_id)
    said = f"{exchange.subject or ''}\n{exchange.text}"
    by_another = exchange.person_id != request.requester_id
    words = desk.renderer.letter(
        "staff-copy",
        centre=centre,
        occasion=occasion,
        proven=proven,
        passed_on=passed_on,
        marker=INTERNAL_MARKER,
        reference=request.reference,
        subject=shown_subject(desk, request),
        text=exchange.text,
        files=files,
        links_until=centre.calendar.local(desk.now) + timedelta(days=centre.files_days)
        if any(file.url for file in files)
        else None,
        asker=_card(desk, exchange.person_id) if exchange.person_id and by_another else requester,
        requester=requester,
        urgent=hints.claims_urgent(said),
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
        similar=recall.nearest(session, said, besides=people.identity(request)),
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
        envelope_from=return_path(desk, key),
        reply_to=centre.address(Service.REPLY, centre.keyring.seal(token)),
        references=threads.references_for(stable_id(desk, request)),
        automatic="auto-generated",
        message_id=message_id(desk, token, key),
        headers=loop_mark(desk),
        enclosures=enclosures,
        request_id=request.id,
    )


@lru_cache(32)  # the three kinds and none, for each renderer
def _kind_label(renderer: Renderer, kind: RequestKind | None) -> str:
    return renderer.words("kinds", kind=kind)


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
    names = [row.filename or desk.renderer.words("unnamed") for row in rows]
    files = [
        _File(name, row.content_type, row.size, along, "" if along else _link(desk, row, colleague))
        for name, row in zip(names, rows, strict=True)
    ]
    if not along:
        return files, ()
    return files, tuple(
        Enclosure(name, row.content_type, storage.fetch(desk.session, row.digest))
        for name, row in zip(names, rows, strict=True)
    )


def _link(desk: Desk, row: Attachment, colleague: Colleague) -> str:
    if not desk.centre.files_url:
        return ""
    until = tokens.day(desk.now) + desk.centre.files_days
    return desk.centre.files_url + desk.centre.keyring.seal(
        Token(Purpose.FILE, row.id or 0, colleague.id, until)
    )
