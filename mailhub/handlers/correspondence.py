"""The letters we write about subscriptions: to readers, about what was asked or done; to staff, about what they decide.

Each goes to one person, says that a machine wrote it, and is answered at an address that knows what it was about.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mailhub import outbox
from mailhub.centre import people, subscriptions
from mailhub.centre.profile import Service
from mailhub.centre.subscriptions import Asked, Confirmation, Subscription
from mailhub.handlers import letters
from mailhub.handlers.desk import Desk
from mailhub.lists import Publication
from mailhub.mail import threads
from mailhub.mail.address import Mailbox
from mailhub.mail.draft import Draft
from mailhub.mail.tokens import Purpose, Token
from mailhub.understand import Reading


def publications(desk: Desk, codes: Iterable[str]) -> tuple[Publication, ...]:
    """The publications of these codes that there still are, in the order of `lists/`."""
    wanted = set(codes)
    return tuple(each for each in desk.lists.publications if each.code in wanted)


def subscription_of(desk: Desk, token: Token) -> Subscription | None:
    """The subscription one of our letters was about, by the token that letter bore; None for any other token."""
    if token.purpose is Purpose.ISSUE_RETURN:
        token = Token(Purpose.ISSUE, token.thread, token.person)  # the same copy, by its other name
    if token.purpose not in {Purpose.ISSUE, Purpose.LEAVE, Purpose.DONE}:
        return None
    return subscriptions.borne(desk.session, token)


def may_answer(desk: Desk, reading: Reading, kind: str) -> bool:
    """D28-D30: no answer to machines or to ourselves, and a bounded number of each kind to one address."""
    sender = reading.sender
    if sender is None or not letters.is_answerable(desk, reading):
        return False
    _, within_the_day = outbox.written_to(desk.session, sender, kind, desk.now)
    return within_the_day < desk.centre.courtesy.per_day


def consent_words(desk: Desk, titles: Sequence[Publication]) -> str:
    """The sentence a person says yes to; kept with their consent, word for word (D46)."""
    template = desk.renderer.template("mail/subscription-confirmation/words.txt")
    return " ".join(template.render(centre=desk.centre, publications=titles).split())


def question(desk: Desk, asked: Asked, answers: Reading | None = None) -> tuple[Draft, ...]:
    """« Répondez OUI » : to the address itself, once."""
    if asked.confirmation is None:
        return ()
    key, *_ = keys_of(asked.confirmation)
    return (_asking(desk, asked.confirmation, "subscription-confirmation", key, answers),)


def keys_of(question: Confirmation) -> tuple[str, str, str]:
    """The letters that may ask a question: at first, once more, about a move."""
    # One key for a day and an address: two asked for at the same instant are one letter.
    first = f"subscription-confirmation:{question.digest}:{question.asked_at:%Y-%m-%d}"
    return first, f"subscription-reminder:{question.id}", f"subscription-address:{question.id}"


def reminder(desk: Desk, asked: Confirmation) -> Draft:
    """The same question once more, a week later."""
    _, key, _ = keys_of(asked)
    return _asking(desk, asked, "subscription-reminder", key, None)


def about_move(desk: Desk, asked: Confirmation) -> Draft:
    """« Avez-vous changé d'adresse ? », to one of the two addresses."""
    *_, key = keys_of(asked)
    values = {
        "from_old": asked.about is subscriptions.About.MOVE_FROM,
        "told_only": asked.reply is not None,
        "other": asked.other_address,
    }
    return _letter(
        desk,
        "subscription-address",
        key,
        Mailbox(None, asked.address),
        Token(Purpose.JOIN, asked.id or 0, asked.person_id),
        (),
        values,
    )


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done to a person's subscriptions, to be told with a way back."""

    template: str
    key: str
    person: people.Person
    to: str  # an address of theirs
    row: Subscription | None  # one of those it was done to
    about: Sequence[Publication]
    values: Mapping[str, object] = field(default_factory=dict)
    answers: Reading | None = None


def done(desk: Desk, deed: Deed) -> Draft:
    """What was just done, and how to take it back."""
    token = Token(Purpose.DONE, (deed.row.id if deed.row else 0) or 0, people.identity(deed.person))
    to = _mailbox(deed.person, deed.to)
    values = {"preferences_link": _preferences(desk, deed.row, deed.person), **deed.values}
    return _letter(desk, deed.template, deed.key, to, token, deed.about, values, answers=deed.answers)


def maybe(desk: Desk, person: people.Person, to: str, row: Subscription, reading: Reading) -> Draft:
    """« Un mot suffit » : asked of whoever gave reasons to leave without saying so."""
    token = Token(Purpose.LEAVE, row.id or 0, people.identity(person))
    about = publications(desk, [row.publication])
    key = f"subscription-maybe:{reading.number}"
    return _letter(desk, "subscription-maybe", key, _mailbox(person, to), token, about, {}, answers=reading)


def instructions(desk: Desk, reading: Reading) -> Draft:
    """How to join, leave, pause: one page."""
    assert reading.sender is not None
    key = f"subscription-help:{reading.number}"
    to = Mailbox(None, reading.sender)
    return _letter(desk, "subscription-help", key, to, None, desk.lists.publications, {}, answers=reading)


def card(desk: Desk, person: people.Person | None, rows: Sequence[Subscription]) -> dict[str, object]:
    """What staff see of a reader: who, where, and what they receive."""
    titles = {each.code: each.title for each in desk.lists.publications}
    organisation = (
        desk.session.get(people.Organisation, person.organisation_id)
        if person and person.organisation_id
        else None
    )
    postal = people.postal_of(desk.session, person) if person else None
    return {
        "name": person.name if person else None,
        "address": people.current_address(desk.session, person),
        "organisation": organisation.name if organisation else None,
        "has_postal": postal is not None and postal.is_complete,
        "subscriptions": [
            {
                "number": row.id,
                "title": titles.get(row.publication, row.publication),
                "state": row.state_at(desk.now),
                "channel": row.channel,
            }
            for row in rows
        ],
    }


def _asking(desk: Desk, asked: Confirmation, template: str, key: str, answers: Reading | None) -> Draft:
    about = publications(desk, asked.codes)
    token = Token(Purpose.JOIN, asked.id or 0, asked.person_id)
    link = _page(desk, desk.centre.confirm_url, token)
    values = {"shown": asked.shown, "by_staff": bool(asked.recorded_by), "confirm_link": link}
    return _letter(desk, template, key, Mailbox(None, asked.address), token, about, values, answers=answers)


def _preferences(desk: Desk, row: Subscription | None, person: people.Person) -> str:
    """The page where this reader changes their mind; "" without public pages."""
    if row is None:
        return ""
    return _page(
        desk, desk.centre.preferences_url, Token(Purpose.LEAVE, row.id or 0, people.identity(person))
    )


def _page(desk: Desk, url: str, token: Token) -> str:
    """The page of this token; "" without public pages."""
    return f"{url}{desk.centre.keyring.seal(token)}" if url else ""


def _letter(
    desk: Desk,
    template: str,
    key: str,
    to: Mailbox,
    token: Token | None,
    about: Sequence[Publication],
    values: Mapping[str, object],
    *,
    answers: Reading | None = None,
) -> Draft:
    centre = desk.centre
    words = desk.renderer.letter(template, centre=centre, publications=about, **values)
    service = centre.service_of(about[0]) if len(about) == 1 else Service.CONTACT
    answered = answers.message.message_id if answers else None
    sealed = centre.keyring.seal(token) if token else None
    return Draft(
        key=key,
        kind=template,
        sender=centre.mailbox(service),
        recipient=to,
        subject=words.subject,
        text=words.text,
        envelope_from="",
        reply_to=centre.address(Service.CONFIRM, sealed) if sealed else None,
        in_reply_to=answered,
        references=threads.references_for(*answers.message.references, answered) if answers else (),
        automatic="auto-replied" if answers else "auto-generated",
        message_id=letters.message_id(desk, token, key) if token else None,
    )


def _mailbox(person: people.Person, to: str) -> Mailbox:
    return Mailbox(None if person.shared_mailbox else person.name, to)
