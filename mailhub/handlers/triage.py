"""What no rule knows goes to people: nothing accepted is ever lost (O1)."""

from mailhub import outbox
from mailhub.centre import people
from mailhub.handlers import letters
from mailhub.handlers.desk import Desk, Outcome
from mailhub.journal import Verdict
from mailhub.understand import Reading

MOST_LETTERS_AN_HOUR = 30  # a flood of odd mail is not passed on to staff one by one; the journal shows it


def handle(reading: Reading, desk: Desk) -> Outcome:
    """Show the mail to staff, in words that lead to no one but them."""
    if outbox.written(desk.session, "triage", desk.now) >= MOST_LETTERS_AN_HOUR:
        return Outcome(Verdict.TRIAGE, "waits in the journal: staff were told of enough this hour")
    drafts = tuple(
        letters.to_staff(
            desk,
            "triage",
            colleague,
            f"triage:{reading.number}:{colleague.id}",
            {
                "recipient": reading.envelope.recipient,
                "number": reading.number,
                "sender": reading.sender,
                "proven": reading.strong,
                "subject": reading.message.subject,
                "reason": reading.sort.kind,
                "text": reading.quoting.text,
            },
        )
        for colleague in people.told_of_new(desk.session)
    )
    return Outcome(Verdict.TRIAGE, f"shown to {len(drafts)} of staff", drafts)
