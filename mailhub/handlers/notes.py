"""Notes among staff: kept in the thread, read by no builder of outgoing mail to an asker (P28)."""

from mailhub.centre import people, requests
from mailhub.centre.requests import ExchangeKind, Request
from mailhub.handlers import incoming, letters
from mailhub.handlers.desk import Desk, Outcome
from mailhub.journal import Verdict
from mailhub.mail.draft import Draft
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
    return keep(reading, desk, request)


def keep(reading: Reading, desk: Desk, request: Request) -> Outcome:
    """File the whole mail as a note; the owner is told of a colleague's."""
    author = reading.standing.staff
    assert author is not None
    exchange = requests.add(
        desk.session, request, ExchangeKind.NOTE, incoming.written(reading), staff_id=author.id
    )
    owner = people.colleague(desk.session, request.owner_id) if request.owner_id else None
    told: tuple[Draft, ...] = ()
    if owner is not None and owner.id != author.id:
        told = (
            letters.to_staff(
                desk,
                "note-copy",
                owner,
                f"note:{exchange.id}:{owner.id}",
                {"colleague": author.name, "text": exchange.text},
                request=request,
            ),
        )
    return Outcome(Verdict.MESSAGE_ADDED, f"note by {author.name} in {request.reference}", told)
