"""The team: who answers, and from which addresses."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailhub.cli import opening, screen
from mailhub.cli.options import HERE, AsJson, AsLines, Home
from mailhub.errors import Refused

if TYPE_CHECKING:  # see above
    from sqlmodel import Session

    from mailhub.centre.people import Staff
    from mailhub.config import Settings

app = typer.Typer(help="Who answers, and from which addresses.", no_args_is_help=True)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As colleagues call them.")],
    addresses: Annotated[
        list[str], typer.Argument(metavar="ADDRESS…", help="What they write from; copies go to the first.")
    ],
    home: Home = HERE,
    quiet: Annotated[bool, typer.Option("--quiet", help="No copy of each new question.")] = False,
    json: AsJson = False,
) -> None:
    """Add a member of staff with the addresses they write from."""
    from mailhub.centre import people

    settings = opening.settings(home)
    for written in addresses:
        _refuse_unusable(written, settings)
    with opening.database(home) as database, database.transaction() as session:
        hired = people.hire(session, name, addresses, opening.this_moment(), told_of_new=not quiet)
        row = _as_row(hired, addresses)
    told = "" if quiet else f"; copies go to {addresses[0]}"
    screen.done(row, f"{name} is staff{told}", as_json=json)


@app.command("ls")
def ls(home: Home = HERE, json: AsLines = False) -> None:
    """List the team, those who left included."""
    from mailhub.centre import people

    with opening.database(home) as database, database.reading() as session:
        rows = [_as_row(staff, addresses) for staff, addresses in people.team(session)]
    if json:
        screen.lines(rows)
    else:
        screen.table(
            rows, ("name", "addresses", "told_of_new", "active"), nothing="nobody yet: `mailhub staff add`"
        )


Name = Annotated[str, typer.Argument(metavar="NAME", help="Name or address.")]


@app.command("disable")
def disable(name: Name, home: Home = HERE, json: AsJson = False) -> None:
    """Take somebody off the team: from now on their replies send nothing. Their history stays."""
    from mailhub.centre import people

    _changed(people.disable, name, home, "is no longer staff", as_json=json)


@app.command("enable")
def enable(name: Name, home: Home = HERE, json: AsJson = False) -> None:
    """Take somebody back who was disabled, with the addresses they had."""
    from mailhub.centre import people

    _changed(people.enable, name, home, "is staff", as_json=json)


@app.command("address")
def address(
    name: Name,
    addresses: Annotated[
        list[str], typer.Argument(metavar="ADDRESS…", help="What they write from; copies go to the first.")
    ],
    home: Home = HERE,
    only: Annotated[
        bool, typer.Option("--only", help="No other is theirs: replies from those before count no more.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Give somebody an address more, to which copies go from now on; those before stay theirs, unless --only."""
    from mailhub.centre import people

    settings = opening.settings(home)
    for written in addresses:
        _refuse_unusable(written, settings)
    change = partial(people.readdress, addresses=addresses, only=only)
    _changed(change, name, home, f"is written to at {addresses[0]}", as_json=json)


def _changed(
    change: "Callable[[Session, str], Staff]", name: str, home: Path, told: str, *, as_json: bool
) -> None:
    from mailhub.centre import people

    with opening.database(home) as database, database.transaction() as session:
        changed = change(session, name)
        row = next(_as_row(staff, addresses) for staff, addresses in people.team(session) if staff is changed)
    screen.done(row, f"{row['name']} {told}", as_json=as_json)


def _as_row(staff: "Staff", addresses: list[str]) -> dict[str, object]:
    """One member of staff, for people and programs."""
    return {
        "name": staff.name,
        "addresses": addresses,
        "told_of_new": staff.told_of_new,
        "active": staff.active,
        "created_at": staff.created_at,
    }


def _refuse_unusable(written: str, settings: "Settings") -> None:
    """An address that is none, or is the centre's own, to which every copy would come back."""
    from mailhub.mail import address as addresses

    box = addresses.strict(written)
    if box is None or box.address is None or not addresses.is_valid(box.address):
        raise Refused(f"{written!r} is not an e-mail address")
    local, _, domain = addresses.normalise(box.address).rpartition("@")
    base, _ = addresses.split_tag(local)
    if domain == settings.centre.domain and base in dict(settings.addresses).values():
        raise Refused(f"{written} is an address of the centre itself: copies sent there would come back in")
