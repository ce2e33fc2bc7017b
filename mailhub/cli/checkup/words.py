"""Every template that would be used, rendered strictly with all it may be given; those of the play are only read.

The play takes none from a home.
"""

import traceback
from collections.abc import Iterator
from pathlib import Path

from jinja2 import TemplateError

from mailhub.centre.profile import Centre
from mailhub.cli.checkup import samples
from mailhub.cli.checkup.finding import Finding, Level
from mailhub.mail.tokens import Keyring
from mailhub.render import PACKAGED, Renderer


def templates(home: Path) -> Iterator[Finding]:
    """Try every template that would be used; those of the home go before those of the package."""
    own, renderer = home / "templates", Renderer([home / "templates"])
    centre = Centre(
        "Villes & Rives",
        "villes-rives.example",
        Keyring(1, {1: bytes(32)}),
        phone="02 99 00 00 01",
        join_url="https://centre.example/abonnement",
    )
    told: set[tuple[str, str]] = set()
    for name in sorted({*_names(PACKAGED), *_names(own)}):
        path = next(folder / name for folder in (own, PACKAGED) if (folder / name).is_file())
        values = samples.of(name, centre)
        if not values and path.is_relative_to(own):
            yield Finding(
                Level.WARNING,
                str(path),
                "-",
                "no letter and no page uses a template of this name",
                "look for its name in the folder of the package",
            )
        try:
            template = renderer.template(name)
            for sample in values:
                template.render(sample)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            line = getattr(error, "lineno", None)
            says, where = f"{f'line {line}: ' if line else ''}{error}", _where(error) or str(path)
            if (where, says) in told:
                continue
            told.add((where, says))
            yield Finding(
                Level.ERROR,
                where,
                "-",
                says,
                "correct it, or remove the file: the one that comes with mailhub is then used",
            )


def _where(error: Exception) -> str:
    """The file in which a template fails: a frame fails in each of its pages. Jinja sets the files into the traceback."""
    files = [step.filename for step in traceback.extract_tb(error.__traceback__)]
    return next((each for each in reversed(files) if each.endswith((".txt", ".html"))), "")


def _names(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in {".txt", ".html"} and not path.name.startswith("."):
            yield path.relative_to(folder).as_posix()
