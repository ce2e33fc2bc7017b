"""The options that many commands share, each described once."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer


def _folder(given: Path) -> Path:
    """The home as a full path, for every message and for whoever changes folder later."""
    return given.absolute()


def _instant(written: str | datetime) -> datetime:
    """An instant as a person writes it, with its offset: a rehearsal must not depend on this machine's time zone."""
    try:
        instant = written if isinstance(written, datetime) else datetime.fromisoformat(written)
    except ValueError as error:
        raise typer.BadParameter(f"{written!r} is not a time such as 2026-03-03T10:00:00+01:00") from error
    if instant.tzinfo is None:
        raise typer.BadParameter(f"{written!r} has no offset; write 2026-03-03T10:00:00+01:00")
    return instant


Home = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="MAILHUB_HOME",
        help="The home folder.",
        show_default="the current folder",
        callback=_folder,
        metavar="DIR",
    ),
]
By = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Who notes it.", show_default="whoever is logged in"),
]
Of = Annotated[
    str | None, typer.Option("--of", metavar="LIST", help="Only this publication, such as lettre.")
]
HERE = Path()
LAST_ROW = 2**63 - 1  # no database numbers a row beyond it

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
AsLines = Annotated[bool, typer.Option("--json", help="Print JSON, one object on each line.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most so many.")]
Now = Annotated[
    datetime | None,
    typer.Option(
        "--now",
        parser=_instant,
        metavar="TIME",
        help="Rehearse: pretend it is this time. Refused unless the relay is this machine.",
    ),
]


def logged_in() -> str:
    """Who notes something, unless `--by` says so."""
    import getpass  # noqa: PLC0415 — rarely asked

    return getpass.getuser()
