"""Mail that asks for nothing: noted, answered by nobody."""

from mailhub import journal
from mailhub.centre import requests
from mailhub.handlers.desk import Desk, Outcome
from mailhub.journal import Verdict
from mailhub.understand import Reading


def duplicate(reading: Reading, desk: Desk) -> Outcome:
    """The same mail again; when it came to another of our addresses, its request has one door more (S17, P13)."""
    first = reading.standing.duplicate_of
    assert first is not None
    request = requests.opened_by_inbound(desk.session, [first])
    if request is not None and reading.service is not None:
        requests.add_door(desk.session, request, reading.service, desk.now)
    differs = "" if journal.get(desk.session, first).gist == reading.gist else ", with other words around it"
    return Outcome(Verdict.DUPLICATE, f"the same as mail {first}{differs}")


def automatic(reading: Reading, desk: Desk) -> Outcome:
    """A machine wrote: it opens, reopens, acknowledges and relays nothing; its thread is named for who looks."""
    request = requests.get(desk.session, reading.standing.request_id or 0)
    about = f" in {request.reference}" if request else ""
    return Outcome(Verdict.AUTOMATIC, f"{reading.sort.kind}{about}: {reading.sort.why}")


def receipt(reading: Reading, desk: Desk) -> Outcome:
    """Somebody's client says it was read, or deleted unread: an event, nothing more (S39)."""
    request = requests.get(desk.session, reading.standing.request_id or 0)
    return Outcome(Verdict.AUTOMATIC, f"read receipt{f' in {request.reference}' if request else ''}")


def quarantine(reading: Reading, desk: Desk) -> Outcome:  # noqa: ARG001 — the shape of a handler
    """Kept whole, shown to staff who look for it, answered by nobody; `mailhub journal release` lets it in."""
    said = "; ".join(reading.message.defects[:5])
    return Outcome(Verdict.QUARANTINE, f"set aside{f': {said}' if said else ''}")
