"""What follows when a letter has left, could not leave, or nobody knows: its author is told, in the same transaction."""

from mailhub import outbox
from mailhub.handlers import letters
from mailhub.handlers.desk import Desk
from mailhub.mail import message
from mailhub.mail.draft import Draft
from mailhub.outbox import Outgoing, OutgoingState


def told_of(letter: Outgoing, desk: Desk) -> tuple[Draft, ...]:
    """The letters a settled letter causes: a « parti » receipt, a failure, a doubt; none about anything but answers."""
    if letter.kind != "answer":
        return ()
    if letter.state is OutgoingState.SENT:
        return _receipt(letter, desk)
    if letter.state is OutgoingState.FAILED:
        end = outbox.end_of(letter.answer or "")
        return letters.undelivered(desk, letter, why=letters.why(desk, end), said=end.said)
    if letter.state is OutgoingState.IN_DOUBT:
        return letters.about_answer(desk, letter, "answer-in-doubt", {})
    return ()


def _receipt(letter: Outgoing, desk: Desk) -> tuple[Draft, ...]:
    left = message.read(outbox.raw(desk.session, letter))
    return letters.about_answer(
        desk,
        letter,
        "answer-sent",
        {
            "at": desk.centre.calendar.local(desk.now),
            "sent_subject": letter.subject,
            "sent_text": left.text,
            "files": [{"filename": part.filename, "size": part.size} for part in left.attachments],
        },
    )
