"""Publications and circles as `lists/` says them: which there are, what is wrong, and when they appear."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailhub.cli import opening, screen
from mailhub.cli.options import HERE, AsJson, AsLines, Home

if TYPE_CHECKING:  # see above
    from mailhub.lists import Lists

app = typer.Typer(help="Publications and circles, and when they appear.", no_args_is_help=True)


@app.command("ls")
def ls(home: Home = HERE, json: AsLines = False) -> None:
    """List publications and circles by code."""
    from mailhub.centre import cadences

    read = _lists(home)
    rows: list[dict[str, object]] = [
        {
            "code": publication.code,
            "kind": publication.kind,
            "title": publication.title,
            "address": publication.address,
            "cadence": str(cadences.parse(publication.schedule.cadence)),
            "channels": list(publication.channels),
            "consent": publication.consent,
        }
        for publication in read.publications
    ]
    nothing = dict.fromkeys(("address", "cadence", "channels", "consent"))
    rows += [
        {"code": circle.code, "kind": circle.kind, "title": circle.title, **nothing}
        for circle in read.circles
    ]
    if json:
        screen.lines(rows)
    else:
        columns = ("code", "kind", "title", "address", "cadence", "channels", "consent")
        screen.table(rows, columns, nothing="none yet: docs/lists.md tells how a file is written")


@app.command("check")
def check(home: Home = HERE, json: AsJson = False) -> None:
    """Say everything that is wrong in lists/."""
    from mailhub import lists
    from mailhub.centre import cadences

    opening.settings(home)  # a folder that is no home has nothing wrong in it
    _, problems = lists.examine(home / "lists", cadence=cadences.parse)
    if json:
        screen.document({"ok": not problems, "problems": [asdict(problem) for problem in problems]})
    else:
        for problem in problems:
            screen.say(str(problem))
        screen.aside(f"{len(problems)} wrong" if problems else "nothing is wrong")
    if problems:
        raise typer.Exit(1)


@app.command("calendar")
def calendar(
    code: Annotated[
        str | None, typer.Argument(metavar="CODE", help="A publication; all of them when it is left out.")
    ] = None,
    home: Home = HERE,
    year: Annotated[
        int | None,
        typer.Option(
            "--year", min=1900, max=9000, help="A calendar year instead of the twelve months from today."
        ),
    ] = None,
    json: AsLines = False,
) -> None:
    """Print the dates of a publication, and what moved them."""
    from mailhub import app as house
    from mailhub.centre import cadences

    days, read = house.calendar(opening.settings(home)), _lists(home)
    start = date(year, 1, 1) if year else days.local(opening.this_moment()).date()
    shown = [read.publication(code)] if code is not None else read.publications
    rows = [
        {
            "code": publication.code,
            **asdict(row),
            "hour": publication.schedule.hour.isoformat("minutes"),
            "may_be_double": row.planned.month in publication.double_issue_months,
        }
        for publication in shown
        for row in cadences.preview(publication, start, days)
    ]
    if json:
        screen.lines(rows)
    else:
        columns = ("code", "day", "weekday", "hour", "planned", "because", "may_be_double")
        screen.table(rows, columns, nothing="no date: there is no publication in lists/")


def _lists(home: Path) -> "Lists":
    from mailhub import lists
    from mailhub.centre import cadences

    return lists.load(opening.settings(home).home / "lists", cadence=cadences.parse)
