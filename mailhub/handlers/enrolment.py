"""Joining, the same at every door: a mail, a page, a word noted by staff. Ask once, welcome once.

Whoever opens a door calls these and puts the drafts in the outbox, in the same transaction.
"""

from collections.abc import Sequence
from dataclasses import replace

from mailhub import outbox
from mailhub.centre import people, subscriptions
from mailhub.centre.people import Person
from mailhub.centre.subscriptions import (
    About,
    Answer,
    Asked,
    Channel,
    Confirmation,
    Evidence,
    Settled,
    Source,
)
from mailhub.handlers import correspondence
from mailhub.handlers.desk import Desk
from mailhub.lists import Publication
from mailhub.mail.draft import Draft
from mailhub.understand import Reading


def ask(
    desk: Desk,
    address: str,
    name: str | None,
    wanted: Sequence[Publication],
    evidence: Evidence,
    *,
    channel: Channel = Channel.EMAIL,
    proven: bool = False,
    answers: Reading | None = None,
) -> tuple[Asked, tuple[Draft, ...]]:
    """Ask an address whether it wants these publications; silent when it was asked already, or asked not to be.

    `proven`: the wish is known to be that address's own. The words it is shown go into the evidence here.
    """
    for publication in wanted:
        subscriptions.refuse_channel(publication, channel)
    asked = subscriptions.ask(
        desk.session,
        desk.centre.keyring,
        address,
        name,
        [publication.code for publication in wanted],
        replace(evidence, shown=correspondence.consent_words(desk, wanted)),
        proven=proven,
        channel=channel,
    )
    return asked, correspondence.question(desk, asked, answers)


def settle(
    desk: Desk,
    confirmation_id: int,
    address: str | None,
    source: Source,
    *,
    yes: bool,
    message_digest: str | None = None,
    answers: Reading | None = None,
) -> tuple[Answer, tuple[Draft, ...]]:
    """Take the answer to a question. `address` is who answers by mail; a page that bears the token gives None."""
    evidence = Evidence(
        source,
        desk.now,
        message_digest=message_digest,
        inbound_id=answers.number if answers else None,
    )
    answer = subscriptions.answer(desk.session, confirmation_id, address, evidence, yes=yes)
    if answer.question is not None and answer.question.address is None:  # erased, by their no
        _forget_letters(desk, answer.question)
    return answer, _told(desk, answer, answers)


def _forget_letters(desk: Desk, question: Confirmation) -> None:
    """An address that was erased is in no letter of ours either; what was not sent yet is asked no more."""
    outbox.forget(desk.session, correspondence.keys_of(question), desk.now)


def tend(desk: Desk) -> tuple[Draft, ...]:
    """What the clock does: one reminder after a week, oblivion after two; addresses left a year ago are forgotten."""
    now = desk.now
    people.forget_old_addresses(desk.session, now)
    for question in subscriptions.lapse(desk.session, now):
        _forget_letters(desk, question)
    subscriptions.forget_questions(desk.session, now)
    return tuple(correspondence.reminder(desk, asked) for asked in subscriptions.to_remind(desk.session, now))


def _told(desk: Desk, answer: Answer, answers: Reading | None) -> tuple[Draft, ...]:
    question = answer.question
    if answer.settled is not Settled.DONE or question is None:
        return ()
    person = desk.session.get_one(Person, question.person_id)
    about = correspondence.publications(desk, [row.publication for row in answer.changed])
    first = answer.changed[0] if answer.changed else None
    if question.about is About.JOIN:
        template, to = "subscription-welcome", question.address
        if first is None:  # they came in another way meanwhile
            return ()
    else:
        template, to = "subscription-moved", _arrival(question)
    key = f"{template}:{min(question.id or 0, question.pair_id or question.id or 0)}"
    deed = correspondence.Deed(template, key, person, to or "", first, about, answers=answers)
    return (correspondence.done(desk, deed),)


def _arrival(question: Confirmation) -> str | None:
    return question.address if question.about is About.MOVE_TO else question.other_address
