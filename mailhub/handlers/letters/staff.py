"""The short letters to one member of staff: a receipt, a refusal, a question, what became of their answer."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from mailhub import outbox
from mailhub.centre import people, requests
from mailhub.centre.people import Colleague
from mailhub.centre.profile import Service
from mailhub.centre.requests import Request
from mailhub.handlers.desk import Desk
from mailhub.handlers.letters.heads import (
    loop_mark,
    message_id,
    return_path,
    service_of,
    shown_subject,
    stable_id,
)
from mailhub.mail import threads
from mailhub.mail.address import Mailbox
from mailhub.mail.draft import Draft
from mailhub.mail.tokens import Purpose, Token
from mailhub.outbox import End, Outgoing

# To each of staff: a flood is not passed on letter by letter, the journal shows it.
MOST_OF_A_KIND_AN_HOUR = 30


def to_team(desk: Desk, template: str, key: str, values: Mapping[str, object]) -> tuple[Draft, ...]:
    """The same word to everybody who is told of new things, in moderation."""
    return tuple(
        letter
        for colleague in people.told_of_new(desk.session)
        for letter in in_moderation(
            desk,
            template,
            colleague,
            partial(to_staff, desk, template, colleague, f"{key}:{colleague.id}", values),
        )
    )


def in_moderation(
    desk: Desk, kind: str, colleague: Colleague, write: Callable[[], Draft]
) -> tuple[Draft, ...]:
    """Write a letter, unless its reader got enough of this kind within the hour; the last one they get says so."""
    so_far, _ = outbox.written_to(desk.session, colleague.address, kind, desk.now)
    if so_far >= MOST_OF_A_KIND_AN_HOUR:
        return ()
    letter = write()
    if so_far < MOST_OF_A_KIND_AN_HOUR - 1:
        return (letter,)
    enough = desk.renderer.words("enough", most=MOST_OF_A_KIND_AN_HOUR)
    return (replace(letter, text=f"{letter.text.rstrip()}\n\n{enough}\n"),)


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
        known |= {"reference": request.reference, "subject": shown_subject(desk, request)}
    words = desk.renderer.letter(template, **{**known, **values})
    service = service_of(request) if request else Service.CONTACT
    if confirm is not None:
        token = Token(Purpose.CONFIRM, confirm, colleague.id)
        reply_to: str | None = desk.centre.address(Service.CONFIRM, desk.centre.keyring.seal(token))
    else:
        token = Token(Purpose.NOTE, request.id or 0 if request else 0, colleague.id)
        reply_to = desk.centre.address(Service.NOTE, desk.centre.keyring.seal(token)) if request else None
    stable = stable_id(desk, request) if request else None
    return Draft(
        key=key,
        kind=template,
        sender=desk.centre.mailbox(service),
        recipient=Mailbox(colleague.name, colleague.address),
        subject=words.subject,
        text=words.text,
        envelope_from=return_path(desk, key),
        reply_to=reply_to,
        in_reply_to=answers,
        references=threads.references_for(stable, answers),
        automatic="auto-generated",
        message_id=message_id(desk, token, key),
        headers=loop_mark(desk),
        request_id=request.id if request else None,
    )


def undelivered(desk: Desk, letter: Outgoing, *, why: str, said: str = "") -> tuple[Draft, ...]:
    """Tell the author of an answer that it did not arrive; the request waits for us again (P19).

    `why` are our words, `said` those of a server.
    """
    if letter.kind != "answer" or letter.request_id is None:
        return ()
    request = requests.get(desk.session, letter.request_id)
    if request is not None:
        requests.await_us(desk.session, request)
    return about_answer(desk, letter, "answer-failed", {"why": why, "answer": said})


def why(desk: Desk, end: End) -> str:
    """How a letter ended, in our words; "" when a server's say it all."""
    return desk.renderer.words("endings", endings=end.endings, said="")


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
