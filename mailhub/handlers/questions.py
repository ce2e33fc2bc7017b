"""A question opens a request: filed, promised, acknowledged, and shown to staff. Everyone may ask (R17)."""

from mailhub.centre import people, requests
from mailhub.handlers import incoming, letters
from mailhub.handlers.desk import Desk, Outcome
from mailhub.journal import Verdict
from mailhub.mail import forwards
from mailhub.understand import Reading


def handle(reading: Reading, desk: Desk) -> Outcome:
    """Open one request for one question, acknowledge it once, and give staff their copy."""
    assert reading.sender is not None
    written = incoming.opening(reading, desk)
    person = people.meet(desk.session, reading.sender, reading.sender_name, written.at)
    request, question = requests.open_(
        desk.session,
        requester_id=people.identity(person),
        service=reading.service or "question",
        suggested=incoming.suggested_kind(reading),
        written=written,
        calendar=desk.centre.calendar,
        promise=desk.centre.promise,
    )
    acknowledgement = letters.acknowledgement(desk, request, reading)
    passed_on = forwards.author(reading.message, reading.quoting)
    copies = letters.staff_copies(
        desk, request, question, "question", proven=reading.strong, passed_on=passed_on
    )
    silent = "" if acknowledgement else f", not acknowledged ({reading.sort.why_silent or 'cap reached'})"
    return Outcome(
        Verdict.REQUEST_OPENED,
        f"opened {request.reference}, due {request.due_on}{silent}",
        (*((acknowledgement,) if acknowledgement else ()), *copies),
    )
