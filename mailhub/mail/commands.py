"""Short commands in a staff reply: lines that begin with `#` and a known word, accents and case optional.

Commands stand in the first lines; a known one further down counts too, so that it can never leave for the asker. An
unknown `#word` among the first lines is reported and nothing is sent; further down it is just text (a hashtag). Only a
note may go on beside its command: for whom are the words in « #prendre je regarde demain »? Nothing is sent then either.

What mail programs set around a line (bullets, numbers, stars of bold type, invisible characters) hides no command.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from mailhub.mail.french import fold

# Quoted lines are the asker's. A gap after the sign makes a heading of Markdown, unless the word is one we know.
_LINE = re.compile(
    r"(?P<marks>(?>(?:[^\w#>]++|_++|\d{1,3}[.)]){0,1000}))#(?P<gap>[\W_]*+)(?P<word>[^\W\d_][^\W_]*+)[\W_]*+(?P<rest>.*)"
)
# Joiners and soft hyphens, accents set apart, the frame of an emoji.
_INVISIBLE = frozenset({"Cf", "Mn", "Me"})


class Command(StrEnum):
    """What staff may write, in the form it is known by."""

    NOTE = "note"  # the whole mail stays internal
    TAKE = "prendre"
    CLOSE = "clore"


_WORDS = {
    "note": Command.NOTE,
    "prendre": Command.TAKE,
    "take": Command.TAKE,
    "clore": Command.CLOSE,
    "close": Command.CLOSE,
}


@dataclass(frozen=True, slots=True)
class Commands:
    """A staff reply with its commands set apart."""

    given: tuple[Command, ...]  # each once, in order
    unknown: str | None  # the first of the leading words, or lines with a command, that we do not know
    text: str  # the rest


def read(text: str) -> Commands:
    """Set the command lines of a reply apart from its text."""
    given: list[Command] = []
    unknown: str | None = None
    kept: list[str] = []
    leading = True
    for line in text.splitlines():
        command, word, rest = _read(line)
        if command is Command.NOTE or (command and not rest):
            given.append(command)
            kept += [rest] if rest else []
        elif command:
            unknown = unknown or line.strip()
            kept.append(line)
        elif word and leading:
            unknown = unknown or f"#{word}"
            kept.append(line)
        else:
            kept.append(line)
        leading = leading and (not line.strip() or bool(word))
    return Commands(tuple(dict.fromkeys(given)), unknown, "\n".join(kept).strip("\n"))


def asks_for_silence(text: str) -> bool:
    """Say whether an unquoted line of a text is `#note` and nothing else."""
    return any(
        _read(line)[::2] == (Command.NOTE, "")
        for line in text.splitlines()
        if not line.lstrip().startswith(">")
    )


def _read(line: str) -> tuple[Command | None, str, str]:
    """The command a line gives, the word after its sign ("" for none), and what else the line says."""
    if "#" not in line and "\uff03" not in line:
        return None, "", ""
    composed = unicodedata.normalize("NFKC", line)
    found = _LINE.match("".join(char for char in composed if unicodedata.category(char) not in _INVISIBLE))
    if found is None:
        return None, "", ""
    command = _WORDS.get(fold(found["word"]))
    is_heading = bool(found["marks"].strip() or found["gap"])
    return command, "" if command is None and is_heading else found["word"], found["rest"]
