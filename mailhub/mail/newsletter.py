"""The outgoing form of a letter to many: head and body encoded once, with blanks for what is personal.

A form is a whole mail but for To, Date and Message-ID. Its blanks are as long as a token and stand alone on their line
of quoted-printable, so that filling them in changes no folding, breaks no line and needs no encoder: a copy is a join
of a few pieces, and its body hash is that of a canonical form made once. Forms of RFC 2369, 2919 and 8058.
"""

import hashlib
import html
import re
from base64 import b32encode
from binascii import b2a_qp
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum
from functools import lru_cache

from mailhub.errors import Refused
from mailhub.mail import compose, dkim, domains, fields
from mailhub.mail.address import Mailbox
from mailhub.mail.draft import Draft, Enclosure

TOKEN_LENGTH = 45  # of every token that fills a blank; a blank is as long
SALUTATION = re.compile(r"\{\{\s*salutation\s*\}\}")  # how an author asks for a greeting


class Blank(StrEnum):
    """What is filled in for each reader. Base32 knows no zero, so no token ever looks like a blank."""

    LEAVE = "leave".ljust(TOKEN_LENGTH, "0")  # the token that leaves this list and does nothing else
    PREFERENCES = "preferences".ljust(TOKEN_LENGTH, "0")
    GREETING = "greeting".ljust(TOKEN_LENGTH, "0")  # in the text
    GREETING_HTML = "greetinghtml".ljust(TOKEN_LENGTH, "0")  # in the HTML


@dataclass(frozen=True, slots=True)
class Masthead:
    """Whom a publication comes from, and how its readers answer, leave and complain."""

    code: str  # "lettre"
    title: str  # what a reader calls it
    label: str  # the first part of List-Id: never changed
    domain: str
    sender: Mailbox
    owner: str  # the address of people: List-Owner
    stop: str  # local part of the address that leaves: stop+TOKEN@
    leave_url: str = ""  # a token follows; "" when the centre has no public pages
    preferences_url: str = ""  # idem

    @property
    def leave_link(self) -> str:
        """The page that leaves, with its blank; "" without public pages."""
        return f"{self.leave_url}{Blank.LEAVE}" if self.leave_url else ""

    @property
    def preferences_link(self) -> str:
        """The page of preferences, with its blank; "" without public pages."""
        return f"{self.preferences_url}{Blank.PREFERENCES}" if self.preferences_url else ""

    @property
    def leave_address(self) -> str:
        """The address that leaves, with its blank."""
        return f"{self.stop}+{Blank.LEAVE}@{domains.a_label(self.domain)}"

    @property
    def sender_id(self) -> str:
        """What tells providers that all our letters are ours, the same for ever (lists.md D26)."""
        digest = hashlib.sha256(f"feedback {self.domain}".encode()).digest()
        return b32encode(digest)[:12].decode().lower()


@dataclass(frozen=True, slots=True)
class Personal:
    """All that one reader's copy has of its own."""

    to: str  # as `to` gives it
    message_id: str  # without angle brackets
    leave: str
    preferences: str = ""
    greeting: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """One reader's copy, ready to be signed."""

    head: bytes  # each line with its CRLF, without the empty line
    body: bytes
    digest: bytes  # what `dkim.body_hash` says of the body

    @property
    def raw(self) -> bytes:
        """The whole mail."""
        return b"%b\r\n%b" % (self.head, self.body)


def headers(masthead: Masthead, number: int) -> tuple[tuple[str, str], ...]:
    """What marks an issue as one of a list; a copy is no automatic answer, so it bears no Auto-Submitted (T28)."""
    domain, address = domains.a_label(masthead.domain), masthead.sender.address
    leave = f"<mailto:{masthead.leave_address}>"
    if masthead.leave_link:
        leave = f"<{masthead.leave_link}>, {leave}"  # https first: lists.md T20, RFC 8058 section 4
    one_click = [("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")] if masthead.leave_link else []
    return (
        ("List-Id", f"{_label(masthead.title)} <{masthead.label}.{domain}>"),
        ("List-Unsubscribe", leave),
        *one_click,
        ("List-Help", f"<mailto:{address}?subject=AIDE>"),
        ("List-Subscribe", f"<mailto:{address}?subject=ABONNEMENT>"),
        ("List-Owner", f"<mailto:{masthead.owner}>"),
        ("List-Post", "NO"),
        ("Precedence", "bulk"),
        ("Feedback-ID", f"{masthead.code}-{number}:issue:{masthead.label}:{masthead.sender_id}"),
    )


def write(
    masthead: Masthead,
    number: int,
    *,
    subject: str,
    text: str,
    page: str | None = None,
    enclosures: Sequence[Enclosure] = (),
) -> bytes:
    """Write the form of an issue: the same words give the same octets, which their hash may stand for."""
    key = f"issue:{masthead.code}:{number}"
    body = compose.encode(text, page, enclosures, key=key)
    draft = Draft(
        key=key,
        kind="issue",
        sender=masthead.sender,
        recipient=masthead.sender,  # cut out again below
        subject=subject,
        text=text,
        headers=headers(masthead, number),
    )
    head = compose.head(draft, body, date=datetime(1970, 1, 1, tzinfo=UTC), domain=masthead.domain)
    return b"%b\r\n%b" % (_PERSONAL_FIELDS.sub(b"", head), _opened(body.octets))


def to(reader: Mailbox) -> str:
    """The To field of a reader's copy."""
    return fields.field("To", *fields.mailbox(reader)).decode()


class Form:
    """A form that was read once and is filled in many times."""

    def __init__(self, octets: bytes, as_sent: Callable[[bytes], bytes] = lambda body: body) -> None:
        """`as_sent` is what becomes of every body on its way; the digest is of the body as it is written."""
        head, _, body = octets.partition(b"\r\n\r\n")
        self._head = _pieces(head + b"\r\n")
        self._body = _pieces(as_sent(body))
        # Blanks hold no white space, nor does what fills them begin or end with it: canonical before is canonical after.
        self._canonical = _pieces(dkim.relaxed_body(body))
        self.asks_for_greeting = bool(
            {Blank.GREETING.encode(), Blank.GREETING_HTML.encode()} & set(self._body[1::2])
        )

    def copy(self, personal: Personal, date: datetime) -> Copy:
        """Fill the form in for one reader."""
        values = _values(personal)
        # A last line that stays blank goes with the empty lines at the end: RFC 6376 section 3.4.3.
        canonical = _filled(self._canonical, values).rstrip(b"\r\n") + b"\r\n"
        own = (
            personal.to,
            f"Date: {_written(date)}\r\n",
            str(fields.field("Message-ID", f"<{personal.message_id}>"), "ascii"),
        )
        return Copy(
            head="".join(own).encode() + _filled(self._head, values),
            body=_filled(self._body, values),
            digest=hashlib.sha256(canonical).digest(),
        )


@lru_cache(maxsize=16)  # all copies of an issue bear one date
def _written(date: datetime) -> str:
    return format_datetime(date)


# -- blanks -----------------------------------------------------------------------------------------------------

_PERSONAL_FIELDS = re.compile(rb"^(?:To|Date|Message-ID):.*\r\n(?:[ \t].*\r\n)*", re.MULTILINE)
_BLANK = re.compile(b"(" + b"|".join(blank.encode() for blank in Blank) + b")")
# Where `compose` has broken a long line within a blank, the break is taken out again.
_BROKEN = re.compile(
    b"|".join(
        b"(?:=\r\n)?".join(blank.encode()[at : at + 1] for at in range(TOKEN_LENGTH)) for blank in Blank
    )
)
_SOFT = b"=\r\n"  # a line break that vanishes on reading: RFC 2045 section 6.7 (5)


def _opened(body: bytes) -> bytes:
    """Every blank whole and on a line of its own."""
    return _BROKEN.sub(_alone, body)


def _alone(found: re.Match[bytes]) -> bytes:
    around, start, end = found.string, found.start(), found.end()
    begins_line = around[start - 1 : start] in {b"\n", b""}
    ends_line = around[end : end + 2] == b"\r\n" or around[end : end + 3] == _SOFT
    blank = found[0].replace(_SOFT, b"")
    return b"%b%b%b" % (b"" if begins_line else _SOFT, blank, b"" if ends_line else _SOFT)


def _pieces(octets: bytes) -> list[bytes]:
    """What is the same for everybody, and between each two the name of a blank."""
    return _BLANK.split(octets)


def _filled(pieces: Sequence[bytes], values: Mapping[bytes, bytes]) -> bytes:
    filled = list(pieces)
    filled[1::2] = [values[blank] for blank in pieces[1::2]]
    return b"".join(filled)


def _values(personal: Personal) -> dict[bytes, bytes]:
    return {
        Blank.LEAVE.encode(): _token(personal.leave),
        Blank.PREFERENCES.encode(): _token(personal.preferences),
        Blank.GREETING.encode(): _quoted_printable(personal.greeting),
        Blank.GREETING_HTML.encode(): _quoted_printable(html.escape(personal.greeting)),
    }


def _token(text: str) -> bytes:
    if text and not (text.isascii() and text.isalnum()):
        raise Refused("what fills a blank is a token: ASCII letters and digits")
    return text.encode()


def _quoted_printable(text: str) -> bytes:
    """Words for a line that goes on: encoded with a sign more, so that a soft break still has room after them.

    No line begins with a dot, which SMTP would have to double.
    """
    line = fields.one_line(text)
    encoded = b2a_qp(f"{line}~\r\n".encode(), istext=True)[: -len(b"~\r\n")] if line else b""
    return _DOT.sub(b"=2E", encoded)


_DOT = re.compile(rb"^\.", re.MULTILINE)
_SPECIALS = re.compile(r'[()<>\[\]:;@\\,."]+')  # RFC 5322 section 3.2.3: not bare in a phrase


def _label(title: str) -> str:
    """The words before the angle bracket of List-Id; RFC 2919 section 3 allows 255 octets in all."""
    return fields.cut(" ".join(_SPECIALS.sub(" ", title).split()), 60)
