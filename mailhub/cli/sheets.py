"""Readers by the file: a sheet of them brought in, everybody written out. Nothing is decided about one of them here."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from mailhub.cli import opening, register, screen
from mailhub.cli.options import HERE, AsLines, By, Home, Now, Of, logged_in


def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A CSV file; its first line names the columns.")
    ],
    to: Annotated[str, typer.Option("--to", metavar="LIST", help="The publication, such as lettre.")],
    home: Home = HERE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")] = False,
    by: By = None,
    now: Now = None,
    json: AsLines = False,
) -> None:
    """Add the readers of a file. Nobody who left, complained or objected is ever brought back."""
    from mailhub.centre.subscriptions import importing, sheet

    table = sheet.read(file.read_bytes())
    with opening.house(home, now) as house:
        publication = house.centre.lists.publication(to)
        keyring, is_ours = house.centre.keyring, house.centre.is_ours
        if dry_run:
            with house.database.reading() as session:
                steps = importing.plan(session, keyring, publication, table.lines, is_ours=is_ours)
        else:
            with house.database.transaction() as session:
                steps = importing.carry_out(
                    session,
                    keyring,
                    publication,
                    table.lines,
                    is_ours=is_ours,
                    at=house.now(),
                    recorded_by=by or logged_in(),
                )
    rows = [{"line": step.number, "who": step.who, "fate": str(step.fate), "why": step.why} for step in steps]
    if json:
        screen.lines(rows)
    else:
        told = [row for row in rows if row["fate"] != "added"]
        screen.table(told, ("line", "who", "fate", "why"), nothing="every line was added")
    counts = ", ".join(f"{sum(step.fate is fate for step in steps)} {fate}" for fate in importing.Fate)
    screen.aside(f"{'would be: ' if dry_run else ''}{counts}")
    if table.unknown:
        screen.aside(f"columns left alone: {', '.join(table.unknown)}")


def export(
    home: Home = HERE,
    of: Of = None,
    file: Annotated[
        Path | None, typer.Option("--to-file", metavar="FILE", help="Where to; the screen when left out.")
    ] = None,
    json: AsLines = False,
) -> None:
    """Write everybody as CSV, for a spreadsheet or for `import`."""
    from mailhub.centre.subscriptions import sheet

    with opening.house(home) as house, house.database.reading() as session:
        written = count()
        rows = (
            {**row, "name": row["who"], "email": row["address"]}
            for row, _ in zip(register.every(session, house, of), written, strict=False)
        )
        if json:
            screen.lines({column: row[column] for column in register.SHEET} for row in rows)
        elif file is None:
            screen.octets(sheet.write(rows, register.SHEET))
        else:
            file.write_bytes(sheet.write(rows, register.SHEET))
            screen.aside(f"{next(written)} subscriptions in {file}")
