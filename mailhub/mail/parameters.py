"""Content-Type and Content-Disposition: the value and its parameters, however they were written, and file names.

RFC 2045 section 5.1, RFC 2183, RFC 2231; and what clients write instead: blanks and encoded words without quotes,
quotes within quotes, Windows paths, raw octets.
"""

import re
import urllib.parse
from collections.abc import Iterator, Mapping

from mailhub.mail import charset, limits, words

# A closing quote is one that something sensible follows, so that `name="Le "Tour".pdf"` is read whole.
_PARAMETER = re.compile(
    r'(?P<name>[^\s=;"]++)\s*+=\s*+'
    r'(?:"(?P<quoted>(?>(?:[^"\\]++|\\.|"(?!\s*(?:;|\Z|[\w*-]+\s*=)))*))"?|(?P<bare>[^;]*+))',
    re.DOTALL,
)
_BETWEEN = re.compile(r"[\s;]*+")
_ESCAPE = re.compile(r'\\(["\\])')
_SECTION = re.compile(r"([^*]+)(?:\*(\d{1,6}))?(\*)?")
_EXTENDED = re.compile(r"([\w.:+-]*)'([\w-]*)'(.*)", re.DOTALL)
_TYPE = re.compile(r"[!-.0-~]+/[!-.0-~]+")


def read(raw: str) -> tuple[str, dict[str, str]]:
    """Split raw header text into its value, in lower case, and its parameters, RFC 2231 put together."""
    value, _, rest = raw.partition(";")
    value = value.strip().lower()
    if len(words_of_value := value.split(None, 1)) == 2 and "=" in value:
        value = words_of_value[0]  # `text/plain charset=utf-8`, the semicolon forgotten
        rest = raw.strip()[len(value) :]
    found: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in _matches(rest[: limits.PARAMETER_CHARACTERS_READ]):
        name = match["name"].lower()
        quoted = match["quoted"]
        text = match["bare"].strip() if quoted is None else _ESCAPE.sub(r"\1", quoted)
        if "*" in name and (section := _SECTION.fullmatch(name)):
            number = int(section[2] or 0)
            sections.setdefault(section[1], {}).setdefault(number, (text, bool(section[3])))
        else:
            found.setdefault(name, text)
    for name, pieces in sections.items():
        found[name] = _join(pieces)  # the extended form wins over the plain one, RFC 6266 section 4.3
    return value, found


def content_type(value: str) -> str:
    """A media type fit for comparing; what is none counts as text/plain. RFC 2045 section 5.2."""
    return value if _TYPE.fullmatch(value) else "text/plain"


def filename(disposition: Mapping[str, str], content: Mapping[str, str], fallback: str | None) -> str | None:
    """The name of a part, safe to show and to keep, or None."""
    raw = (
        disposition.get("filename")
        or disposition.get("name")
        or content.get("name")
        or content.get("filename")
    )
    if raw and (extended := _EXTENDED.fullmatch(raw)) and charset.codec_of(extended[1]):
        raw = _join({0: (raw, True)})  # the extended form without its star
    return safe_filename(words.decode(raw, fallback)) if raw else None


def safe_filename(name: str) -> str | None:
    """The last path component, without control characters and bidi marks, at most 255 octets, its extension kept."""
    name = words.unturned(words.one_line(name)).replace("\\", "/").rstrip("/").rpartition("/")[2].strip()
    if name in {"", ".", ".."}:
        return None
    if len(name.encode()) > limits.FILENAME_OCTETS:
        stem, dot, extension = name.rpartition(".")
        tail = f".{extension}".encode() if dot and len(extension.encode()) <= 20 else b""
        head = (stem if tail else name).encode()[: limits.FILENAME_OCTETS - len(tail)]
        name = (head + tail).decode(errors="ignore")
    return name


def _matches(text: str) -> Iterator[re.Match[str]]:
    """Each parameter in turn; what is none is skipped up to the next semicolon, so all is read once."""
    at = 0
    while between := _BETWEEN.match(text, at):
        at = between.end()
        if match := _PARAMETER.match(text, at):
            yield match
            at = match.end()
        elif (at := text.find(";", at)) < 0:
            return


def _join(pieces: Mapping[int, tuple[str, bool]]) -> str:
    """Put the numbered pieces of an RFC 2231 value together, then decode it at once: letters may be cut in two."""
    first, extended = pieces[min(pieces)]
    label = None
    if extended and (prefix := _EXTENDED.fullmatch(first)):
        label, first = prefix[1], prefix[3]
    octets = bytearray()
    everything_plain = not extended
    for number in sorted(pieces):
        text, percent = pieces[number]
        if number == min(pieces):
            text = first
        everything_plain = everything_plain and not percent
        raw = text.encode("utf-8", "surrogateescape")
        octets += urllib.parse.unquote_to_bytes(raw) if percent else raw
    if everything_plain:
        return octets.decode("ascii", "surrogateescape")
    return charset.decode(bytes(octets), label)[0]
