"""What is wrong in a file, said so that whoever wrote it can put it right."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from mailhub import corrections
from mailhub.lists.publication import Schedule, Section


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file, with a way out where there is one."""

    file: str  # "lists/press.toml"
    key: str  # "schedule: hour", or "" for the whole file
    says: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.file, self.key, self.says)))


def of_file(file: str, model: type[BaseModel], found: Sequence[ErrorDetails]) -> list[Problem]:
    """What the checks of a file found, each in a sentence; a key spelt wrongly is not called missing as well."""
    unknown = {
        details["loc"]: _known(model, details["loc"][:-1]) for details in found if _is_unknown(details)
    }
    meant = {(*loc[:-1], near) for loc, known in unknown.items() for near in _nearest(str(loc[-1]), known)}
    return [
        _problem(file, details, unknown.get(details["loc"], []))
        for details in found
        if details["type"] != "missing" or details["loc"] not in meant
    ]


def not_one_of(value: Any, known: Sequence[str]) -> str:  # noqa: ANN401 — whatever a TOML file may hold
    """Say what could have been written instead."""
    return f'"{value}" is none of {", ".join(known)}{hint(str(value), known)}'


def hint(word: str, known: Sequence[str]) -> str:
    """The known word somebody may have meant, in brackets; nothing when none is near."""
    return "".join(f' (did you mean "{near}"?)' for near in _nearest(word, known))


def _problem(file: str, details: ErrorDetails, known: Sequence[str]) -> Problem:
    *above, last = details["loc"]
    match details["type"]:
        case "extra_forbidden":
            return Problem(file, _place(above), f'unknown key "{last}"{hint(str(last), known)}')
        case "missing":
            return Problem(file, _place(above), f'"{last}" is missing')
        case "literal_error" | "enum":
            choices = re.findall(r"'([^']*)'", details["ctx"]["expected"])
            says = not_one_of(details["input"], choices)
        case "string_pattern_mismatch":
            says = f'"{details["input"]}" is not made of a-z, 0-9 and inner hyphens alone, or is too long'
        case _:
            says = corrections.sentence(details)
    return Problem(file, _place(details["loc"]), says)


def _is_unknown(details: ErrorDetails) -> bool:
    return details["type"] == "extra_forbidden"


def _known(model: type[BaseModel], place: Sequence[int | str]) -> list[str]:
    """The keys of the part of a file that a place names; the code is no key but the name of the file."""
    parts: Mapping[str, type[BaseModel]] = {"schedule": Schedule, "sections": Section}
    fields = (parts[str(place[0])] if place else model).model_fields
    return [name for name in fields if place or name != "code"]


def _nearest(word: str, known: Sequence[str]) -> list[str]:
    return difflib.get_close_matches(word, known, 1)


def _place(steps: Sequence[int | str]) -> str:
    """A place as a person counts: `sections no. 2: title`."""
    said = ""
    for step in steps:
        said += f" no. {step + 1}" if isinstance(step, int) else f"{': ' if said else ''}{step}"
    return said
