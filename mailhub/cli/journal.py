"""The journal: every mail we took and what became of it."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mailhub.cli import opening, screen
from mailhub.cli.options import HERE, LAST_ROW, AsJson, AsLines, Home, Limit

if TYPE_CHECKING:  # see above
    from mailhub.journal import Inbound
    from mailhub.mail.path import Hop

app = typer.Typer(help="Every mail we took, and what became of it.", no_args_is_help=True)

State = Literal["waiting", "held", "done", "parked"]
Verdict = Literal[
    "request opened",
    "message added",
    "command done",
    "order taken",
    "rsvp",
    "bounce",
    "automatic",
    "duplicate",
    "quarantine",
    "triage",
]
Number = Annotated[
    int, typer.Argument(min=1, max=LAST_ROW, metavar="NUMBER", help="Journal number of the mail.")
]
_COLUMNS = ("number", "received_at", "author", "recipient", "state", "verdict", "rule", "note")


@app.command("ls")
def ls(
    home: Home = HERE,
    state: Annotated[State | None, typer.Option("--state", help="Only mails that stand there.")] = None,
    verdict: Annotated[Verdict | None, typer.Option("--verdict", help="Only mails that ended so.")] = None,
    about: Annotated[
        str | None,
        typer.Option("--about", metavar="ADDRESS|MESSAGE-ID", help="Only mails from, to or with it."),
    ] = None,
    limit: Limit = 50,
    json: AsLines = False,
) -> None:
    """List mails, the latest first."""
    from mailhub import journal
    from mailhub.journal import InboundState
    from mailhub.journal import Verdict as Ended

    with opening.database(home) as database, database.reading() as session:
        found = journal.listed(
            session,
            state=InboundState(state) if state else None,
            verdict=Ended(verdict) if verdict else None,
            about=about.strip("<>") if about else None,
            limit=limit,
        )
        rows = [as_row(row) for row in found]
    if json:
        screen.lines(rows)
    else:
        screen.table(rows, _COLUMNS, nothing="no such mail in the journal")


@app.command("show")
def show(number: Number, home: Home = HERE, json: AsJson = False) -> None:
    """Show what is known of one mail, and what it says."""
    from mailhub import journal
    from mailhub.errors import Refused
    from mailhub.mail import message, path

    with opening.database(home) as database, database.reading() as session:
        found = journal.get(session, number)
        row = as_row(found)
        try:
            said = message.read(journal.raw(session, found))
        except Refused:  # retention took the bytes; the line in the journal stays
            said = None
    way = path.of(said) if said else path.Path((), ())
    hops = [_hop_as_row(hop) for hop in way.hops]
    row |= {"subject": said.subject if said else None, "text": said.text if said else None}
    row |= {"hops": hops, "oddities": way.oddities}
    if json:
        screen.document(row)
        return
    screen.facts(row, [key for key in row if key not in {"text", "hops"}])
    for hop in way.hops:
        screen.say(f"  {screen.cell(hop.at)}  {hop.from_} → {hop.by} ({hop.delay_seconds} s)")
    screen.say()
    screen.say(said.text if said else "(the retention clock has removed what it said)")


@app.command("raw")
def raw(number: Number, home: Home = HERE, json: AsJson = False) -> None:
    """Print one mail exactly as it came; in JSON, as base64."""
    from base64 import b64encode

    from mailhub import journal

    with opening.database(home) as database, database.reading() as session:
        content = journal.raw(session, journal.get(session, number))
    if json:
        screen.document({"number": number, "octets": len(content), "raw": b64encode(content).decode()})
    else:
        screen.octets(content)


@app.command("replay")
def replay(number: Number, home: Home = HERE, json: AsJson = False) -> None:
    """Handle a parked mail again."""
    from mailhub import journal

    with opening.database(home) as database, database.transaction() as session:
        row = as_row(journal.replay(session, number))
    sentence = f"mail {number} waits to be handled again, by `mailhub serve` or `mailhub tick`"
    screen.done(row, sentence, as_json=json)


@app.command("release")
def release(number: Number, home: Home = HERE, json: AsJson = False) -> None:
    """Let in a mail that was held, quarantined, sent to triage or taken for automatic: a person wrote it."""
    from mailhub import journal

    with opening.database(home) as database, database.transaction() as session:
        row = as_row(journal.release(session, number))
    sentence = f"mail {number} waits to be handled as a person's, by `mailhub serve` or `mailhub tick`"
    screen.done(row, sentence, as_json=json)


@app.command("discard")
def discard(
    number: Number,
    home: Home = HERE,
    why: Annotated[
        str, typer.Option("--why", help="The reason, for the journal.")
    ] = "discarded by an operator",
    json: AsJson = False,
) -> None:
    """End a held or parked mail; nothing is done for it, and nobody is told."""
    from mailhub import journal

    with opening.database(home) as database, database.transaction() as session:
        row = as_row(journal.discard(session, number, why, opening.this_moment()))
    screen.done(row, f"mail {number} is discarded", as_json=json)


def _hop_as_row(hop: "Hop") -> dict[str, object]:
    return {
        "from": hop.from_,
        "by": hop.by,
        "with": hop.protocol,
        "at": hop.at,
        "delay_seconds": hop.delay_seconds,
    }


def as_row(row: "Inbound") -> dict[str, object]:
    """One line of the journal, for people and programs."""
    return {
        "number": row.id,
        "state": row.state.value,
        "verdict": row.verdict.value if row.verdict else None,
        "rule": row.rule,
        "note": row.note,
        "author": row.author,
        "sender": row.sender,
        "recipient": row.recipient,
        "source": row.source,
        "received_at": row.received_at,
        "handled_at": row.handled_at,
        "message_id": row.message_id,
        "attempts": row.attempts,
        "raw_kept": row.raw_kept,
    }
