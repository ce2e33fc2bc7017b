"""Templates into words. Everything a reader sees is in `templates/`; nothing in Python speaks to a reader.

A home's own `templates/` goes before the packaged ones, file by file. The environment is sandboxed and strict: a
template that names something it was not given is an error, found by the tests and, in letters, by `mailhub check`.
"""

import re
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_date, format_time
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment

PACKAGED = next(
    place
    for place in (Path(__file__).parent / "templates", Path(__file__).parent.parent / "templates")
    if place.is_dir()
)
_LOCALE = "fr_FR"
_NO_BREAK = "\u00a0"
_NOT_TEXT = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<style.*?</style>|</?[a-zA-Z!][^<>]*>|(?P<text>[^{<]+|.)", re.DOTALL
)
_SPACE_OF_FRENCH = re.compile(r" (?=[:;!?»])|(?<=«) ")


@dataclass(frozen=True, slots=True)
class Rendered:
    """The words of one letter."""

    subject: str  # one line
    text: str


class _Environment(SandboxedEnvironment):
    """Jinja's own, whose names for every template are one dictionary: a chain of two is walked at each rendering."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(d or {})}


class _FrenchLoader(FileSystemLoader):
    """Templates as files hold them, with the spaces of French that no line may end at (« », `:`, `;`, `!`, `?`)."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """Only the template's own text is touched: no value, no tag, nothing of Jinja's."""
        source, filename, is_current = super().get_source(environment, template)
        return _NOT_TEXT.sub(_bound, source), filename, is_current


def _bound(found: re.Match[str]) -> str:
    return _SPACE_OF_FRENCH.sub(_NO_BREAK, found[0]) if found["text"] else found[0]


class Renderer:
    """Renders the letters and pages of one home."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self.folders = [*folders, PACKAGED]

    @cached_property
    def _environment(self) -> _Environment:
        environment = _Environment(
            loader=_FrenchLoader(self.folders),
            undefined=StrictUndefined,
            autoescape=lambda name: bool(name) and str(name).endswith(".html"),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
            auto_reload=False,
        )
        environment.filters.update(
            day=french_day, hour=french_hour, size=french_size, quoted=quoted, beginning=beginning
        )
        return environment

    def letter(self, name: str, **values: object) -> Rendered:
        """Render `mail/<name>/subject.txt` and `body.txt`."""
        subject = self.template(f"mail/{name}/subject.txt").render(values)
        text = self.template(f"mail/{name}/body.txt").render(values)
        return Rendered(" ".join(subject.split()), text.strip("\n") + "\n")

    def page(self, name: str, **values: object) -> str:
        """Render `web/<name>.html`, every value escaped."""
        return self.template(f"web/{name}.html").render(values)

    def words(self, name: str, **values: object) -> str:
        """Render `words/<name>.txt`, a few words that stand within a letter, as one line."""
        return " ".join(self.template(f"words/{name}.txt").render(values).split())

    @cached_property
    def template(self) -> Callable[[str], Template]:
        """One template by its path below `templates/`, looked for once."""
        return cache(self._environment.get_template)


def french_day(day: date) -> str:
    """« jeudi 5 mars 2026 »; the first of a month is « 1er »."""
    return _written(day.year, day.month, day.day)


@lru_cache(100)  # the same few days stand in every letter
def _written(year: int, month: int, day: int) -> str:
    written = format_date(date(year, month, day), "EEEE d MMMM y", locale=_LOCALE)
    return written.replace(" 1 ", " 1er ", 1) if day == 1 else written


def french_hour(instant: datetime) -> str:
    """« 10 h 42 », on the clock the instant is given in; no line breaks within it."""
    return format_time(instant, f"H'{_NO_BREAK}h{_NO_BREAK}'mm", locale=_LOCALE)


def french_size(octets: int) -> str:
    """« 14 Mo », « 820 Ko »."""
    for unit, factor in (("Mo", 1024 * 1024), ("Ko", 1024)):
        if octets >= factor:
            value = octets / factor
            figure = f"{value:.1f}".replace(".", ",") if value < 10 else f"{value:.0f}"
            return f"{figure}{_NO_BREAK}{unit}"
    return f"{octets}{_NO_BREAK}octets"


def quoted(text: str) -> str:
    """The text as a mail quotes it, every line behind `> `."""
    return "\n".join(f"> {line}".rstrip() for line in text.strip("\n").splitlines())


def beginning(text: str, most: int = 300) -> str:
    """The beginning of a text, cut at a word, with a sign that it goes on."""
    text = text.strip()
    if len(text) <= most:
        return text
    return text[:most].rsplit(maxsplit=1)[0] + " […]"
