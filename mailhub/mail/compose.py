"""Draft to bytes: the letter as it leaves, before it is signed. The same draft and date give the same bytes.

A letter is joined from pieces that are encoded once: a `Body`, which a letter to many shares, and a header block of
a few hundred octets for each person. Everything is ASCII with CRLF line ends, texts in quoted-printable and files in
base64: 8-bit bodies break signatures on their way (lists.md D12).
"""

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256

from mailhub.errors import Refused
from mailhub.mail import domains, fields
from mailhub.mail.draft import Draft, Enclosure

# Relays refuse header blocks of more than 4,096 octets (desk.md P26); two DKIM signatures take up to 1,500.
HEADER_OCTETS = 2500
REFERENCES_OCTETS = 1500  # idem
SUBJECT_LENGTH = 255
VALUE_OCTETS = 500  # a longer one was written by a stranger and is only echoed (Thread-Topic): left out

# Ours to write, or nobody's: a draft has one recipient, and what describes the body is not up to it.
RESERVED = frozenset(
    (
        *(
            "from",
            "sender",
            "to",
            "cc",
            "bcc",
            "reply-to",
            "subject",
            "date",
            "message-id",
            "in-reply-to",
            "references",
        ),
        *(
            "mime-version",
            "return-path",
            "received",
            "auto-submitted",
            "dkim-signature",
            "authentication-results",
        ),
    )
)
_NAME = re.compile(r"(?!(?:content|resent|arc)-)[a-z][a-z0-9-]{0,60}", re.IGNORECASE)
_TOKEN = r"[A-Za-z0-9!#$&^_.+-]{1,80}"  # noqa: S105 — of a grammar, no secret: RFC 2045 section 5.1
_PARAMETER = re.compile(rf"; *({_TOKEN}=(?:{_TOKEN}|\"[ !#-\[\]-~]{{0,60}}\"))")
_TYPE = re.compile(rf"({_TOKEN}/{_TOKEN})((?:{_PARAMETER.pattern})*)")
_FILE_NAME_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Body:
    """What a letter says, as a MIME entity: encoded once, used by every copy of the letter."""

    head: bytes  # Content-Type and Content-Transfer-Encoding, each line with its CRLF
    octets: bytes


def message_id(key: str, domain: str) -> str:
    """The Message-ID of the letter with this key, without brackets: the same every time (lists.md D11).

    Lower case, with a dot, longer than a word: SpamAssassin's rules for the ids of spam programs do not match.
    """
    return f"letter.{_digest(key)}@{domains.a_label(domain)}"


def to_bytes(draft: Draft, *, date: datetime, domain: str, body: Body | None = None) -> bytes:
    """Write the letter; `body` stands for the draft's text, HTML and enclosures when it was encoded before."""
    body = body or encode(draft.text, draft.html, draft.enclosures, key=draft.key)
    return b"%b\r\n%b" % (head(draft, body, date=date, domain=domain), body.octets)


def encode(text: str, html: str | None = None, enclosures: Sequence[Enclosure] = (), *, key: str) -> Body:
    """Encode what a letter says: text first, HTML with its images beside it, files after them. RFC 2046 section 5.1.

    Boundaries are made from the key and hold `=_`, which neither encoding can produce.
    """
    body = _text("plain", text)
    shown = [enclosure for enclosure in enclosures if html and enclosure.content_id]
    if html:
        page = _text("html", html)
        if shown:
            page = _multipart("related", [page, *map(_file, shown)], key, 'type="text/html"')
        body = _multipart("alternative", [body, page], key)
    files = [enclosure for enclosure in enclosures if enclosure not in shown] if shown else enclosures
    return _multipart("mixed", [body, *map(_file, files)], key) if files else body


def head(draft: Draft, body: Body, *, date: datetime, domain: str) -> bytes:
    """The header block, each line with its CRLF, without the empty line; see `HEADER_OCTETS`."""
    before = b"".join(_always(draft, date, domain))
    after = b"MIME-Version: 1.0\r\n" + body.head
    room = HEADER_OCTETS - len(before) - len(after)
    extra = b""
    for name, value in draft.headers:
        one = _extra(name, value)
        if len(extra) + len(one) <= room:
            extra += one
    return before + _references(draft, room - len(extra)) + extra + after


# -- the header block -------------------------------------------------------------------------------------------


def _always(draft: Draft, date: datetime, domain: str) -> Iterator[bytes]:
    yield fields.field("From", *fields.mailbox(draft.sender))
    yield fields.field("To", *fields.mailbox(draft.recipient))
    yield fields.field(
        "Subject", *fields.unstructured(fields.cut(fields.one_line(draft.subject), SUBJECT_LENGTH))
    )
    yield _date(date)
    own = fields.ids(draft.message_id) or fields.ids(message_id(draft.key, domain))
    yield fields.field("Message-ID", *own)
    if draft.reply_to:
        yield fields.field("Reply-To", fields.addr_spec(draft.reply_to))
    if answered := fields.ids(draft.in_reply_to):
        yield fields.field("In-Reply-To", *answered)
    if draft.automatic:
        yield fields.field("Auto-Submitted", *fields.unstructured(draft.automatic))  # RFC 3834 section 5
        yield fields.field("X-Auto-Response-Suppress", "All")  # Exchange knows no other way (lists.md D27)


@lru_cache(8)  # the letters of one transaction have one date
def _date(date: datetime) -> bytes:
    return fields.field("Date", format_datetime(date))


def _references(draft: Draft, room: int) -> bytes:
    """The chain of a conversation; of a long one the first id and the latest (desk.md P26)."""
    chain = list(dict.fromkeys(fields.ids(*draft.references)))
    if not chain:
        return b""
    room = min(room, REFERENCES_OCTETS) - len("References: \r\n") - len(chain[0])
    kept: list[str] = []
    for identifier in reversed(chain[1:]):
        room -= len(identifier) + 3  # with the line break that may come before it
        if kept and room < 0:
            break
        kept.append(identifier)
    return fields.field("References", chain[0], *reversed(kept))


def _extra(name: str, value: str) -> bytes:
    if not _NAME.fullmatch(name) or name.lower() in RESERVED:
        raise Refused(f"a draft has no say in the header {name!r}")
    line = fields.one_line(value)
    uri = line.startswith("<")  # RFC 2369: blanks separate, nothing inside may be spelled otherwise
    plain = line.isascii() and (uri or "=?" not in line)
    field = fields.field(name, *(line.split(" ") if plain else fields.unstructured(line)))
    return field if line and len(field) <= VALUE_OCTETS else b""


# -- the body ---------------------------------------------------------------------------------------------------


def _text(subtype: str, text: str) -> Body:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    # It must end with a line end: `b2a_qp` breaks lines as the first line end it meets.
    octets = (text.rstrip("\n") + "\n").replace("\n", "\r\n").encode("utf-8", "replace")
    kind = b"Content-Type: text/%b; charset=utf-8\r\n" % subtype.encode()
    return Body(kind + b"Content-Transfer-Encoding: quoted-printable\r\n", b2a_qp(octets, istext=True))


def _file(enclosure: Enclosure) -> Body:
    disposition = ["inline" if enclosure.inline or enclosure.content_id else "attachment"]
    if name := _file_name(enclosure.filename or ""):
        disposition += fields.parameter("filename", name)
    content_id = fields.ids(enclosure.content_id)
    lines = (
        fields.field("Content-Type", *fields.separated(*_content_type(enclosure.content_type))),
        fields.field("Content-Disposition", *fields.separated(*disposition)),
        fields.field("Content-ID", *content_id) if content_id else b"",
        b"Content-Transfer-Encoding: base64\r\n",
    )
    whole = b2a_base64(enclosure.content, newline=False)
    cut = [whole[at : at + 76] for at in range(0, len(whole), 76)]  # RFC 2045 section 6.8
    return Body(b"".join(lines), b"\r\n".join(cut) + b"\r\n")


def _content_type(written: str) -> list[str]:
    """The type of a file, and the parameters it came with if they are sound.

    A mail within a mail may not be in base64 (RFC 2046 section 5.2.1): it travels as a file, and its name says what
    it is.
    """
    found = _TYPE.fullmatch(written.strip())
    if found is None or found[1].lower().startswith(("multipart/", "message/")):
        return ["application/octet-stream"]
    return [found[1], *_PARAMETER.findall(found[2])]


def _file_name(written: str) -> str:
    """A name without a path, short enough for any system, its ending kept."""
    name = fields.one_line(re.sub(r"[/\\]", "_", written))
    if len(name) <= _FILE_NAME_LENGTH:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 10:
        stem, dot, ending = name, "", ""
    return stem[: _FILE_NAME_LENGTH - len(ending) - 1] + dot + ending


def _multipart(subtype: str, parts: Sequence[Body], key: str, *parameters: str) -> Body:
    boundary = f"=_{subtype}_{_digest(key)}"
    between = b"--%b\r\n" % boundary.encode()
    octets = b"".join(b"%b%b\r\n%b\r\n" % (between, part.head, part.octets) for part in parts)
    value = fields.separated(f"multipart/{subtype}", *parameters, f'boundary="{boundary}"')
    return Body(fields.field("Content-Type", *value), b"%b--%b--\r\n" % (octets, boundary.encode()))


def _digest(key: str) -> str:
    """128 bits of the key's hash, as 32 letters and digits."""
    return sha256(key.encode("utf-8", "replace")).hexdigest()[:32]
