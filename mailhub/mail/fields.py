"""Header fields as we write them: ASCII, folded, and unable to end before they should (desk.md S12).

A field is a name and tokens; lines break between tokens only. Text of any kind becomes such tokens here: encoded
words (RFC 2047), display names, addresses, file names (RFC 2231). `headers` and `words` read what others wrote.
"""

import re
from base64 import b64encode
from functools import lru_cache
from typing import AnyStr
from urllib.parse import quote

from mailhub.errors import Refused
from mailhub.mail import address, domains

LINE = 78  # RFC 5322 section 2.1.1
_WORD = 60  # an encoded word: its line is at most 76 (RFC 2047 section 2), "Thread-Topic: " included
_Q_ROOM, _B_ROOM = _WORD - len("=?utf-8?q??="), (_WORD - len("=?utf-8?b??=")) // 4 * 3
_LONGEST_WORD = 70  # of plain text; longer ones are spelled as encoded words, which can be cut
_PIECE = 54  # of a file name: `filename*0*=utf-8''` before it, a semicolon after
_LONGEST_ID = 250

_BREAKS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_PLAIN = re.compile(rf"(?!.*=\?)[!-~]{{0,{_LONGEST_WORD}}}")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,70}(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,70})*")
_QUOTABLE = re.compile(r"[ -~]{0,60}")
_FILENAME = re.compile(r"[ !#-\[\]-~]{1,60}")
_ID = re.compile(rf"[!-;=?-~]{{1,{_LONGEST_ID}}}")
# What may stand for itself in an encoded word, display names included. RFC 2047 section 5 (3)
_Q = {char: char for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"} | {
    " ": "_"
}


def field(name: str, *tokens: str) -> bytes:
    """One field, folded between tokens where a line would grow too long; ends with CRLF."""
    whole = " ".join((f"{name}:", *tokens))
    if len(whole) <= LINE:
        return f"{whole}\r\n".encode()
    lines = [f"{name}:"]
    for position, token in enumerate(tokens):
        if position and len(lines[-1]) + 1 + len(token) > LINE:
            lines.append("")
        lines[-1] += f" {token}"
    return ("\r\n".join(lines) + "\r\n").encode()


def one_line(text: str) -> str:
    """Text with every run of blanks and control characters as one space; no-break spaces stay."""
    return _BREAKS.sub(" ", text).strip(" ")


def cut(text: str, most: int) -> str:
    """Text of at most so many characters, the cut shown."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def unstructured(text: str) -> list[str]:
    """The tokens of a subject: plain words as they are, the rest as encoded words.

    One run only is encoded, from the first word that needs it to the last, since blanks between two encoded words
    do not count (RFC 2047 section 6.2). A word that merely looks encoded is spelled, so that nobody decodes it.
    """
    words = one_line(text).split(" ")
    odd = [position for position, word in enumerate(words) if not _PLAIN.fullmatch(word)]
    if not odd:
        return words if words != [""] else []
    first, after = odd[0], odd[-1] + 1
    return [*words[:first], *_encoded(" ".join(words[first:after])), *words[after:]]


@lru_cache(1024)  # the centre's own are written into every letter
def mailbox(box: address.Mailbox, *, longest_name: int = 80) -> tuple[str, ...]:
    """The tokens of a mailbox; a name that holds an address, or pretends to, is left out (lists.md D15)."""
    angle = f"<{addr_spec(box.address or '')}>"
    name = cut(one_line(box.name or ""), longest_name)
    return (*_phrase(name), angle) if name and "@" not in name else (angle[1:-1],)


def addr_spec(written: str) -> str:
    """An address as it stands in a field: its domain in ASCII; refused when it could not be delivered to.

    A local part beyond ASCII has no other spelling than UTF-8 (RFC 6532); `deliver` then asks for SMTPUTF8.
    """
    if not address.is_valid(written):
        raise Refused(f"no letter can bear this address: {written!r}")
    local, _, domain = written.rpartition("@")
    return f"{local}@{domain if domain.isascii() else domains.a_label(domain)}"


def ids(*identifiers: str | None) -> list[str]:
    """Message ids in angle brackets; those that are missing or could not stand in a field are left out."""
    return [f"<{identifier}>" for identifier in identifiers if identifier and _ID.fullmatch(identifier)]


def parameter(name: str, value: str) -> list[str]:
    """A parameter of Content-Disposition, in pieces when it is long. RFC 2231 sections 3 and 4"""
    if _FILENAME.fullmatch(value):
        return [f'{name}="{value}"']
    pieces = _pack([quote(char, safe="", errors="replace") for char in value], _PIECE)
    pieces[0] = f"utf-8''{pieces[0]}"
    if len(pieces) == 1:
        return [f"{name}*={pieces[0]}"]
    return [f"{name}*{number}*={piece}" for number, piece in enumerate(pieces)]


def separated(*tokens: str) -> list[str]:
    """A value and its parameters, as tokens with semicolons between them."""
    return [*(f"{token};" for token in tokens[:-1]), tokens[-1]]


def _phrase(name: str) -> list[str]:
    if "=?" not in name:
        if _ATOMS.fullmatch(name):
            return name.split(" ")
        if _QUOTABLE.fullmatch(name):
            return ['"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"']
    return _encoded(name)


def _encoded(text: str) -> list[str]:
    """Text as encoded words, in whichever of the two spellings is shorter; a character is never cut in two."""
    octets = [char.encode("utf-8", "replace") for char in text]
    spelled = [
        _Q.get(char) or "".join(f"={octet:02X}" for octet in each)
        for char, each in zip(text, octets, strict=True)
    ]
    if sum(map(len, spelled)) * 3 <= sum(map(len, octets)) * 4:
        return [f"=?utf-8?q?{piece}?=" for piece in _pack(spelled, _Q_ROOM)]
    return [f"=?utf-8?b?{b64encode(piece).decode()}?=" for piece in _pack(octets, _B_ROOM)]


def _pack(pieces: list[AnyStr], most: int) -> list[AnyStr]:
    """Join neighbours as long as they stay within so many."""
    packed: list[AnyStr] = []
    start = length = 0
    for position, piece in enumerate(pieces):
        if length + len(piece) > most:
            packed.append(piece[:0].join(pieces[start:position]))
            start, length = position, 0
        length += len(piece)
    packed.append(pieces[0][:0].join(pieces[start:]))
    return packed
