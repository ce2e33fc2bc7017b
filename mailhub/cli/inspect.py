"""One mail, read and described: what `mail` and the route table make of it, without any home."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

import sys
from pathlib import Path
from typing import Annotated

import typer

from mailhub.cli import screen


def inspect(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Mails; - for standard input.")],
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="ADDRESS", help="Judge it as sent there.", show_default="the first To"),
    ] = None,
    verdict: Annotated[
        bool,
        typer.Option("--verdict/--no-verdict", help="Also say where the route table would send it, and why."),
    ] = True,
    json: Annotated[  # noqa: ARG001 — nobody need know which commands can do without it
        bool, typer.Option("--json", help="Nothing changes: it is JSON in any case.")
    ] = False,
) -> None:
    """Describe mails as JSON, one object on each line; no home is needed, nothing is kept."""
    unreadable = False
    for file in files:
        try:
            raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a name with a null octet
            said = error.strerror if isinstance(error, OSError) else str(error)
            screen.lines([{"file": file, "error": said}])
            unreadable = True
            continue
        screen.lines([_routed(file, raw, to) if verdict else _described(file, raw)])
    if unreadable:
        raise typer.Exit(1)


def _described(file: str, raw: bytes) -> dict[str, object]:
    """What the mail says; needs nothing but the language of mail."""
    from mailhub.mail import contract, dsn, kinds, message, quoting

    said = message.read(raw)
    sort = kinds.sort(said)
    return contract.describe(
        file,
        said,
        quoting.read(said.text, said.html, is_reply=bool(said.in_reply_to or said.references)),
        sort,
        dsn.read(said) if sort.kind is kinds.Kind.BOUNCE else (),
    )


def _routed(file: str, raw: bytes, to: str | None) -> dict[str, object]:
    """The same, and the line of the route table that a stranger's mail like this one meets at any centre."""
    import secrets
    from dataclasses import replace

    from mailhub import understand
    from mailhub.centre.profile import Centre
    from mailhub.mail import address, contract
    from mailhub.mail.envelope import Envelope
    from mailhub.mail.tokens import Keyring
    from mailhub.route import route

    reading = understand.read(raw, Envelope(recipient=to or "", source="cli"))
    recipient = to or next((box.address for box in reading.message.to if box.address), "")
    # A centre whose key was made this instant: no token in the mail can be one of its own.
    any_centre = Centre("-", address.domain_of(recipient) or "-", Keyring(1, {1: secrets.token_bytes(32)}))
    ruling = route(replace(reading, service=any_centre.service_at(recipient)[0]))
    return contract.describe(
        file,
        reading.message,
        reading.quoting,
        reading.sort,
        reading.deliveries,
        verdict=str(ruling.errand),
        why=f"{ruling.rule}: {reading.sort.why}" if reading.sort.why else ruling.rule,
    )
