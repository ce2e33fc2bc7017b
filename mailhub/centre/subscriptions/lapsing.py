"""What time does to questions nobody answers: one reminder after a week, oblivion after two."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from mailhub.centre import people
from mailhub.centre.people import Person
from mailhub.centre.subscriptions import confirmation
from mailhub.centre.subscriptions.confirmation import About, Confirmation, Reply
from mailhub.centre.subscriptions.subscription import State, find


def to_remind(session: Session, now: datetime) -> list[Confirmation]:
    """Questions about joining that nobody answered for a week: each is asked once more, within the caps."""
    query = select(Confirmation).where(
        Confirmation.about == About.JOIN,
        col(Confirmation.reply).is_(None),
        col(Confirmation.reminded_at).is_(None),
        col(Confirmation.asked_at) <= now - confirmation.REMIND_AFTER,
        col(Confirmation.asked_at) > now - confirmation.LAPSE_AFTER,
    )
    due = session.exec(query.order_by(col(Confirmation.id)).with_for_update(skip_locked=True)).all()
    chosen = []
    for question in due:
        if confirmation.may_ask(session, question.digest, now):
            question.reminded_at = now
            session.flush()
            chosen.append(question)
    return chosen


def lapse(session: Session, now: datetime) -> list[Confirmation]:
    """Erase what nobody confirmed in two weeks, and whoever we only knew from it; the questions that lapsed."""
    query = select(Confirmation).where(
        col(Confirmation.reply).is_(None), col(Confirmation.asked_at) <= now - confirmation.LAPSE_AFTER
    )
    due = list(session.exec(query.order_by(col(Confirmation.id)).with_for_update(skip_locked=True)).all())
    for question in due:
        question.reply, question.replied_at = Reply.LAPSED, now
        session.flush()
        erase_pending(session, question)
    return due


def erase_pending(session: Session, question: Confirmation) -> None:
    """Forget an address that did not say yes, its pending subscriptions, and the person if nothing else is known."""
    if question.about is About.JOIN:
        waiting = {
            code for other in confirmation.open_ones(session, question.person_id) for code in other.codes
        }
        for code in set(question.codes) - waiting:
            row = find(session, code, question.person_id)
            if row is not None and row.state is State.PENDING:
                session.delete(row)
        session.flush()
        _erase_stranger(session, question.person_id)
    question.address = question.other_address = None
    question.shown = question.note = ""


def _erase_stranger(session: Session, person_id: int) -> None:
    """Remove a person nothing refers to; whatever does is a foreign key, and keeps them."""
    addresses = session.exec(
        select(people.EmailAddress).where(people.EmailAddress.person_id == person_id)
    ).all()
    try:
        with session.begin_nested():
            for row in addresses:
                session.delete(row)
            session.flush()
            session.delete(session.get_one(Person, person_id))
    except IntegrityError:
        session.expire_all()
