"""The folder `lists/` read: every file of it, or everything that is wrong in any of them."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from mailhub.errors import ListError
from mailhub.lists.problem import Problem, hint, not_one_of, of_file
from mailhub.lists.publication import CadenceReader, Circle, Publication

_CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_KINDS: dict[str, type[Publication | Circle]] = {"publication": Publication, "circle": Circle}


@dataclass(frozen=True, slots=True)
class Lists:
    """Everything in `lists/`, by code."""

    publications: tuple[Publication, ...] = ()
    circles: tuple[Circle, ...] = ()

    def publication(self, code: str) -> Publication:
        """The publication of that code."""
        for publication in self.publications:
            if publication.code == code:
                return publication
        meant = hint(code, [known.code for known in self.publications])
        raise ListError(f'there is no publication "{code}"{meant}; `mailhub lists ls` lists them')


def load(folder: Path, *, cadence: CadenceReader) -> Lists:
    """The publications and circles of a folder; every problem at once, in one ListError."""
    found, problems = examine(folder, cadence=cadence)
    if found is None:
        raise ListError("\n".join(map(str, problems)))
    return found


def examine(folder: Path, *, cadence: CadenceReader) -> tuple[Lists | None, list[Problem]]:
    """The publications and circles of a folder, or everything that is wrong with them; no folder, no lists."""
    read: list[Publication | Circle] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.toml")):
        if path.name.startswith("."):
            continue
        entry, wrong = _examine_file(path, cadence)
        problems += wrong
        if entry is not None:
            read.append(entry)
    publications = tuple(entry for entry in read if isinstance(entry, Publication))
    problems += _shared(folder, publications)
    if problems:
        return None, problems
    return Lists(publications, tuple(entry for entry in read if isinstance(entry, Circle))), []


def _examine_file(path: Path, cadence: CadenceReader) -> tuple[Publication | Circle | None, list[Problem]]:
    file, code = f"{path.parent.name}/{path.name}", path.stem
    if not _CODE.fullmatch(code):
        return None, [Problem(file, "", "name the file with a-z, 0-9 and inner hyphens only")]
    try:
        # Windows editors begin a file with a byte order mark.
        written = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        return None, [Problem(file, "", f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError:
        return None, [Problem(file, "", "is not written in UTF-8; save it again as UTF-8")]
    except tomllib.TOMLDecodeError as error:
        return None, [Problem(file, "", f"is not TOML: {error}")]
    wrong = []
    if "code" in written:
        wrong.append(Problem(file, "", 'unknown key "code" (the name of the file is the code)'))
    kind = written.get("kind", "publication")
    model = _KINDS.get(str(kind))
    if model is None:
        return None, [*wrong, Problem(file, "kind", not_one_of(kind, [*_KINDS]))]
    if model is Publication:
        written.setdefault("list_label", code)
    try:
        entry = model.model_validate({**written, "code": code}, context={"cadence": cadence})
    except ValidationError as error:
        return None, wrong + of_file(file, model, error.errors())
    return (None if wrong else entry), wrong


def _shared(folder: Path, publications: Sequence[Publication]) -> Iterator[Problem]:
    """Two publications cannot answer at one address, nor be told apart in a mailbox by one label."""
    for key in ("address", "list_label"):
        first: dict[str, str] = {}
        for publication in publications:
            value = getattr(publication, key)
            if value in first:
                says = f'"{value}" is already that of {first[value]}.toml'
                yield Problem(f"{folder.name}/{publication.code}.toml", key, says)
            first.setdefault(value, publication.code)
