"""Mail that asks for nothing: noted, answered by nobody; staff hear of it when it says that a reader has left."""

from collections.abc import Sequence
from datetime import date

from mailhub import journal
from mailhub.centre import people, requests, subscriptions
from mailhub.centre.people import Person
from mailhub.centre.requests import Request
from mailhub.centre.subscriptions import LIVE
from mailhub.handlers import correspondence, incoming, letters
from mailhub.handlers.desk import Desk, Outcome
from mailhub.journal import Verdict
from mailhub.mail import absences
from mailhub.mail.draft import Draft
from mailhub.mail.kinds import Kind
from mailhub.understand import Reading

_SPEAKS_FOR_SOMEBODY = frozenset({Kind.AUTO_REPLY, Kind.AUTO_GENERATED})


def duplicate(reading: Reading, desk: Desk) -> Outcome:
    """The same mail again; when it came to another of our addresses, its request has one door more (S17, P13)."""
    first = reading.standing.duplicate_of
    assert first is not None
    request = requests.in_whose_thread(desk.session, [first])
    if request is not None and reading.service is not None:
        requests.add_door(desk.session, request, reading.service, desk.now)
    differs = "" if journal.get(desk.session, first).gist == reading.gist else ", with other words around it"
    return Outcome(Verdict.DUPLICATE, f"the same as mail {first}{differs}")


def automatic(reading: Reading, desk: Desk) -> Outcome:
    """A machine wrote: it opens, reopens, acknowledges and relays nothing; its thread is named for who looks."""
    request = requests.get(desk.session, reading.standing.request_id or 0)
    about = f" in {request.reference}" if request else ""
    away = _away_until(reading, desk)
    note = f"{reading.sort.kind}{about}{f', until {away}' if away else ''}: {reading.sort.why}"
    drafts = _departed(reading, desk, request)
    if drafts:
        note += "; its author has left: a task for staff"
    return Outcome(Verdict.AUTOMATIC, note, drafts)


def receipt(reading: Reading, desk: Desk) -> Outcome:
    """Somebody's client says it was read, or deleted unread: an event, nothing more (S39)."""
    request = requests.get(desk.session, reading.standing.request_id or 0)
    return Outcome(Verdict.AUTOMATIC, f"read receipt{f' in {request.reference}' if request else ''}")


def quarantine(reading: Reading, desk: Desk) -> Outcome:
    """Kept whole, shown to staff who look for it, answered by nobody; `mailhub journal release` lets it in.

    Staff are told of their own: they believe that their answer left.
    """
    said = "; ".join(reading.message.defects[:5])
    author = reading.standing.staff
    drafts = incoming.shown_to(reading, desk, author) if author else ()
    return Outcome(Verdict.QUARANTINE, f"set aside{f': {said}' if said else ''}", drafts)


def _away_until(reading: Reading, desk: Desk) -> date | None:
    """The date an absence names, for whoever looks at the journal (S36)."""
    if reading.sort.kind is not Kind.AUTO_REPLY:
        return None
    return absences.until(reading.quoting.reply, desk.centre.calendar.local(desk.now).date())


# -- « je ne travaille plus ici » -------------------------------------------------------------------------------


def _departed(reading: Reading, desk: Desk, request: Request | None) -> tuple[Draft, ...]:
    """A word to staff that somebody on file has left, once a week at most; nothing is changed by itself (S36)."""
    if reading.standing.own or reading.sort.kind not in _SPEAKS_FOR_SOMEBODY:
        return ()
    if not absences.has_left(reading.quoting.reply):
        return ()
    found = _known(reading, desk)
    numbers = [people.identity(person) for person in found]
    held = subscriptions.held_by(desk.session, numbers)
    seats = [seat for number in numbers for seat in people.functions_of(desk.session, number)]
    live = [row for row in held if row.state in LIVE]
    if not found or not (live or seats or request):
        return ()
    values = {
        "number": reading.number,
        "sender": reading.sender,
        "proven": reading.strong,
        "reference": request.reference if request else None,
        "reader": correspondence.card(desk, found[0], held),
        "functions": [seat.title for seat in seats],
        "text": reading.quoting.reply,
    }
    year, week, _ = desk.centre.calendar.local(desk.now).isocalendar()
    # Such a machine answers every letter for months: the week in the key is what keeps it to one word.
    return letters.to_team(desk, "reader-gone", f"reader-gone:{numbers[0]}:{year}-{week}", values)


def _known(reading: Reading, desk: Desk) -> Sequence[Person]:
    """Those who have the address, else the reader whose letter is answered: machines often answer under another name."""
    if found := people.all_at(desk.session, reading.sender or ""):
        return found
    token = reading.token or reading.nearest
    row = correspondence.subscription_of(desk, token) if token else None
    reader = subscriptions.reader_of(desk.session, row) if row else None
    return [reader] if reader else []
