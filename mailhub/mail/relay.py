"""What may leave of a staff reply: no address of staff, no token of ours, no line of the internal copy.

Pure text work on what `quoting` found to be new. An interleaved answer keeps the asker's own quoted lines, which
are theirs to see again, and loses quoted lines of the copy; an unquoted internal line stops the whole mail.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from mailhub.mail import clean, message, plain
from mailhub.mail.draft import Enclosure
from mailhub.mail.message import Part

# A visiting card bears private addresses; a signature is no longer true of the text that leaves.
_LEFT_OUT = frozenset(
    {"text/vcard", "text/x-vcard", "application/pgp-signature", "application/pkcs7-signature",
     "application/x-pkcs7-signature", "application/ms-tnef"}
)  # fmt: skip
_CALENDARS = frozenset({"text/calendar", "application/ics"})
_FOLD = re.compile(r"\r?\n[ \t]")
_LONG = re.compile(r"([^\r\n]{60})(?=[^\r\n])")  # 75 octets at most, of which a letter may take two
_SHORTEST_TELLING_LINE = 12  # shorter lines of the copy ("Bonjour,") prove nothing
_DEEPEST_COPY = 4  # mails within mails, looked into one by one
_MAIL_NAMES = (".eml", ".mht", ".mhtml")
_TAG = re.compile(r"<[a-zA-Z/]")
_PLACEHOLDER = re.compile(
    r"\[(?:image|cid|inline)[^\]\n]*\]|<[^\s<>]*[@:][^\s<>]*>|https?://\S+", re.IGNORECASE
)
_EMPTY_END = re.compile(r"(?:\s*(?:<(div|span|p|blockquote)></\1>|<hr>))+\s*$")
_QUOTE = re.compile(r"^[ \t]*(?:>[ \t]?)+")
_LEADER = re.compile(r"^[\s>|•·*–-]+")  # what clients set before a line they quote or list
_TOKEN_LINK = re.compile(
    r"https?://[^\s<>\"']*[/=][a-z2-7]{45}(?![A-Za-z0-9])"
)  # a file for one member of staff


# Letters right before it go too: this may be the end of somebody else's address, of which no half shall stay, or a word
# that lost its space, and the address must not leave. A link may have `<` as %3C.
_BEFORE = r"(?:(?<=%[0-9A-Fa-f]{2})|(?<!%)(?<![^\W_])[^\W_]*)"
_UNSEEN = "[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*"  # what no eye sees between two letters
_WAYS = {"@": "(?:@|\uff20|%40)", ".": r"(?:\.|%2E)"}  # to write a sign, in words and in links


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must never leave."""

    addresses: tuple[str, ...]  # of staff, past ones too
    token_address: re.Pattern[str]  # any of our machine addresses
    stand_in: str  # the service address, written in their place
    internal: frozenset[str]  # solid lines of the copies staff received

    def mask(self, text: str) -> str:
        """The text with every private address replaced by the service's."""
        text = _TOKEN_LINK.sub(self.stand_in, self.token_address.sub(self.stand_in, text))
        for address in self.addresses:
            pattern = _UNSEEN.join(_WAYS.get(letter) or re.escape(letter) for letter in address)
            text = re.sub(f"{_BEFORE}{pattern}", self.stand_in, text, flags=re.IGNORECASE)
        return text

    def betrayed_by(self, lines: Sequence[str]) -> set[int]:
        """The lines, by their place, that say a line of an internal copy, however a client broke or listed it."""
        solid = [_solid(line) for line in lines]
        starts = list(accumulate(map(len, solid), initial=0))
        whole = "".join(solid)
        found: set[int] = set()
        for line in self.internal:
            at = whole.find(line)
            while at >= 0:
                end = at + len(line)
                found.update(range(bisect_right(starts, at) - 1, bisect_left(starts, end)))
                at = whole.find(line, end)
        return found


def secrets(
    *,
    addresses: Iterable[str],
    machine_locals: Collection[str],
    domain: str,
    stand_in: str,
    internal_texts: Iterable[str],
) -> Secrets:
    """Gather what must never leave; `internal_texts` are the internal parts of the copies, from their marker on."""
    names = "|".join(sorted(map(re.escape, machine_locals)))
    lines = (_solid(line) for text in internal_texts for line in text.splitlines())
    return Secrets(
        addresses=tuple(sorted(addresses, key=len, reverse=True)),
        token_address=re.compile(
            rf"\b(?:{names})(?:\+|%2B)[A-Za-z2-7]+(?:@|%40){re.escape(domain)}", re.IGNORECASE
        ),
        stand_in=stand_in,
        internal=frozenset(line for line in lines if len(line) >= _SHORTEST_TELLING_LINE),
    )


def text(reply: str, kept_from: Secrets) -> str | None:
    """The words that leave; None when a line of the internal copy stands unquoted among them."""
    leaving = _leaving(reply, kept_from)
    return None if leaving is None else kept_from.mask(leaving).strip("\n")


def html(written: str | None, reply: str, kept_from: Secrets) -> str | None:
    """The beginning of the HTML body that says exactly the words of `reply`, made safe; None when there is none.

    Whatever client wrote it and however it marks its quotes: what leaves as HTML is what leaves as text, no more.
    """
    leaving = _leaving(reply, kept_from)
    if not written or leaving is None or len(written) > clean.MOST_CHARACTERS:
        return None
    wanted = _ink(leaving)
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
    if not safe:
        return None
    masked = kept_from.mask(_EMPTY_END.sub("", safe))
    shown = plain.from_html(masked).text  # Word sets tags in the midst of an address it thinks misspelt
    return masked if kept_from.mask(shown) == shown else None


def enclosures(parts: Iterable[Part], kept_from: Secrets, marker: str) -> tuple[Enclosure, ...] | None:
    """The files that leave, inline images included; None when one of them is an internal copy."""
    leaving = []
    for part in parts:
        name = (part.filename or "").lower()
        if part.content_type in _LEFT_OUT or name.endswith(".vcf"):
            continue
        if _is_a_copy(part, kept_from, marker):
            return None
        is_calendar = part.content_type in _CALENDARS or name.endswith(".ics")
        payload = _calendar(part.payload, kept_from) if is_calendar else part.payload
        filename = part.filename and kept_from.mask(part.filename)
        content_id = part.content_id and kept_from.mask(part.content_id)  # as in the HTML that shows it
        leaving.append(
            Enclosure(filename, part.content_type, payload, content_id=content_id, inline=part.inline)
        )
    return tuple(leaving)


def _calendar(payload: bytes, kept_from: Secrets) -> bytes:
    """An invitation without the addresses of staff: whoever accepts it answers the service.

    Clients send them along unasked. Long lines go on in a line that begins with a blank: RFC 5545 section 3.1.
    """
    whole = _FOLD.sub("", payload.decode("utf-8", "surrogateescape"))
    masked = kept_from.mask(whole)
    if masked == whole:
        return payload
    return _LONG.sub("\\1\r\n ", masked).encode("utf-8", "surrogateescape")


def _is_a_copy(part: Part, kept_from: Secrets, marker: str, depth: int = 0) -> bool:
    """Say whether a file shows what only staff may see: a copy, saved as a page, as text, or as a mail in a mail."""
    is_mail = part.content_type.startswith("message/") or (part.filename or "").lower().endswith(_MAIL_NAMES)
    if not is_mail and not part.content_type.startswith("text/"):
        return marker.encode() in part.payload
    wide = part.payload[:2] in {b"\xff\xfe", b"\xfe\xff"}
    said = [part.payload.decode("utf-16" if wide else "utf-8", "replace")]
    inner: tuple[Part, ...] = ()
    if part.content_type == "text/html":
        said.append(plain.from_html(said[0]).text)
    if is_mail:
        if depth == _DEEPEST_COPY:
            return True  # nobody sends a reader that; whoever means to is told
        mail = message.read(part.payload)
        said += [mail.text, plain.from_html(mail.html).text if mail.html else ""]
        inner = mail.attachments
    telling = _solid(marker)
    return any(
        kept_from.token_address.search(text) is not None or telling in _solid(text) for text in said
    ) or any(_is_a_copy(each, kept_from, marker, depth + 1) for each in inner)


def _leaving(reply: str, kept_from: Secrets) -> str | None:
    """The lines that leave; None when one of those that may not is unquoted, so that its author meant it."""
    lines = reply.splitlines()
    betrayed = kept_from.betrayed_by(lines)
    if any(not _QUOTE.match(lines[number]) for number in betrayed if _solid(lines[number])):
        return None
    return "\n".join(line for number, line in enumerate(lines) if number not in betrayed)


def _ink(text: str) -> str:
    """The letters and digits of a text; what clients write in place of an image or a link does not count."""
    return "".join(filter(str.isalnum, _PLACEHOLDER.sub("", text)))


def _solid(line: str) -> str:
    """A line without white space, case, and what is set before it: how it was broken or quoted does not count."""
    return "".join(_LEADER.sub("", line).split()).casefold()
