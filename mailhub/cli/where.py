"""The whole story of a mail, a person or a request, in the order of time: what came, what it did, what left."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from mailhub.cli import opening, screen
from mailhub.cli.options import HERE, AsJson, Home
from mailhub.errors import UnknownRow

if TYPE_CHECKING:  # see above
    from sqlmodel import Session

    from mailhub.centre.requests import Request
    from mailhub.journal import Inbound
    from mailhub.outbox import Outgoing

_REFERENCE = re.compile(r"[A-Za-z]-\d{4}-\d+")
_TOLD = re.compile(r"(?:held|held-settled|note-kept|command-\w+):(\d+)")  # keys that name a mail
_ORDER = ("mail", "request", "exchange", "letter")  # of what happened in the same instant
_MOST = 1000  # rows of each kind; more is a list, not a story


class Event(NamedTuple):
    """One thing that happened."""

    at: datetime
    event: str  # "mail", "request", "exchange", "letter"
    facts: dict[str, Any]


def where(
    about: Annotated[
        str, typer.Argument(metavar="ADDRESS|MESSAGE-ID|REFERENCE", help="A person, a mail, or a request.")
    ],
    home: Home = HERE,
    json: AsJson = False,
) -> None:
    """Tell the whole story of a person, a mail or a request, in the order of time."""
    wanted = about.strip().strip("<>")
    with opening.database(home) as database, database.reading() as session:
        events = _story(session, wanted)
    if not events:
        raise UnknownRow(f"nothing is known about {wanted}")
    if json:
        told = [{"at": event.at, "event": event.event, **event.facts} for event in events]
        screen.document({"about": wanted, "events": told})
        return
    for event in events:
        screen.say(f"{screen.cell(event.at)}  {_sentence(event)}")


def _story(session: "Session", wanted: str) -> list[Event]:
    asked, mails, letters = _beginning(session, wanted)
    for request in asked:
        letters |= _letters_of(session, request)
        mails |= _mails_of(session, request, letters)
    mails |= _mails_back(session, letters)
    # A mail that came twice is one story; its sender's other mails are not.
    mails |= _mails_like(session, mails)
    events = [_of_mail(row) for row in mails.values()]
    events += [_of_letter(row) for row in letters.values()]
    for request in asked:
        events += _of_request(session, request)
    return sorted(events, key=lambda event: (event.at, _ORDER.index(event.event)))


def _beginning(
    session: "Session", wanted: str
) -> "tuple[list[Request], dict[int, Inbound], dict[int, Outgoing]]":
    """The requests, mails and letters a person means by these words."""
    from mailhub import journal, outbox
    from mailhub.centre import people, requests
    from mailhub.mail import address

    if _REFERENCE.fullmatch(wanted):
        return [requests.called(session, wanted)], {}, {}
    names = dict.fromkeys((wanted, address.normalise(wanted)))
    mails = {row.id or 0: row for name in names for row in journal.listed(session, about=name, limit=_MOST)}
    letters = {row.id or 0: row for name in names for row in outbox.listed(session, about=name, limit=_MOST)}
    person = people.recognise(session, wanted)
    asked = (
        requests.of_person(session, person.id or 0) if person else requests.sharing_an_id(session, [wanted])
    )
    if not asked:  # a letter of ours was named: its request is the story
        named = {row.request_id for row in letters.values() if wanted == row.message_id and row.request_id}
        asked = [request for number in named if (request := requests.get(session, number))]
    return asked, mails, letters


def _letters_of(session: "Session", request: "Request") -> "dict[int, Outgoing]":
    from mailhub import outbox

    return {row.id or 0: row for row in outbox.listed(session, request_id=request.id, limit=_MOST)}


def _mails_of(session: "Session", request: "Request", letters: "dict[int, Outgoing]") -> "dict[int, Inbound]":
    """What came in a request's thread, and what came about it without entering it.

    A held or refused reply is in no thread; the letter that told its author bears its number in its key.
    """
    from mailhub import journal
    from mailhub.centre import requests

    inbound = {exchange.inbound_id for exchange in requests.exchanges(session, request)}
    told = (_TOLD.fullmatch(row.key) for row in letters.values() if row.request_id == request.id)
    numbers = {number for number in inbound if number is not None} | {
        int(match[1]) for match in told if match
    }
    found = journal.concerning(session, numbers=numbers, named=request.reference)
    return {row.id or 0: row for row in found}


def _mails_back(session: "Session", letters: "dict[int, Outgoing]") -> "dict[int, Inbound]":
    """What came back for these letters: notices to the return path that names each of them."""
    from mailhub import journal

    paths = {row.envelope_from for row in letters.values() if row.envelope_from}
    return {row.id or 0: row for row in journal.concerning(session, recipients=paths)} if paths else {}


def _mails_like(session: "Session", mails: "dict[int, Inbound]") -> "dict[int, Inbound]":
    from mailhub import journal

    ids = {row.message_id for row in mails.values() if row.message_id}
    return {row.id or 0: row for row in journal.concerning(session, message_ids=ids)} if ids else {}


def _of_mail(row: "Inbound") -> Event:
    from mailhub.cli.journal import as_row

    return Event(row.received_at, "mail", as_row(row))


def _of_letter(row: "Outgoing") -> Event:
    from mailhub.cli.outbox import as_row

    return Event(row.created_at, "letter", as_row(row))


def _of_request(session: "Session", request: "Request") -> list[Event]:
    from mailhub.centre import requests
    from mailhub.cli.requests import as_row, exchange_as_row

    opened = Event(request.received_at, "request", as_row(session, request))
    thread = [exchange_as_row(session, exchange) for exchange in requests.exchanges(session, request)]
    return [
        opened,
        *(
            Event(
                row["at"],
                "exchange",
                {
                    "reference": request.reference,
                    **{key: row[key] for key in ("kind", "author", "subject", "mail")},
                },
            )
            for row in thread
        ),
    ]


def _sentence(event: Event) -> str:
    facts = event.facts
    match event.event:
        case "mail":
            end = facts["verdict"] or facts["state"]
            reason = "; ".join(part for part in (facts["rule"], facts["note"]) if part)
            return f"mail {facts['number']} from {facts['author'] or facts['sender'] or '<>'} to {facts['recipient']}: {end} ({reason})"
        case "request":
            return f"request {facts['reference']}: {facts['state']}, due {facts['due_on']}, {facts['owner'] or 'nobody yet'}"
        case "exchange":
            return f"{facts['reference']}: {facts['kind']} by {facts['author']}"
        case _:
            answer = f" ({facts['answer']})" if facts["answer"] else ""
            return f"letter {facts['number']}, {facts['kind']}, to {facts['recipient']}: {facts['state']}{answer}"
