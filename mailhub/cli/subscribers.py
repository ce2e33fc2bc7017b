"""Subscribers: what is decided about one reader, with its proof; staff's own door to the verbs readers use by mail."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mailhub.cli import opening, register, screen, sheets
from mailhub.cli.options import HERE, AsJson, AsLines, By, Home, Limit, Of, logged_in
from mailhub.errors import Refused

if TYPE_CHECKING:  # see above
    from sqlmodel import Session

    from mailhub.app import House
    from mailhub.centre.subscriptions import Evidence, Source, Subscription

app = typer.Typer(help="Who receives what, and with what proof.", no_args_is_help=True)


class Way(StrEnum):
    """How issues come."""

    EMAIL = "email"
    PAPER = "paper"
    BOTH = "both"


State = Literal["pending", "active", "paused", "left", "suspended", "complained", "suppressed"]
Who = Annotated[str, typer.Argument(metavar="WHO", help="An address, or the number of a subscription.")]
Note = Annotated[
    str,
    typer.Option(
        "--note", metavar="TEXT", help="How they told you: « par téléphone le 3 mars »; kept as proof."
    ),
]


@app.command("ls")
def ls(
    home: Home = HERE,
    of: Of = None,
    state: Annotated[State | None, typer.Option("--state", help="Only those that stand there.")] = None,
    limit: Limit = 1000,
    json: AsLines = False,
) -> None:
    """List subscriptions, oldest first."""
    with opening.house(home) as house, house.database.reading() as session:
        rows = register.every(session, house, of, state=state, limit=limit)
        if json:
            screen.lines(rows)
        else:
            screen.table(rows, register.COLUMNS, nothing="nobody: `mailhub subscribers add` or `import`")


@app.command("show")
def show(who: Who, home: Home = HERE, json: AsJson = False) -> None:
    """Show what somebody receives, and every decision that led there."""
    with opening.house(home) as house, house.database.reading() as session:
        now = house.now()
        rows = register.chosen(session, who, None)
        found = [
            {
                **described,
                "paused_until": row.paused_until if row.state_at(now) == "paused" else None,
                "history": register.history(session, row),
                "returns": register.returns(session, row),
            }
            for row, described in zip(rows, register.described(session, rows, now), strict=True)
        ]
    if json:
        screen.document(found)
        return
    for one in found:
        screen.facts(one, (*register.COLUMNS, "paused_until"))
        screen.table(
            _rows(one, "history"), ("at", "act", "source", "state", "channel", "note"), nothing="no proof"
        )
        if _rows(one, "returns"):
            screen.table(_rows(one, "returns"), ("issue", "outcome", "address", "at"), nothing="")
        screen.say()


@app.command("add")
def add(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Their mail address.")],
    to: Annotated[str, typer.Option("--to", metavar="LIST", help="The publication, such as revue.")],
    note: Note,
    home: Home = HERE,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Their name.")] = None,
    by: By = None,
    json: AsJson = False,
) -> None:
    """Ask an address, for somebody who told you so, whether it wants a publication: it answers OUI or nothing is sent."""
    from mailhub import outbox
    from mailhub.centre.subscriptions import Source
    from mailhub.handlers import enrolment
    from mailhub.handlers.desk import Desk
    from mailhub.mail import address as addresses

    if not addresses.is_reachable(address):
        raise Refused(f"{address!r} is not an e-mail address that mail from anywhere can reach")
    with opening.house(home) as house, house.database.transaction() as session:
        publication = house.centre.lists.publication(to)
        if house.centre.is_ours(address):
            raise Refused(f"{address} is an address of the centre itself")
        desk = Desk(session, house.now(), house.centre, house.renderer)
        evidence = _evidence(house, Source.STAFF, note, by)
        asked, drafts = enrolment.ask(desk, address, name, [publication], evidence)
        outbox.put(session, drafts, domain=house.centre.domain, now=house.now())
    if asked.confirmation is None:
        raise Refused(asked.silent or f"{address} receives {to} already")
    shown = {"address": address, "publication": to, "state": "pending"}
    screen.done(shown, f"{address} is asked by mail; {to} is sent once they answer OUI", as_json=json)


@app.command("leave")
def leave(
    who: Who, note: Note, home: Home = HERE, of: Of = None, by: By = None, json: AsLines = False
) -> None:
    """Stop what somebody receives: everything, or one publication."""
    from mailhub.centre import subscriptions
    from mailhub.centre.subscriptions import Source

    with opening.house(home) as house, house.database.transaction() as session:
        rows = register.chosen(session, who, of)
        changed = subscriptions.leave(session, rows, _evidence(house, Source.STAFF, note, by))
        shown = _changed(session, house, changed)
    _tell(shown, "left", as_json=json)


@app.command("pause")
def pause(
    who: Who,
    until: Annotated[
        datetime,
        typer.Option("--until", formats=["%Y-%m-%d"], metavar="DATE", help="The day sending goes on again."),
    ],
    note: Note,
    home: Home = HERE,
    of: Of = None,
    by: By = None,
    json: AsLines = False,
) -> None:
    """Send nothing until a day; it ends by itself."""
    from mailhub.centre import subscriptions
    from mailhub.centre.subscriptions import Source

    with opening.house(home) as house, house.database.transaction() as session:
        evidence = _evidence(house, Source.STAFF, note, by)
        morning = house.centre.calendar.morning(until.date())
        if morning <= house.now():
            raise Refused(f"{until.date()} is past")
        changed = subscriptions.pause(session, register.chosen(session, who, of), evidence, until=morning)
        shown = _changed(session, house, changed)
    _tell(shown, f"paused until {until.date()}", as_json=json)


@app.command("resume")
def resume(
    who: Who, note: Note, home: Home = HERE, of: Of = None, by: By = None, json: AsLines = False
) -> None:
    """Send again: a pause ends, or an address that came back works; its failures are counted from nought."""
    from mailhub.centre import subscriptions
    from mailhub.centre.subscriptions import Source

    with opening.house(home) as house, house.database.transaction() as session:
        evidence = _evidence(house, Source.STAFF, note, by)
        changed = subscriptions.resume(session, register.chosen(session, who, of), evidence)
        shown = _changed(session, house, changed)
    _tell(shown, "resumed", as_json=json)


@app.command("channel")
def channel(
    who: Who,
    way: Annotated[Way, typer.Argument(help="email, paper or both.")],
    note: Note,
    home: Home = HERE,
    of: Of = None,
    by: By = None,
    json: AsLines = False,
) -> None:
    """Send another way from the next issue on."""
    from mailhub.centre import subscriptions
    from mailhub.centre.subscriptions import Channel, Source

    with opening.house(home) as house, house.database.transaction() as session:
        rows, wanted = register.chosen(session, who, of), Channel(way)
        for row in rows:
            subscriptions.refuse_channel(house.centre.lists.publication(row.publication), wanted)
        evidence = _evidence(house, Source.STAFF, note, by)
        shown = _changed(session, house, subscriptions.change_channel(session, rows, wanted, evidence))
    _tell(shown, f"by {way} from now on", as_json=json)


@app.command("deceased")
def deceased(
    who: Who,
    note: Note,
    home: Home = HERE,
    by: By = None,
    json: AsLines = False,
) -> None:
    """Send nothing more to somebody who died, by mail or by post; what belongs to their function waits for the next."""
    from mailhub.centre import subscriptions
    from mailhub.centre.subscriptions import Source

    with opening.house(home) as house, house.database.transaction() as session:
        reader, *others = [
            subscriptions.reader_of(session, row) for row in register.chosen(session, who, None)
        ]
        if reader is None or any(other is not reader for other in others):
            raise Refused(f"{who} is not one reader; give the number of a subscription of theirs")
        evidence = _evidence(house, Source.STAFF, note, by)
        rows = subscriptions.died(session, reader, evidence)
        shown = register.described(session, rows, house.now())
    if json:
        screen.lines(shown)
    else:
        screen.say(f"nothing more goes to {who}")


@app.command("suppress")
def suppress(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The address.")],
    note: Note,
    home: Home = HERE,
    by: By = None,
    json: AsJson = False,
) -> None:
    """Never write to an address again, whoever asks; kept as a digest, which outlives the erasure of the person."""
    from mailhub.centre import people, subscriptions
    from mailhub.centre.subscriptions import Source
    from mailhub.mail import address as addresses

    if not addresses.is_valid(address):
        raise Refused(f"{address!r} is not an e-mail address")
    with opening.house(home) as house, house.database.transaction() as session:
        found = [people.identity(person) for person in people.all_at(session, address)]
        rows = subscriptions.held_by(session, found)
        evidence = _evidence(house, Source.STAFF, note, by)
        left = subscriptions.leave_everything(session, house.centre.keyring, rows, address, evidence)
        shown = {"address": address, "left": [row.id for row in left]}
    screen.done(shown, f"{address} is never written to again", as_json=json)


app.command("import")(sheets.import_)
app.command("export")(sheets.export)


def _rows(one: dict[str, object], key: str) -> list[dict[str, object]]:
    found = one[key]
    assert isinstance(found, list)
    return found


def _evidence(house: "House", source: "Source", note: str, by: str | None) -> "Evidence":
    from mailhub.centre.subscriptions import Evidence

    if not note.strip():
        raise Refused("say in --note how they told you; it is kept as proof")
    return Evidence(source, house.now(), note=note.strip(), recorded_by=by or logged_in())


def _changed(session: "Session", house: "House", rows: "Sequence[Subscription]") -> list[dict[str, object]]:
    if not rows:
        raise Refused("nothing to change: it is so already, or cannot be from where it stands")
    return register.described(session, rows, house.now())


def _tell(rows: list[dict[str, object]], what: str, *, as_json: bool) -> None:
    if as_json:
        screen.lines(rows)
        return
    for row in rows:
        screen.say(f"subscription {row['number']} to {row['publication']}: {what}")
