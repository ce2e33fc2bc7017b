"""The life of a home: made, checked, saved, brought back."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

from pathlib import Path
from typing import Annotated

import typer

from mailhub.cli import opening, screen
from mailhub.cli.options import HERE, AsJson, Home
from mailhub.errors import Refused, SettingsError


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the new home.")],
    name: Annotated[str | None, typer.Option("--name", help="Name of the centre.")] = None,
    domain: Annotated[str | None, typer.Option("--domain", help="Mail domain of the centre.")] = None,
    relay: Annotated[
        str | None, typer.Option("--relay", metavar="HOST[:PORT]", help="The server letters leave by.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Make a home: settings, keys, an empty database. What is there already stays as it is."""
    from mailhub import config
    from mailhub import home as homes
    from mailhub.database import Database

    home = folder.absolute()
    given = _given(name, domain, relay)
    kept = (home / homes.SETTINGS).exists()
    if not kept:
        _examine(home, given)
    made = homes.furnish(home, config.commented_file(given))
    database = Database(opening.settings(home).database_url)
    try:
        stood_at, needed = database.version()
        database.upgrade()
    finally:
        database.close()
    if stood_at != needed:
        made.append(f"database at {needed}")
    told = "\n".join(f"made  {made_now}" for made_now in made) or "nothing was missing"
    screen.done({"home": home, "made": made}, told, as_json=json)
    if kept and given:
        screen.aside(f"{homes.SETTINGS} was there and was not changed: write the new values into it yourself")
    screen.aside(f"next: mailhub check --home {folder}")


def check(home: Home = HERE, json: AsJson = False) -> None:
    """Say everything that is wrong, or merely unwise, each with a way out."""
    import os

    from mailhub.cli import checkup

    findings = checkup.examine(home, os.environ)
    failed = any(finding.level is not checkup.Level.WARNING for finding in findings)
    if json:
        screen.document({"ok": not failed, "findings": [finding.as_row() for finding in findings]})
    else:
        for finding in findings:
            screen.say(f"{finding.level}: {finding.place}: {finding.says}")
            screen.say(f"    → {finding.way_out}")
        counts = [f"{sum(f.level is level for f in findings)} {level}" for level in checkup.Level]
        screen.aside(", ".join(counts) if findings else "nothing is wrong")
    if failed:
        raise typer.Exit(1)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The tar file to write; it must not exist.")],
    home: Home = HERE,
    json: AsJson = False,
) -> None:
    """Save the home to one file, also while it is served: database, keys, settings, lists, templates."""
    from mailhub import home as homes

    settings = opening.settings(home)
    with opening.database(home) as database, screen.working("saving"):
        size = homes.backup(home, database, file.absolute())
    secrets = (settings.relay.password_file, settings.receive.private_key, settings.receive.certificate)
    left_out = [path for path in secrets if path is not None]
    told = f"saved {file} ({size} octets); keep it secret, it holds the keys and every letter"
    screen.done({"file": file.absolute(), "octets": size, "not_in_it": left_out}, told, as_json=json)
    for path in left_out:
        screen.aside(f"not in it: {path}")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file written by `mailhub backup`.")],
    home: Home = HERE,
    as_it_was: Annotated[
        bool,
        typer.Option(
            "--as-it-was", help="The home has not run since the backup: letters that waited go on waiting."
        ),
    ] = False,
    json: AsJson = False,
) -> None:
    """Bring a home back from a backup, into an empty folder.

    Letters that were unsent may have left since the backup was made; they come back in doubt, for you to decide;
    an issue whose hour has come since waits for you as well.
    """
    from mailhub import home as homes

    if not file.is_file():
        raise Refused(f"there is no file {file}")
    with screen.working("restoring"):
        restored = homes.restore(file, home, opening.this_moment(), as_it_was=as_it_was)
    told = f"restored {home}"
    if restored.doubtful:
        told += f"\n{restored.doubtful} unsent letters are in doubt: see `mailhub outbox ls --state in_doubt`"
    for issue in restored.late:
        told += f"\n{issue} may have left since: `mailhub issue release {issue}` if it has not, else `stop`"
    shown = {"home": home, "letters_in_doubt": restored.doubtful, "issues_late": restored.late}
    screen.done(shown, told, as_json=json)
    screen.aside(f"next: mailhub check --home {home}")


def _given(name: str | None, domain: str | None, relay: str | None) -> dict[str, dict[str, object]]:
    """The settings written on the command line."""
    centre: dict[str, object] = {}
    if name is not None:
        centre["name"] = name
    if domain is not None:
        centre["domain"] = domain
    given = {"centre": centre} if centre else {}
    if relay is not None:
        host, colon, port = relay.partition(":")
        if not host or (colon and not port.isdigit()):
            raise typer.BadParameter(f"{relay!r} is not HOST or HOST:PORT", param_hint="--relay")
        given["relay"] = {"host": host, **({"port": int(port)} if port else {})}
    return given


def _examine(home: Path, given: dict[str, dict[str, object]]) -> None:
    """Refuse values that no home could be served with before anything is written."""
    import tempfile

    from mailhub import config

    with tempfile.TemporaryDirectory() as trial:
        (Path(trial) / config.FILE_NAME).write_text(config.commented_file(given), "utf-8")
        _, problems = config.examine(Path(trial), {})
    if problems:
        raise SettingsError("\n".join(f"{problem.key}: {problem.says}" for problem in problems))
    if home.exists() and not home.is_dir():
        raise Refused(f"{home} is a file; a home is a folder")
