"""Every template that would be used: those of letters rendered strictly with all they may be given, pages read."""

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
    for name in sorted({*_names(PACKAGED), *_names(own)}):
        path = next(folder / name for folder in (own, PACKAGED) if (folder / name).is_file())
        values = samples.of(name, centre)
        if not values and not (PACKAGED / name).is_file():
            yield Finding(
                Level.WARNING,
                str(path),
                "-",
                "no letter uses a template of this name",
                "look for its name in the folder of the package",
            )
        try:
            template = renderer.template(name)
            for sample in values:
                template.render(sample)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            line = getattr(error, "lineno", None)
            says = f"{f'line {line}: ' if line else ''}{error}"
            yield Finding(
                Level.ERROR,
                str(path),
                "-",
                says,
                "correct it, or remove the file: the one that comes with mailhub is then used",
            )


def _names(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in {".txt", ".html"} and not path.name.startswith("."):
            yield path.relative_to(folder).as_posix()
