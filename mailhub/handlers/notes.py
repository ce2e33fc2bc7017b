"""Notes among staff: kept in the thread, read by no builder of outgoing mail to an asker (P28)."""

from mailhub.centre import requests
from mailhub.handlers import incoming
from mailhub.handlers.desk import Desk, Outcome
from mailhub.journal import Verdict
from mailhub.understand import Reading


def handle(reading: Reading, desk: Desk) -> Outcome:
    """File a note of the member of staff whose token this is; from any other address it goes to a human."""
    colleague = reading.standing.token_staff
    assert colleague is not None
    request = requests.get(desk.session, reading.standing.request_id or 0)
    if request is None:
        return incoming.to_people(reading, desk, "note about a request that is not there")
    author = reading.standing.staff
    if author is None or author.id != colleague.id:
        note = f"note address of {request.reference} used from elsewhere"
        return Outcome(Verdict.MESSAGE_ADDED, note, incoming.from_third_party(reading, desk, request))
    told = incoming.note(reading, desk, request, author)
    return Outcome(Verdict.MESSAGE_ADDED, f"note by {author.name} in {request.reference}", told)
