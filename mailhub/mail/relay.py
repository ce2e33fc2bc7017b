"""What may leave of a staff reply: no address of staff, no token of ours, no line of the internal copy.

Pure text work on what `quoting` found to be new. An interleaved answer keeps the asker's own quoted lines, which
are theirs to see again, and loses quoted lines of the copy; an unquoted internal line stops the whole mail.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from mailhub.mail import clean, plain
from mailhub.mail.draft import Enclosure
from mailhub.mail.message import Part

# A visiting card bears private addresses; a signature is no longer true of the text that leaves.
_LEFT_OUT = frozenset(
    {"text/vcard", "text/x-vcard", "application/pgp-signature", "application/pkcs7-signature",
     "application/x-pkcs7-signature", "application/ms-tnef"}
)  # fmt: skip
_SHORTEST_TELLING_LINE = 12  # shorter lines of the copy ("Bonjour,") prove nothing
_TAG = re.compile(r"<[a-zA-Z/]")
_PLACEHOLDER = re.compile(
    r"\[(?:image|cid|inline)[^\]\n]*\]|<[^\s<>]*[@:][^\s<>]*>|https?://\S+", re.IGNORECASE
)
_EMPTY_END = re.compile(r"(?:\s*(?:<(div|span|p|blockquote)></\1>|<hr>))+\s*$")
_QUOTE = re.compile(r"^[ \t]*(?:>[ \t]?)+")


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must never leave."""

    addresses: tuple[str, ...]  # of staff, past ones too
    token_address: re.Pattern[str]  # any of our machine addresses
    stand_in: str  # the service address, written in their place
    internal: frozenset[str]  # folded lines of the copies staff received

    def mask(self, text: str) -> str:
        """The text with every private address replaced by the service's."""
        text = self.token_address.sub(self.stand_in, text)
        for address in self.addresses:
            text = re.sub(re.escape(address), self.stand_in, text, flags=re.IGNORECASE)
        return text

    def betrays(self, line: str) -> bool:
        """Say whether this line stands in an internal copy."""
        return _folded(line) in self.internal


def secrets(
    *,
    addresses: Iterable[str],
    machine_locals: Collection[str],
    domain: str,
    stand_in: str,
    internal_texts: Iterable[str],
) -> Secrets:
    """Gather what must never leave; `internal_texts` are the internal parts of the copies, below their marker."""
    names = "|".join(sorted(map(re.escape, machine_locals)))
    lines = (_folded(line) for text in internal_texts for line in text.splitlines())
    return Secrets(
        addresses=tuple(sorted(addresses, key=len, reverse=True)),
        token_address=re.compile(rf"\b(?:{names})\+[A-Za-z2-7]+@{re.escape(domain)}", re.IGNORECASE),
        stand_in=stand_in,
        internal=frozenset(line for line in lines if len(line) >= _SHORTEST_TELLING_LINE),
    )


def text(reply: str, kept_from: Secrets) -> str | None:
    """The words that leave; None when a line of the internal copy stands unquoted among them."""
    lines = []
    for line in reply.splitlines():
        if kept_from.betrays(line):
            if not _QUOTE.match(line):
                return None
            continue
        lines.append(line)
    return kept_from.mask("\n".join(lines)).strip("\n")


def html(written: str | None, reply: str, kept_from: Secrets) -> str | None:
    """The beginning of the HTML body that says exactly the words of `reply`, made safe; None when there is none.

    Whatever client wrote it and however it marks its quotes: what leaves as HTML is what leaves as text, no more.
    """
    if not written or len(written) > clean.MOST_CHARACTERS:
        return None
    wanted = _ink(reply)
    ends = [tag.start() for tag in _TAG.finditer(written)] + [len(written)]
    low, high = 0, len(ends)
    while low < high:  # the last end before which no more is said than wanted
        middle = (low + high) // 2
        if len(_ink(plain.from_html(written[: ends[middle]]).text)) <= len(wanted):
            low = middle + 1
        else:
            high = middle
    if low == 0:
        return None
    beginning = written[: ends[low - 1]]
    if _ink(plain.from_html(beginning).text) != wanted:
        return None
    safe = clean.html(beginning)
    return kept_from.mask(_EMPTY_END.sub("", safe)) if safe else None


def enclosures(parts: Iterable[Part], kept_from: Secrets, marker: str) -> tuple[Enclosure, ...] | None:
    """The files that leave, inline images included; None when one of them is an internal copy."""
    leaving = []
    for part in parts:
        if part.content_type in _LEFT_OUT:
            continue
        if part.content_type == "message/rfc822" and _is_a_copy(part.payload, kept_from, marker):
            return None
        leaving.append(
            Enclosure(
                part.filename, part.content_type, part.payload, content_id=part.content_id, inline=part.inline
            )
        )
    return tuple(leaving)


def _is_a_copy(raw: bytes, kept_from: Secrets, marker: str) -> bool:
    shown = raw.decode("utf-8", "replace")
    return kept_from.token_address.search(shown) is not None or marker in shown


def _ink(text: str) -> str:
    """The letters and digits of a text; what clients write in place of an image or a link does not count."""
    return "".join(filter(str.isalnum, _PLACEHOLDER.sub("", text)))


def _folded(line: str) -> str:
    return " ".join(_QUOTE.sub("", line).split()).casefold()
