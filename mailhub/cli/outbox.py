"""The outbox: every letter we owe, and how far it got."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mailhub.cli import opening, screen
from mailhub.cli.options import HERE, LAST_ROW, AsJson, AsLines, Home, Limit

if TYPE_CHECKING:  # see above
    from mailhub.outbox import Outgoing

app = typer.Typer(help="Every letter we owe, and how far it got.", no_args_is_help=True)

State = Literal["waiting", "sending", "sent", "deferred", "failed", "in_doubt", "withdrawn"]
Number = Annotated[int, typer.Argument(min=1, max=LAST_ROW, metavar="NUMBER", help="Number of the letter.")]
_COLUMNS = ("number", "created_at", "kind", "recipient", "subject", "state", "answer")
_HEADERS = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To")


@app.command("ls")
def ls(
    home: Home = HERE,
    state: Annotated[State | None, typer.Option("--state", help="Only letters that stand there.")] = None,
    about: Annotated[
        str | None, typer.Option("--about", metavar="ADDRESS|MESSAGE-ID", help="Only letters to or with it.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", help="Only letters of this template, such as answer.")
    ] = None,
    limit: Limit = 50,
    json: AsLines = False,
) -> None:
    """List letters, the latest first."""
    from mailhub import outbox
    from mailhub.outbox import OutgoingState

    with opening.database(home) as database, database.reading() as session:
        found = outbox.listed(
            session,
            state=OutgoingState(state) if state else None,
            about=about.strip("<>") if about else None,
            kind=kind,
            limit=limit,
        )
        rows = [as_row(row) for row in found]
    if json:
        screen.lines(rows)
    else:
        screen.table(rows, _COLUMNS, nothing="no such letter in the outbox")


@app.command("show")
def show(
    number: Number,
    home: Home = HERE,
    raw: Annotated[bool, typer.Option("--raw", help="Print the very bytes, before they are signed.")] = False,
    json: AsJson = False,
) -> None:
    """Show one letter: where it stands, and exactly what leaves."""
    from mailhub import outbox
    from mailhub.mail import message

    with opening.database(home) as database, database.reading() as session:
        found = outbox.get(session, number)
        row, content = as_row(found), outbox.raw(session, found)
    if raw:
        screen.octets(content)
        return
    said = message.read(content)
    files = [
        {"filename": part.filename, "content_type": part.content_type, "size": part.size}
        for part in said.attachments
    ]
    headers = {name: value for name in _HEADERS if (value := said.header(name)) is not None}
    if json:
        screen.document(row | {"headers": headers, "text": said.text, "attachments": files})
        return
    screen.facts(row, list(row))
    screen.say()
    for name, value in headers.items():
        screen.say(f"{name}: {screen.cell(value)}")
    screen.say()
    screen.say(said.text)
    for file in files:
        screen.say(f"[{file['filename']}, {file['content_type']}, {file['size']} octets]")


@app.command("retry")
def retry(number: Number, home: Home = HERE, json: AsJson = False) -> None:
    """Send a failed or deferred letter again now."""
    from mailhub import outbox

    with opening.database(home) as database, database.transaction() as session:
        row = as_row(outbox.retry(session, number, opening.this_moment()))
    sentence = f"letter {number} leaves with the next delivery, by `mailhub serve` or `mailhub tick`"
    screen.done(row, sentence, as_json=json)


@app.command("settle")
def settle(
    number: Number,
    home: Home = HERE,
    arrived: Annotated[bool, typer.Option("--arrived", help="It did arrive.")] = False,
    send_again: Annotated[
        bool, typer.Option("--send-again", help="It did not, and leaves once more.")
    ] = False,
    json: AsJson = False,
) -> None:
    """End the doubt about a letter; if it leaves again, it bears the same Message-ID."""
    from mailhub import outbox

    if arrived is send_again:
        raise typer.BadParameter("say --arrived or --send-again, one of them", param_hint="settle")
    with opening.database(home) as database, database.transaction() as session:
        row = as_row(outbox.settle_doubt(session, number, arrived=arrived, now=opening.this_moment()))
    sentence = f"letter {number} {'is settled: it arrived' if arrived else 'leaves once more'}"
    screen.done(row, sentence, as_json=json)


def as_row(row: "Outgoing") -> dict[str, object]:
    """One letter, for people and programs."""
    return {
        "number": row.id,
        "key": row.key,
        "kind": row.kind,
        "state": row.state.value,
        "answer": row.answer,
        "recipient": row.recipient,
        "subject": row.subject,
        "message_id": row.message_id,
        "envelope_from": row.envelope_from,
        "attempts": row.attempts,
        "created_at": row.created_at,
        "next_at": row.next_at,
        "settled_at": row.settled_at,
    }
