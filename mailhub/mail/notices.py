"""What a machine says when it returns a mail: its own words and fields, apart from the mail it returns.

Reports come as `multipart/report` (RFC 3462), as plain text with the mail pasted below a line of dashes,
and with broken boundaries. All of them end up as one `Notice`. Everything here is capped and linear.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from email.message import Message as Tree

from mailhub.mail import charset, mime, parameters, transfer, words
from mailhub.mail.message import Message
from mailhub.mail.wording import fold, phrases

MAX_PARTS = 60  # a report has three; what comes after sixty is somebody's attachment
MAX_TEXT = 128_000  # characters of machine prose; twenty times the longest seen
MAX_VALUE = 4_000  # characters of one header field of the returned mail
MAX_REPORT = 2_000_000  # a report on five thousand recipients takes 500 kB

STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status", "message/xdelivery-status")
RETURNED_TYPES = frozenset(
    [
        "message/rfc822",
        "message/global",
        "message/partial",
        "message/rfc822-headers",
        "message/global-headers",
        "text/rfc822-headers",
        "text/rfc822",
        "text/x-rfc822-headers",
    ]
)

# A line of its own that introduces the returned mail, once dashes, stars and colons are taken off.
MARKER = phrases(
    r"(below this line|below|this|here|enclosed|included|attached|following|what follows) is (a |the )?(copy|header|"
    r"headers|text|original|first|beginning|return)\b.*",
    r"(the |your )?(original|returned|return|unsent|bounced|old|forwarded) (e-?mail|mail|message|messages|text)"
    r"( (info|headers?|source|content|body))?( (follows?|attached|below|as received( is as follows)?))?( \(.{0,40}\))?",
    r"(the |your |possibly truncated )?(original |undelivered |undeliverable |rejected |failed )+(e-?mail|mail|message)"
    r"( headers?)? (follows?|attached|below|as received)",
    r"(the )?(original )?(message|mail|e-?mail)( header| headers| text| body| source)? (follows?|is following|"
    r"as received)",
    r"(message|mail|original) headers?( follows?| are as follows)?",
    r"(the )?(contents?|headers?|header|copy|text|body|start) (of|from) (the |your )?"
    r"(original |undelivered |returned |rejected |unsent |failed )*(message|mail|e-?mail)"
    r"( (follows?|is following|below|is attached|as received))?",
    r"the headers? and (top|first) \d+ lines of the message follows?",
    r"a copy of (the|your) (original )?(message|mail).*",
    r"your (message|mail) (reads|was|begins) \(in part\)",
    r"returned (mail|message) follows",
    r"(debut|copie|texte|contenu|en-?tetes?) d(u|e votre) (message|courriel|mail)( (d'origine|original|initial|renvoye))?"
    r"( (suit|ci-dessous|joint))?",
    r"(le |votre )?(message|courriel) (d'origine|original|initial|renvoye)( (suit|ci-dessous|joint))?",
    r"(el |su )?mensaje original( adjunto| sigue)?",
    r"(il |il tuo )?messaggio (originale|di origine)( segue)?",
    r"(die |ihre )?(originalnachricht|ursprungliche nachricht|urspruengliche nachricht)( folgt)?",
    r"(het )?(oorspronkelijk|origineel|originele) (bericht|e-mail)( volgt)?",
    r"(a )?mensagem original( segue)?",
)
RULES = "-=*_#|+~> \t:.;"  # what machines draw lines with
# A header block at the left margin: the returned mail began without a word.
BLOCK = re.compile(
    r"(received|return-path|x-received|delivered-to|dkim-signature|arc-seal|x-apparently-to) ?:",
    re.IGNORECASE,
)
FIELD = re.compile(r"([!-9;-~]{1,80})[ \t]*:[ \t]*(.*)")

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """A report taken apart."""

    text: str  # the machine's own words
    reports: tuple[str, ...]  # the text of each delivery-status part
    returned: Fields  # header fields of the returned mail, as far as they came back
    inner: tuple[str, ...]  # delivery-status text of the returned mail, when that was itself a report
    enclosed: bool  # some of the returned mail came back, so this is more than talk about failures

    def returned_header(self, name: str) -> str | None:
        """The first such field of the returned mail."""
        wanted = name.lower()
        return next((value for key, value in self.returned if key.lower() == wanted), None)


def read(message: Message) -> Notice:
    """Take a report apart; any mail may be given, what is no report simply has no reports."""
    said: list[str] = []
    hypertext = False
    reports: list[str] = []
    returned: Fields = ()
    inner: list[str] = []
    enclosed = False
    for part in parts(message.tree):
        kind = part.get_content_type()
        if kind in STATUS_TYPES:
            reports.append(report_text(part))
        elif kind == "message/disposition-notification":  # a refusal in the form of a receipt, RFC 5429
            reports.append(report_text(part).rstrip() + "\nAction: failed")
        elif kind in RETURNED_TYPES:
            enclosed = True
            returned = returned or _returned(part)
            inner += _inner_reports(part)
        elif kind == "text/html":
            hypertext = True
        elif kind.startswith("text/") and part.get_content_disposition() != "attachment":
            said.append(decoded(part))
    text = "\n".join(said)
    if not text.strip() or (hypertext and len(text.strip()) < 20):
        text = message.text
    text, rest = _apart(text[:MAX_TEXT])
    if rest:
        enclosed = True
        returned = returned or header_block(rest)
        inner.append(rest)
    return Notice(text, tuple(reports), returned, tuple(inner), enclosed)


def parts(tree: Tree) -> Iterator[Tree]:
    """Leaves of a mail in order, without entering the mails it carries; broken multiparts are mended."""
    waiting = [tree]
    for _ in range(MAX_PARTS):
        if not waiting:
            return
        part = waiting.pop(0)
        if part.get_content_maintype() != "multipart":
            yield part
        elif part.is_multipart():
            waiting[:0] = children(part)
        elif mended := _mended(_octets(part)):
            waiting.insert(0, mended)
        elif _octets(part).strip():
            yield _as_text(part)


def report_fields(message: Message, kinds: Collection[str]) -> dict[str, str]:
    """The fields of the first part of one of these types: the first value of each, names in lower case."""
    for part in parts(message.tree):
        if part.get_content_type() in kinds:
            return {name.lower(): value for name, value in reversed(header_block(report_text(part)))}
    return {}


def children(tree: Tree) -> tuple[Tree, ...]:
    """The parts directly below the top; none when the mail has no parts or its boundary is broken."""
    payload = tree.get_payload() if tree.is_multipart() else ()
    return tuple(child for child in payload if isinstance(child, Tree))


def decoded(part: Tree) -> str:
    """The text of a part."""
    return charset.decode(_octets(part)[:MAX_REPORT], parameter(part, "charset"))[0]


def parameter(part: Tree, name: str) -> str:
    """A parameter of its Content-Type, "" when there is none."""
    return parameters.read(str(part.get("Content-Type", "")))[1].get(name, "")


def _octets(leaf: Tree) -> bytes:
    """What a leaf holds. Never `get_payload()` without decoding: it trusts the charset label and may raise."""
    payload = leaf.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def header_block(text: str) -> Fields:
    """The first run of header fields in a text, unfolded."""
    fields: list[tuple[str, str]] = []
    for line in text.splitlines()[:400]:
        if fields and line[:1] in {" ", "\t"}:
            name, value = fields[-1]
            fields[-1] = (name, f"{value} {line.strip()}")
        elif found := FIELD.fullmatch(line):
            fields.append((found[1], found[2].strip()))
        elif fields:
            break
    return tuple(fields)


def _apart(text: str) -> tuple[str, str]:
    """Cut a text where the returned mail begins: at a marker line, or at a bare header block."""
    lines = text.splitlines()
    said = False  # a marker before any word is a title, not a cut
    for number, line in enumerate(lines):
        bare = line.strip(RULES)
        if said and BLOCK.match(line):
            return "\n".join(lines[:number]), "\n".join(lines[number:])
        if said and 6 < len(bare) < 120 and MARKER.fullmatch(fold(bare)):
            return "\n".join(lines[:number]), "\n".join(lines[number + 1 :])
        said = said or bool(bare)
    return text, ""


def _mended(body: bytes) -> Tree | None:
    """Read a multipart again with the boundary its body really uses; None when there is none."""
    found = re.search(rb"^--([^\s\"-][^\s\"]{1,150})[ \t]*\r?$", body, re.MULTILINE)
    if not found:
        return None
    head = b'Content-Type: multipart/mixed; boundary="' + found[1] + b'"\n\n'
    mended = mime.cut(head + body[:MAX_REPORT], mime.Cutting())
    return mended if mended.is_multipart() else None


def _as_text(part: Tree) -> Tree:
    """A multipart without any part, as the text it is."""
    text = Tree()
    text["Content-Type"] = "text/plain"
    text.set_payload(_octets(part).decode("ascii", "surrogateescape"))
    return text


def report_text(part: Tree) -> str:
    """The fields of a report part as text, however the parser split them."""
    pieces: list[str] = []
    for block in children(part):
        pieces += [f"{name}: {value}" for name, value in block.raw_items()]
        pieces += ["", report_text(block), ""]
    if not pieces:
        pieces.append(_octets(part).decode("utf-8", "surrogateescape"))
    return _unwrapped("\n".join(pieces)[:MAX_REPORT], str(part.get("Content-Transfer-Encoding", "")))


def _unwrapped(text: str, encoding: str) -> str:
    """Octets above 127 read; a transfer encoding undone that RFC 3464 section 2.1 forbids and some gateways use."""
    raw = text.encode("utf-8", "surrogateescape")
    if "base64" in encoding.lower() and "recipient" not in text.lower():
        raw, _ = transfer.decode(raw, "base64")
    elif "quoted-printable" in encoding.lower():
        raw, _ = transfer.decode(raw, "quoted-printable")
    return charset.decode(raw, "utf-8")[0]


def _returned(part: Tree) -> Fields:
    """The header fields of an enclosed mail."""
    for mail in children(part):
        return tuple((name, words.decode(str(value)[:MAX_VALUE])) for name, value in mail.raw_items())
    return header_block(decoded(part)[:64_000])


def _inner_reports(part: Tree) -> list[str]:
    """The delivery-status texts inside an enclosed mail that is a report."""
    mail = next(iter(children(part)), None)
    if mail is None or mail.get_content_type() != "multipart/report":
        return []
    return [report_text(leaf) for leaf in parts(mail) if leaf.get_content_type() in STATUS_TYPES]
