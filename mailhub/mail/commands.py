"""Short commands in a staff reply: lines that begin with `#` and a known word, accents and case optional.

Commands stand in the first lines; a known one further down counts too, so that it can never leave for the asker. An
unknown `#word` among the first lines is reported and nothing is sent; further down it is just text (a hashtag). Only a
note may go on beside its command: for whom are the words in « #prendre je regarde demain »? Nothing is sent then either.
"""

from dataclasses import dataclass
from enum import StrEnum

from mailhub.mail.french import fold


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
        word = _word(line)
        command = _WORDS.get(fold(word)) if word else None
        rest = line.strip().removeprefix(f"#{word}").lstrip(" \t\xa0:,.;!")
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


def _word(line: str) -> str | None:
    stripped = line.strip()
    if len(stripped) < 2 or stripped[0] != "#" or not stripped[1].isalpha():
        return None
    return stripped[1:].split(maxsplit=1)[0].rstrip(":,.;")
