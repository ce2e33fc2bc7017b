"""What needs a yes from the very address it is about: joining, a new address; and the yes or no that comes back.

Nobody is put on a list, and nothing goes to another address, by one mail alone: whoever reads there is asked first.
"""

import re

from mailhub import outbox
from mailhub.centre import people, subscriptions
from mailhub.centre.subscriptions import About, Answer, Settled, Source, State
from mailhub.handlers import correspondence, enrolment
from mailhub.handlers.desk import Outcome
from mailhub.handlers.visits import Concern, Visit
from mailhub.journal import Verdict
from mailhub.mail import wishes
from mailhub.mail.draft import Draft
from mailhub.mail.tokens import Token
from mailhub.mail.wish import Asked, Kind

_POSTCODE = re.compile(r"\b\d{5}\b")


def join(visit: Visit) -> Outcome:
    """One question to the address that writes; whoever receives it already is told so."""
    desk, reading = visit.desk, visit.reading
    wanted = correspondence.publications(desk, visit.codes)
    paused = [
        row for row in visit.meant(visit.rows) if row.state_at(desk.now) in {State.PAUSED, State.SUSPENDED}
    ]
    if not wanted or reading.sender is None:
        return visit.left_to_staff()
    if not correspondence.may_answer(desk, reading, "subscription-confirmation"):
        return Outcome(Verdict.COMMAND_DONE, "asked to join; no answer may go there")
    resumed = subscriptions.resume(desk.session, paused, visit.evidence) if visit.codes else ()
    wanted = tuple(each for each in wanted if each not in visit.titled(resumed))
    back: tuple[Draft, ...] = ()
    if resumed:
        about = visit.titled(resumed)
        back = visit.told("subscription-restored", resumed[0], about, restored=True, receives=about)
    if not wanted:
        return Outcome(Verdict.COMMAND_DONE, f"resumed {len(resumed)} subscriptions", back)
    asked, drafts = enrolment.ask(
        desk,
        reading.sender,
        reading.sender_name,
        wanted,
        visit.evidence,
        proven=reading.strong,
        answers=reading,
    )
    if asked.already and asked.confirmation is None and not asked.silent:
        _, today = outbox.written_to(desk.session, reading.sender, "subscription-already", desk.now)
        about = correspondence.publications(desk, asked.already)
        told = visit.told("subscription-already", None, about) if not today else ()
        return Outcome(Verdict.COMMAND_DONE, "receives it already", (*back, *told))
    codes = ", ".join(each.code for each in wanted)
    return Outcome(
        Verdict.COMMAND_DONE,
        f"asked to join {codes}: {asked.silent or 'a yes is waited for'}",
        (*back, *drafts),
    )


def change_address(visit: Visit) -> Outcome:
    """Ask both addresses; a postal address in the same mail is for staff to type (S34)."""
    desk, reading = visit.desk, visit.reading
    named, sender = visit.wish.address, reading.sender or ""
    postal = visit.shown_to_staff() if _POSTCODE.search(reading.quoting.reply) else ()
    if named is None:
        return visit.left_to_staff()
    person, old, new, proven = visit.person, sender, named, reading.strong
    if person is None:  # the new address writes, and names the old one
        person, old, new, proven = (
            people.recognise(desk.session, named, reading.sender_name),
            named,
            sender,
            False,
        )
    if person is None:
        return visit.left_to_staff()
    asked = subscriptions.ask_to_move(
        desk.session, desk.centre.keyring, person, old, new, visit.evidence, proven=proven
    )
    if not asked:
        return visit.left_to_staff(Concern.NOT_NOW)
    drafts = tuple(correspondence.about_move(desk, question) for question in asked)
    return Outcome(Verdict.COMMAND_DONE, "a new address: both are asked", (*drafts, *postal))


def answer(visit: Visit, token: Token) -> Outcome | None:
    """Yes or no to a question of ours, from the address that was asked (S35).

    None for a no that comes after their yes: they receive it, and want it no more.
    """
    reading, desk = visit.reading, visit.desk
    kind = _yes_or_no(visit)
    if kind not in {Kind.YES, Kind.NO}:
        return visit.left_to_staff()
    answer, drafts = enrolment.settle(
        desk,
        token.thread,
        reading.sender,
        Source.MAIL,
        yes=kind is Kind.YES,
        message_digest=visit.evidence.message_digest,
        answers=reading,
    )
    if answer.settled is Settled.ELSEWHERE:
        return visit.left_to_staff(Concern.ELSEWHERE)
    if kind is Kind.YES and _is_too_late(answer):
        return visit.left_to_staff(Concern.TOO_LATE)
    if kind is Kind.NO and answer.settled is Settled.ALREADY:
        return None
    return Outcome(Verdict.COMMAND_DONE, f"question {token.thread}: {answer.settled}", drafts)


def _is_too_late(answer: Answer) -> bool:
    """Say whether nobody asks any more, or they had said no; a move that somebody objected to stays where it is."""
    joins = answer.question is not None and answer.question.about is About.JOIN
    return answer.settled is Settled.GONE or (answer.settled is Settled.REFUSED and joins)


def _yes_or_no(visit: Visit) -> Kind:
    """What the mail says, else what its first line says: people greet and explain below their yes."""
    kind = visit.wish.kind
    if kind in {Kind.LEAVE, Kind.LEAVE_EVERYTHING, Kind.UNDO}:
        return Kind.NO
    said = visit.reading.quoting
    if kind is not Kind.NONE or said.only_quotes:
        return kind
    first = next((line for line in said.reply.splitlines() if line.strip()), "")
    today = visit.desk.centre.calendar.local(visit.desk.now).date()
    return wishes.read(first, now=today, asked=Asked.CONFIRMATION).kind
