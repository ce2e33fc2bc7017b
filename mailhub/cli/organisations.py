"""Organisations: whose mail domain is whose, and who is a member."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from mailhub.cli import opening, screen
from mailhub.cli.options import HERE, AsJson, AsLines, Home
from mailhub.errors import Refused

if TYPE_CHECKING:  # see above
    from mailhub.centre.people import Organisation

app = typer.Typer(help="Bodies people write from, and their membership.", no_args_is_help=True)
_DAY = ["%Y-%m-%d"]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")],
    domains: Annotated[
        list[str] | None,
        typer.Option("--domain", metavar="DOMAIN", help="A mail domain of theirs; may be repeated."),
    ] = None,
    home: Home = HERE,
    member_from: Annotated[
        datetime | None,
        typer.Option("--member-from", formats=_DAY, metavar="DATE", help="First day of membership."),
    ] = None,
    member_until: Annotated[
        datetime | None,
        typer.Option("--member-until", formats=_DAY, metavar="DATE", help="Last day of membership."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Add an organisation, or complete the one of that name."""
    from mailhub.centre import people

    first, last = (moment.date() if moment else None for moment in (member_from, member_until))
    if first and last and last < first:
        raise Refused(f"the membership would end on {last}, before it begins on {first}")
    for domain in domains or []:
        _refuse_unusable(domain)
    with opening.database(home) as database, database.transaction() as session:
        kept = people.register_organisation(session, name, domains or [], first, last)
        session.flush()
        found = next(theirs for body, theirs in people.organisations(session) if body is kept)
        row = _as_row(kept, found, _today(home))
    screen.done(row, f"{name} is on file", as_json=json)


@app.command("ls")
def ls(home: Home = HERE, json: AsLines = False) -> None:
    """List organisations by name."""
    from mailhub.centre import people

    with opening.database(home) as database, database.reading() as session:
        today = _today(home)
        rows = [
            _as_row(organisation, theirs, today) for organisation, theirs in people.organisations(session)
        ]
    if json:
        screen.lines(rows)
    else:
        columns = ("name", "domains", "member_from", "member_until", "member_today")
        screen.table(rows, columns, nothing="none yet: `mailhub organisations add`")


def _today(home: Path) -> date:
    """The day it is at the centre."""
    zone = ZoneInfo(opening.settings(home).centre.time_zone)
    return opening.this_moment().astimezone(zone).date()


def _as_row(organisation: "Organisation", domains: list[str], today: date) -> dict[str, object]:
    """One organisation, for people and programs."""
    from mailhub.centre import people

    return {
        "name": organisation.name,
        "domains": domains,
        "member_from": organisation.member_from,
        "member_until": organisation.member_until,
        "member_today": people.is_member(organisation, today),
    }


def _refuse_unusable(domain: str) -> None:
    from mailhub.mail import address

    if not address.is_valid(f"x@{domain}"):
        raise Refused(f"{domain!r} is not a mail domain; write it without @, such as kerbrec.example")
