"""Issues of publications: kept when nothing is wrong with them, released at their hour, held, stopped."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailhub.cli import opening, screen
from mailhub.cli.options import HERE, AsJson, AsLines, Home, Limit, Now
from mailhub.errors import Refused

if TYPE_CHECKING:  # see above
    from mailhub.centre.publications import Issue, Manuscript
    from mailhub.config import Settings
    from mailhub.lists import Publication
    from mailhub.mail.dkim import Signer
    from mailhub.mail.draft import Enclosure

app = typer.Typer(help="Issues of publications: keep, release, hold, stop.", no_args_is_help=True)

Reference = Annotated[str, typer.Argument(metavar="ISSUE", help="An issue, such as lettre-57.")]
Hour = Annotated[
    str | None,
    typer.Option(
        "--release",
        metavar='"YYYY-MM-DD HH:MM"',
        help="When it leaves, on the clock of the publication.",
        show_default="when `mailhub issue release` says so",
    ),
]
_COLUMNS = ("issue", "title", "state", "release_at", "released_at", "subject")


@app.command("add")
def add(
    publication: Annotated[str, typer.Argument(metavar="LIST", help="Code of a publication.")],
    folder: Annotated[
        Path,
        typer.Argument(
            exists=True,
            file_okay=False,
            metavar="FOLDER",
            help="subject.txt, body.txt, and if wanted body.html and attachments/.",
        ),
    ],
    home: Home = HERE,
    release: Hour = None,
    number: Annotated[
        int | None,
        typer.Option(
            "--number", min=1, max=999_999, show_default="the next one", help="Number of the issue."
        ),
    ] = None,
    now: Now = None,
    json: AsJson = False,
) -> None:
    """Keep a ready-made issue; refused, with everything that is wrong, unless it is fit to leave."""
    from mailhub import app as composition
    from mailhub.centre import publications

    settings = opening.settings(home)
    with opening.house(home, now) as house:
        listed = house.centre.lists.publication(publication)
        at = instant(listed, settings, release) if release else None
        manuscript, problems = read(folder)
        with house.database.transaction() as session:
            chosen = number or publications.next_number(session, publication)
            form = publications.typeset(listed, chosen, manuscript, house.centre, house.renderer)
            signer: Signer | None = composition.signer(settings)
            _, wrong = publications.sample(form, listed, house.centre, house.renderer, house.now(), signer)
            if found := problems + [str(problem) for problem in wrong]:
                raise Refused("\n".join(f"{folder.resolve().name}: {problem}" for problem in found))
            issue = publications.add(
                session,
                publication,
                chosen,
                form,
                title=publications.title(listed, chosen, house.renderer),
                subject=manuscript.subject,
                now=house.now(),
            )
            if at is not None:
                publications.release(session, issue, at)
            session.flush()
            row = as_row(issue)
    leaves = (
        f"it leaves at {screen.cell(at)}" if at else f"mailhub issue release {row['issue']} lets it leave"
    )
    kept = f"{row['issue']} is kept: {row['title']}, content {str(row['content'])[:12]}\n{leaves}"
    screen.done(row, kept, as_json=json)


@app.command("ls")
def ls(
    publication: Annotated[
        str | None, typer.Argument(metavar="LIST", help="Only issues of this publication.")
    ] = None,
    home: Home = HERE,
    limit: Limit = 50,
    json: AsLines = False,
) -> None:
    """List issues, the latest first."""
    from mailhub.centre import publications

    with opening.house(home) as house, house.database.reading() as session:
        if publication is not None:
            house.centre.lists.publication(publication)  # refuses an unknown one, with a suggestion
        rows = [as_row(issue) for issue in publications.listed(session, publication, limit)]
    if json:
        screen.lines(rows)
    else:
        screen.table(rows, _COLUMNS, nothing="no issue yet: `mailhub issue add` keeps one")


@app.command("show")
def show(
    issue: Reference,
    home: Home = HERE,
    raw: Annotated[bool, typer.Option("--raw", help="Print a sample copy, octet by octet.")] = False,
    json: AsJson = False,
) -> None:
    """Show one issue: where it stands, how many copies stand where, and what a reader gets."""
    from mailhub import outbox, storage
    from mailhub.centre import publications
    from mailhub.mail import message

    with opening.house(home) as house, house.database.reading() as session:
        found = publications.called(session, issue)
        sums = {str(standing): count for standing, count in outbox.sums(session, found).items()}
        listed = house.centre.lists.publication(found.publication)
        form = storage.fetch(session, found.digest)
        sample, _ = publications.sample(form, listed, house.centre, house.renderer, house.now())
        row = as_row(found)
    if raw:
        screen.octets(sample)
        return
    said = message.read(sample)
    if json:
        screen.document(row | {"copies": sums, "headers": dict(said.headers), "text": said.text})
        return
    screen.facts(row, list(row))
    if row["released_at"]:
        screen.say(", ".join(f"{count} {standing}" for standing, count in sums.items() if count))
    screen.say()
    for name, value in said.headers:
        screen.say(f"{name}: {screen.cell(value)}")
    screen.say()
    screen.say(said.text)


@app.command("release")
def release(
    issue: Reference,
    home: Home = HERE,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar='"YYYY-MM-DD HH:MM"',
            help="When, on the clock of the publication.",
            show_default="now",
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Let an issue leave, now or at an hour; or go on with one that is paused."""
    from mailhub.centre import publications

    settings = opening.settings(home)
    with opening.house(home) as house, house.database.transaction() as session:
        found = publications.called(session, issue)
        listed = house.centre.lists.publication(found.publication)
        when = instant(listed, settings, at) if at else house.now()
        if at and when < house.now():
            raise Refused(f"{screen.cell(when)} has passed; without --at it leaves now")
        publications.release(session, found, when)
        row = as_row(found)
    going_on = row["state"] == "released"
    moment = "with the next delivery" if going_on or not at else f"at {screen.cell(when)}"
    sentence = f"{row['issue']} leaves {moment}, by `mailhub serve` or `mailhub tick`"
    screen.done(row, sentence, as_json=json)


@app.command("hold")
def hold(issue: Reference, home: Home = HERE, json: AsJson = False) -> None:
    """Let nothing leave for now: of an issue under way, what has not left."""
    from mailhub.centre import publications

    with opening.database(home) as database, database.transaction() as session:
        found = publications.called(session, issue)
        publications.hold(session, found)
        row = as_row(found)
    sentence = f"{row['issue']} is {row['state']}; `mailhub issue release {row['issue']}` lets it go on"
    screen.done(row, sentence, as_json=json)


@app.command("stop")
def stop(issue: Reference, home: Home = HERE, json: AsJson = False) -> None:
    """End an issue for good: what has not left never will."""
    from mailhub import outbox
    from mailhub.centre import publications

    with opening.database(home) as database, database.transaction() as session:
        found = publications.called(session, issue)
        taken_back = outbox.stop(session, found, opening.this_moment())
        row = as_row(found) | {"taken_back": taken_back}
    sentence = f"{row['issue']} is stopped; {taken_back} copies were taken back"
    screen.done(row, sentence, as_json=json)


def read(folder: Path) -> "tuple[Manuscript, list[str]]":
    """The words and files of a folder, and what is wrong with them; what cannot be read is empty."""
    from mailhub.centre.publications import Manuscript

    problems: list[str] = []
    subject = _text(folder / "subject.txt", problems)
    if len(subject.strip().splitlines()) > 1:
        problems.append("subject.txt has more than one line")
    text = _text(folder / "body.txt", problems)
    page = _text(folder / "body.html", problems) if (folder / "body.html").exists() else None
    return Manuscript(
        " ".join(subject.split()), text, page, tuple(_enclosures(folder / "attachments"))
    ), problems


def instant(publication: "Publication", settings: "Settings", written: str) -> datetime:
    """An hour as a person writes it, on the clock of a publication; refused where the clock skips it (T30)."""
    from datetime import UTC
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(publication.schedule.time_zone or settings.centre.time_zone)
    try:
        given = datetime.fromisoformat(written.strip())
    except ValueError as error:
        raise Refused(f'{written!r} is not a time such as "2026-12-10 09:00"') from error
    if given.tzinfo is not None:
        return given.astimezone(UTC)
    at = given.replace(tzinfo=zone).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != given:
        raise Refused(f"{written}: clocks in {zone.key} are put forward then; choose another hour")
    return at


def as_row(issue: "Issue") -> dict[str, object]:
    """One issue, for people and programs."""
    return {
        "issue": issue.reference,
        "title": issue.title,
        "state": issue.state.value,
        "subject": issue.subject,
        "content": issue.digest,
        "created_at": issue.created_at,
        "release_at": issue.release_at,
        "released_at": issue.released_at,
        "expires_at": issue.expires_at,
    }


def _text(path: Path, problems: list[str]) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        problems.append(f"{path.name}: {error.strerror}")
    except UnicodeDecodeError:
        problems.append(f"{path.name} is not written in UTF-8; save it again as UTF-8")
    return ""


def _enclosures(folder: Path) -> "list[Enclosure]":
    from mimetypes import guess_type

    from mailhub.mail.draft import Enclosure

    if not folder.is_dir():
        return []
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return [
        Enclosure(path.name, guess_type(path.name)[0] or "application/octet-stream", path.read_bytes())
        for path in files
    ]
