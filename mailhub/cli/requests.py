"""Requests: what people asked, who looks after it, what was said."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mailhub.cli import files, opening, screen
from mailhub.cli.options import HERE, AsJson, AsLines, Home, Limit
from mailhub.errors import Refused

if TYPE_CHECKING:  # see above
    from sqlmodel import Session

    from mailhub.centre.requests import Attachment, Exchange, Request

app = typer.Typer(help="What people asked, and how far it is.", no_args_is_help=True)

State = Literal["open", "answered", "closed"]
Reference = Annotated[str, typer.Argument(metavar="REFERENCE", help="Such as Q-2026-0143.")]
_COLUMNS = ("reference", "due_on", "state", "owner", "requester", "subject")
_FACTS = (
    "reference",
    "subject",
    "state",
    "kind",
    "suggested_kind",
    "requester",
    "organisation",
    "owner",
    "received_at",
    "first_contact_on",
    "due_on",
    "answered_at",
    "closed_at",
    "follows",
    "also_came_to",
)


@app.command("ls")
def ls(
    home: Home = HERE,
    state: Annotated[State | None, typer.Option("--state", help="Only requests that stand there.")] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="NAME", help="Only those of this colleague.")
    ] = None,
    limit: Limit = 50,
    json: AsLines = False,
) -> None:
    """List requests; what is due first comes first."""
    from mailhub.centre import people, requests
    from mailhub.centre.requests import RequestState

    with opening.database(home) as database, database.reading() as session:
        found = requests.listed(
            session,
            state=RequestState(state) if state else None,
            owner_id=people.staff_called(session, owner).id if owner else None,
            limit=limit,
        )
        rows = [as_row(session, row) for row in found]
    if json:
        screen.lines(rows)
    else:
        screen.table(rows, _COLUMNS, nothing="no such request")


@app.command("show")
def show(
    reference: Reference,
    home: Home = HERE,
    folder: Annotated[
        Path | None, typer.Option("--files", metavar="DIR", help="Write the files that came with it there.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Show one request with its whole thread; internal notes are marked as such."""
    from mailhub.centre import requests

    with opening.database(home) as database, database.reading() as session:
        request = requests.called(session, reference)
        shown = as_row(session, request)
        exchanges = requests.exchanges(session, request)
        thread = [exchange_as_row(session, exchange) for exchange in exchanges]
        written = _write_files(session, exchanges, folder, home) if folder else []
    if json:
        screen.document(shown | {"exchanges": thread, "files_written": [str(path) for path in written]})
        return
    screen.facts(shown, _FACTS)
    for exchange in thread:
        _print_exchange(exchange)
    for path in written:
        screen.aside(f"wrote {path}")
    if folder and not written:
        screen.aside("no file came with it")


@app.command("assign")
def assign(
    reference: Reference,
    colleague: Annotated[str, typer.Argument(metavar="NAME", help="A member of staff, by name or address.")],
    home: Home = HERE,
    json: AsJson = False,
) -> None:
    """Give a request to a member of staff."""
    from mailhub.centre import people, requests

    with opening.database(home) as database, database.transaction() as session:
        request = requests.called(session, reference)
        requests.require_open(request)
        staff = people.staff_called(session, colleague)
        if not staff.active:
            raise Refused(f"{staff.name} is no longer staff")
        requests.assign(session, request, people.identity(staff))
        row = as_row(session, request)
    screen.done(row, f"{row['reference']} is {row['owner']}'s", as_json=json)


@app.command("close")
def close(reference: Reference, home: Home = HERE, json: AsJson = False) -> None:
    """Close a request; a reply within thirty days opens it again."""
    from mailhub.centre import requests

    with opening.database(home) as database, database.transaction() as session:
        request = requests.called(session, reference)
        requests.close(session, request, opening.this_moment())
        row = as_row(session, request)
    screen.done(row, f"{row['reference']} is closed", as_json=json)


def as_row(session: "Session", row: "Request") -> dict[str, object]:
    """One request, for people and programs."""
    from mailhub.centre import people, requests

    person = session.get_one(people.Person, row.requester_id)
    organisation = (
        session.get(people.Organisation, person.organisation_id) if person.organisation_id else None
    )
    earlier = requests.get(session, row.follow_up_of_id) if row.follow_up_of_id else None
    return {
        "reference": row.reference,
        "subject": row.subject,
        "state": row.state.value,
        "kind": row.kind.value if row.kind else None,
        "suggested_kind": row.suggested_kind.value if row.suggested_kind else None,
        "requester": people.address_of(session, row.requester_id),
        "requester_name": person.name,
        "organisation": organisation.name if organisation else None,
        "owner": people.name_of_staff(session, row.owner_id),
        "service": row.service,
        "also_came_to": requests.doors(session, row),
        "received_at": row.received_at,
        "first_contact_on": row.first_contact_on,
        "due_on": row.due_on,
        "answered_at": row.answered_at,
        "closed_at": row.closed_at,
        "follows": earlier.reference if earlier else None,
    }


def exchange_as_row(session: "Session", row: "Exchange") -> dict[str, Any]:
    """One entry of a thread, for people and programs."""
    from mailhub.centre import people, requests

    author = people.name_of_staff(session, row.staff_id)
    if author is None and row.person_id is not None:
        author = people.address_of(session, row.person_id)
    return {
        "at": row.at,
        "kind": row.kind.value,
        "author": author,
        "subject": row.subject,
        "text": row.text,
        "mail": row.inbound_id,
        "letter_key": row.outgoing_key,
        "attachments": [_attachment(file) for file in requests.attachments(session, row.id or 0)],
    }


def _attachment(row: "Attachment") -> dict[str, object]:
    return {
        "filename": row.filename,
        "content_type": row.content_type,
        "size": row.size,
        "sha256": row.digest,
    }


def _print_exchange(exchange: dict[str, Any]) -> None:
    internal = " (internal)" if exchange["kind"] == "note" else ""
    screen.say()
    screen.say(
        f"── {exchange['kind']}{internal} · {screen.cell(exchange['author'])} · {screen.cell(exchange['at'])}"
    )
    screen.say(exchange["text"])
    for file in exchange["attachments"]:
        screen.say(f"[{file['filename'] or 'no name'}, {file['content_type']}, {file['size']} octets]")


def _write_files(session: "Session", thread: "list[Exchange]", folder: Path, home: Path) -> list[Path]:
    from mailhub import storage
    from mailhub.centre import requests
    from mailhub.render import Renderer

    unnamed = Renderer([home / "templates"]).words("unnamed")
    rows = [row for exchange in thread for row in requests.attachments(session, exchange.id or 0)]
    return [
        files.write_new(folder, row.filename, storage.fetch(session, row.digest), unnamed=unnamed)
        for row in rows
    ]
