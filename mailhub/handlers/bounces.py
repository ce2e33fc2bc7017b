"""Returns: a notification is charged to the letter its signed return path names, never to an address in its text."""

from mailhub import outbox
from mailhub.handlers import letters
from mailhub.handlers.desk import Desk, Outcome
from mailhub.journal import Verdict
from mailhub.outbox import OutgoingState
from mailhub.understand import Reading

_UNSETTLED_BY_NOTICE = frozenset({OutgoingState.SENT, OutgoingState.IN_DOUBT, OutgoingState.DEFERRED})


def handle(reading: Reading, desk: Desk) -> Outcome:
    """Note what became of a letter; the author of an answer is told when it was not delivered (P5, P19)."""
    letter_id = reading.standing.letter_id
    if letter_id is None:
        return Outcome(Verdict.BOUNCE, "about no letter of ours that we can prove")
    letter = outbox.get(desk.session, letter_id)
    failure = next((delivery for delivery in reading.deliveries if delivery.action == "failed"), None)
    arrival = next((delivery for delivery in reading.deliveries if delivery.action == "delivered"), None)
    if failure is not None and letter.state in _UNSETTLED_BY_NOTICE:
        said = f"returned: {failure.status or 'no status'} {failure.reason} ({failure.fault})"
        outbox.failed(letter, said, desk.now)
        return Outcome(Verdict.BOUNCE, f"letter {letter.id} {said}", letters.undelivered(desk, letter, said))
    if arrival is not None and letter.state is OutgoingState.IN_DOUBT:
        outbox.sent(letter, "settled by a notification: delivered", desk.now)
    return Outcome(Verdict.BOUNCE, f"notice about letter {letter.id}")
