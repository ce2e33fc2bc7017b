"""Running a home: for good, once, with one mail, or as a play."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mailhub.cli import logs, opening, screen
from mailhub.cli.options import HERE, AsJson, AsLines, Home, Now
from mailhub.errors import Refused

if TYPE_CHECKING:  # see above
    from mailhub.app import House


def serve(
    home: Home = HERE,
    json: Annotated[
        bool, typer.Option("--json", help="Once it serves, print its doors and pages as JSON, on one line.")
    ] = False,
) -> None:
    """Run the centre until SIGTERM or Ctrl-C: mail in, answers out, pages."""
    import asyncio

    import uvloop

    from mailhub import app

    with opening.house(home) as house:
        logs.configure(house.settings.log.level, house.settings.log.format, once=True)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(app.serve(house, ready_to_go=_print_places if json else None))


def tick(home: Home = HERE, now: Now = None, json: AsJson = False) -> None:
    """Do once what a serving home does: handle what waits, send what is due, let the clocks run."""
    import asyncio

    from mailhub import app

    logs.configure("warning", "text")
    with opening.house(home, now) as house, screen.working("working"):
        before = _figures(house)
        forgotten = asyncio.run(app.tick(house))
        after = _figures(house)
    done = {name: after[name] - before[name] for name in after} | {"raw_mails_forgotten": forgotten}
    if json:
        screen.document(done)
    else:
        screen.facts(done, list(done))


def receive(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A mail; - for standard input.")],
    home: Home = HERE,
    sender: Annotated[
        str | None,
        typer.Option("--from", metavar="ADDRESS", help="Envelope sender.", show_default="the From header"),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to",
            metavar="ADDRESS",
            help="Envelope recipient; may be repeated.",
            show_default="our addresses in To and Cc",
        ),
    ] = None,
    now: Now = None,
    json: AsLines = False,
) -> None:
    """Put one mail in the journal, handle what waits, and say what became of it."""
    import hashlib

    from mailhub import journal
    from mailhub.mail import message
    from mailhub.mail.envelope import Envelope

    raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    if not raw.strip():
        raise Refused(f"{file} is empty")
    said = message.read(raw)
    logs.configure("warning", "text")
    with opening.house(home, now) as house, screen.working("reading"):
        author = next((box.address for box in said.from_ if box.address), "")
        named = [box.address for box in (*said.to, *said.cc) if box.address]
        envelopes = tuple(
            Envelope(recipient=recipient, sender=author if sender is None else sender, source="cli")
            for recipient in _recipients(house, to, named)
        )
        with house.database.transaction() as session:
            new = journal.accept(session, [(raw, envelopes)], house.now())
        while house.pipeline.step():
            pass
        ours = {envelope.recipient for envelope in envelopes}
        with house.database.reading() as session:
            lines = journal.bearing(session, hashlib.sha256(raw).hexdigest())
            became = [_became(row) for row in lines if row.source == "cli" and row.recipient in ours]
    if json:
        screen.lines(became)
    else:
        for row in became:
            screen.say(
                f"mail {row['number']} for {row['recipient']}: {row['verdict'] or row['state']} ({row['rule']})"
            )
            screen.say(f"    {row['note']}")
    if new < len(envelopes):
        screen.aside("this very mail was in the journal already, and was not handled again")


def play(
    home: Annotated[
        Path | None,
        typer.Option("--home", metavar="DIR", help="Where to play.", show_default="a new temporary folder"),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Tell a story in the terminal, each step checked, and end.")
    ] = False,
    story: Annotated[
        Literal["question", "lists"] | None,
        typer.Option(
            "--story",
            help="Which story --once tells: of a question, or of a letter and its readers.",
            show_default="question",
        ),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port of the page; 0: any free one.")
    ] = 0,
    now: Now = None,
    json: AsLines = False,
) -> None:
    """Watch a fictional centre at work: real mail on this machine, and none that leaves it."""
    from mailhub import play as stage

    logs.configure("warning", "text")
    tell = (lambda event: screen.lines([event])) if json else None
    raise typer.Exit(stage.run(home=home, port=port, once=once, now=now, story=story, tell=tell))


def _print_places(doors: list[str], pages: str) -> None:
    screen.lines([{"doors": doors, "pages": pages}])
    sys.stdout.flush()  # whoever waits for it reads a pipe


def _recipients(house: "House", given: list[str] | None, named: Iterable[str]) -> list[str]:
    """The envelope recipients: those given, else those of ours that the headers name."""
    if given:
        strangers = [address for address in given if not house.centre.is_ours(address)]
        if strangers:
            raise Refused(f"{', '.join(strangers)}: this centre ({house.centre.domain}) has no such address")
        return list(dict.fromkeys(given))
    ours = [address for address in dict.fromkeys(named) if house.centre.is_ours(address)]
    if not ours:
        raise Refused("neither To nor Cc names an address of this centre; say who it is for with --to")
    return ours


def _became(row: object) -> dict[str, object]:
    from mailhub.cli.journal import as_row

    return as_row(row)  # type: ignore[arg-type]


def _figures(house: "House") -> dict[str, int]:
    """How many mails are handled and how many letters have come to an end, of each kind."""
    from mailhub import journal, outbox
    from mailhub.journal import InboundState
    from mailhub.outbox import OutgoingState

    with house.database.reading() as session:
        mails, _ = journal.figures(session)
        letters = outbox.figures(session)
    ends = (OutgoingState.SENT, OutgoingState.DEFERRED, OutgoingState.FAILED, OutgoingState.IN_DOUBT)
    return {
        "mails_handled": sum(mails.values()) - mails.get(InboundState.WAITING, 0),
        **{f"letters_{state}": letters.get(state, 0) for state in ends},
    }
