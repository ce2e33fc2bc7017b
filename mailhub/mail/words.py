"""Header text made readable: encoded words (RFC 2047, also broken ones), raw 8-bit octets, one line.

Raw text here is what `bytes.decode("ascii", "surrogateescape")` gives: octets above 127 wait as lone surrogates.
"""

import binascii
import re

from mailhub.mail import charset, transfer

# An encoded word with an optional language (RFC 2231 section 5). Its text may hold blanks and question marks, which
# is forbidden and common, but never another `=?`: so a run of openings without an end is read once only.
_WORD = re.compile(
    r"=\?(?P<label>[^?\s*]{1,80})(?:\*[^?\s]{0,80})?\?(?P<how>[bBqQ])\?"
    r"(?P<text>(?>(?:[^?=]++|=(?!\?[^=])|\?(?!=)){0,50000}))(?:\?=|\Z)"
)
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")  # bidi embeddings, overrides, isolates
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PLAIN = re.compile(r"[ -~]*")


def decode(raw: str, fallback: str | None = None) -> str:
    """Read raw header text as one line of words; octets without a charset are UTF-8, else `fallback`."""
    if "=?" not in raw and _PLAIN.fullmatch(raw):
        return raw.strip()
    return one_line(_decode_words(raw, fallback) if "=?" in raw else octets_as_text(raw, fallback))


def one_line(text: str) -> str:
    """Text without control characters and line separators, so that it can end no line of ours (desk.md S12)."""
    return _CONTROLS.sub(" ", text).strip()


def unturned(text: str) -> str:
    """Text without bidi embeddings and overrides, so that what ends in "exe" is not shown as a PDF."""
    return _TURNS.sub("", text)


def credible(name: str | None) -> str | None:
    """A name strangers give themselves; one that holds an address, or turns the text round, tells nothing but lies."""
    return None if name is None or "@" in name or unturned(name) != name else name


def octets_as_text(raw: str, fallback: str | None = None) -> str:
    """Raw text with its octets above 127 read: as UTF-8 when they are, else as `fallback` or windows-1252."""
    if raw.isascii():
        return raw
    octets = raw.encode("utf-8", "surrogateescape")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return charset.decode(octets, fallback)[0]


def _decode_words(raw: str, fallback: str | None) -> str:
    """Decode each run of neighbouring words of one charset at once: senders cut letters in two between words."""
    out: list[str] = []
    run, run_label, end = b"", "", 0
    for word in _WORD.finditer(raw):
        between = raw[end : word.start()]
        label = word["label"].lower()
        neighbours = bool(end) and not between.strip()  # blanks between two words do not count, section 6.2
        if not (neighbours and label == run_label):
            out.append(charset.decode(run, run_label)[0])
            run = b""
        if not neighbours:
            out.append(octets_as_text(between, fallback))
        run += _octets(word["text"], word["how"])
        run_label, end = label, word.end()
    out += charset.decode(run, run_label)[0], octets_as_text(raw[end:], fallback)
    return "".join(out)


def _octets(text: str, how: str) -> bytes:
    octets = text.encode("utf-8", "surrogateescape")
    if how in "bB":
        return transfer.base64(octets)[0]
    return binascii.a2b_qp(octets, header=True)
