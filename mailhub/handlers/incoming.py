"""What handlers of people's mail do alike: what a thread keeps of it, a stranger's words, and what people must look at."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from mailhub import outbox
from mailhub.centre import people, requests
from mailhub.centre.people import Colleague
from mailhub.centre.requests import ExchangeKind, Request, RequestKind, Written
from mailhub.handlers import letters
from mailhub.handlers.desk import Desk, Outcome
from mailhub.journal import Verdict
from mailhub.mail import hints, threads
from mailhub.mail.draft import Draft
from mailhub.understand import Reading

MOST_STRANGERS_AN_HOUR = 10  # whose words in one thread are shown to staff: its address may have leaked


def written(reading: Reading) -> Written:
    """What a thread keeps of one mail: the newly written words, the files, the ids."""
    said = reading.message
    assert reading.envelope.received_at is not None
    return Written(
        text=reading.quoting.reply,
        subject=said.subject,
        message_id=said.message_id,
        ids=threads.ids_of(said),
        inbound_id=reading.number or None,
        at=reading.envelope.received_at,
        parts=said.attachments,
        thread_topic=said.header("Thread-Topic"),
        thread_index=said.header("Thread-Index"),
    )


def opening(reading: Reading, desk: Desk) -> Written:
    """The same of a mail that opens a request, which needs a subject even where the mail has none."""
    return replace(written(reading), untitled=letters.untitled(desk))


def as_left(brought: Written, words: str, draft: Draft) -> Written:
    """An answer as the thread keeps it: the words that left, under the id they left with."""
    return replace(
        brought,
        text=words,
        subject=draft.subject,
        message_id=draft.message_id,
        ids=(*((draft.message_id,) if draft.message_id else ()), *brought.ids),
    )


def suggested_kind(reading: Reading) -> RequestKind | None:
    """The kind of request the words hint at; None when they are too weak to say (S04)."""
    hint = hints.suggest(f"{reading.message.subject or ''}\n{reading.quoting.reply}")
    return RequestKind(hint.kind) if hint.kind else None


def from_third_party(reading: Reading, desk: Desk, request: Request) -> tuple[Draft, ...]:
    """Keep the words of somebody who came by a token of the thread, and show them to staff; they are told nothing.

    No asker ever sees these words either (S5, S18). Beyond so many within the hour they are only filed; the last
    letter says so.
    """
    assert reading.sender is not None
    brought = written(reading)
    person = people.meet(desk.session, reading.sender, reading.sender_name, brought.at)
    exchange = requests.add(
        desk.session, request, ExchangeKind.THIRD_PARTY, brought, person_id=people.identity(person)
    )
    an_hour_ago = brought.at - timedelta(hours=1)
    so_far = requests.written_since(desk.session, request, ExchangeKind.THIRD_PARTY, an_hour_ago)
    if so_far > MOST_STRANGERS_AN_HOUR:
        return ()
    occasion = "third_parties" if so_far == MOST_STRANGERS_AN_HOUR else "third_party"
    return letters.staff_copies(desk, request, exchange, occasion, proven=reading.strong)


def note(reading: Reading, desk: Desk, request: Request, author: Colleague) -> tuple[Draft, ...]:
    """File the whole mail as a note; the owner is told of a colleague's (P28)."""
    exchange = requests.add(desk.session, request, ExchangeKind.NOTE, written(reading), staff_id=author.id)
    owner = people.colleague(desk.session, request.owner_id) if request.owner_id else None
    if owner is None or owner.id == author.id:
        return ()
    key = f"note:{exchange.id}:{owner.id}"
    values = {"colleague": author.name, "text": exchange.text}
    return (letters.to_staff(desk, "note-copy", owner, key, values, request=request),)


def answers_known_letter(reading: Reading, desk: Desk) -> bool:
    """Say whether a reply to a letter we signed answers one the outbox knows; one that names no letter is believed.

    After a backup was brought back, the numbers in tokens are given out again, to other requests and other mails.
    """
    ids = threads.ids_of(reading.message)
    return reading.nearest is None or outbox.with_message_id(desk.session, ids) is not None


def outlines(reading: Reading) -> dict[str, object]:
    """What staff are told first of any mail they are to look at."""
    return {
        "recipient": reading.envelope.recipient,
        "number": reading.number,
        "sender": reading.sender,
        "proven": reading.strong,
        "subject": reading.message.subject,
    }


def to_people(reading: Reading, desk: Desk, why: str = "") -> Outcome:
    """Triage: the mail is shown to staff, in words that lead to no one but them; `why` is for the journal."""
    drafts = letters.to_team(desk, "triage", f"triage:{reading.number}", _whole(reading, desk))
    because = f"{why}; " if why else ""
    return Outcome(Verdict.TRIAGE, f"{because}shown to {len(drafts)} of staff", drafts)


def shown_to(reading: Reading, desk: Desk, colleague: Colleague) -> tuple[Draft, ...]:
    """The same for one member of staff, in moderation: whoever writes their address into From shall not fill their mailbox."""
    key = f"triage:{reading.number}:{colleague.id}"
    write = partial(letters.to_staff, desk, "triage", colleague, key, _whole(reading, desk))
    return letters.in_moderation(desk, "triage", colleague, write)


def _whole(reading: Reading, desk: Desk) -> dict[str, object]:
    return {
        **outlines(reading),
        "kind_label": desk.renderer.words("sorts", kind=reading.sort.kind),
        "text": reading.quoting.text,
    }
