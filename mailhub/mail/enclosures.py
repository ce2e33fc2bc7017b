"""The files that leave with a staff reply: those its author chose, as they are; never a copy, a card or a key.

What a mail program encloses unasked bears private addresses, or says again what was taken out of the words.
"""

import mimetypes
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable
from dataclasses import replace

from mailhub.mail import message, plain, tnef
from mailhub.mail.draft import Enclosure
from mailhub.mail.message import Part
from mailhub.mail.secrecy import Secrets, solid

# A visiting card bears private addresses; a signature is no longer true of the text that leaves.
_LEFT_OUT = frozenset(
    {"text/vcard", "text/x-vcard", "text/directory", "application/vcard", "application/pgp-keys",
     "application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)  # fmt: skip
_SIGNATURE = "smime.p7s"
_OTHER_VERSIONS = frozenset(  # of the words, with all that was taken out of these
    {"text/x-amp-html", "text/watch-html", "text/enriched", "text/richtext"}
)
_CALENDARS = frozenset({"text/calendar", "application/ics"})
_NAMES = mimetypes.MimeTypes()  # the names Python knows, the same on every machine
_FOLD = re.compile(r"\r?\n[ \t]")
_LONG = re.compile(r"([^\r\n]{60})(?=[^\r\n])")  # 75 octets at most, of which a letter may take two
# As a saved mail begins, whatever it is called; a mailbox file has a line of its own before it.
_FIELD = re.compile(r"\ufeff?(?:From [^\r\n]{1,200}\r?\n)?[!-9;-~]{1,80}:[ \t]")
_TAG = re.compile(r"<[a-zA-Z][^<>]*>")
_DEEPEST_COPY = 4  # mails within mails, looked into one by one


def leaving(parts: Iterable[Part], kept_from: Secrets) -> tuple[Enclosure, ...] | None:
    """The files that leave, inline images included; None when one of them is an internal copy."""
    files = []
    for part in parts:
        if _is_left_out(part):
            continue
        if _is_a_copy(part, kept_from):
            return None
        masked = _masked(part, kept_from)
        if _still_names_staff(replace(part, payload=masked), kept_from):
            return None
        filename = part.filename and kept_from.mask(part.filename)
        content_id = part.content_id and kept_from.mask(part.content_id)  # as in the HTML that shows it
        files.append(
            Enclosure(
                filename,
                part.content_type,
                masked,
                content_id=content_id,
                inline=part.inline,
            )
        )
    return tuple(files)


def _is_left_out(part: Part) -> bool:
    return (
        not _kinds(part).isdisjoint(_LEFT_OUT)
        or (part.filename or "").lower() == _SIGNATURE
        or (part.content_type in _OTHER_VERSIONS and not part.filename)
        or tnef.is_tnef(part.content_type, part.filename)
    )


def _masked(part: Part, kept_from: Secrets) -> bytes:
    """What is written in a file without the addresses of staff; the octets of every other one stay as they are.

    Whoever accepts an invitation answers the service; clients send them along unasked, and a mail sent on as a file
    names all who had it.
    """
    kinds = _kinds(part)
    if not any(kind.startswith(("text/", "message/")) for kind in kinds):
        return part.payload
    is_calendar = not kinds.isdisjoint(_CALENDARS)
    encoding, errors = _encoding(part.payload)
    octets, odd = part.payload, b""
    if encoding == "utf-16" and len(octets) % 2:  # cut short, or something was set behind it
        octets, odd = octets[:-1], octets[-1:]
    whole = octets.decode(encoding, errors)
    if is_calendar:
        whole = _FOLD.sub("", whole)
    masked = kept_from.mask(whole)
    if masked == whole:
        return part.payload
    # Long lines go on in a line that begins with a blank: RFC 5545 section 3.1.
    return (_LONG.sub("\\1\r\n ", masked) if is_calendar else masked).encode(encoding, errors) + odd


def _encoding(octets: bytes) -> tuple[str, str]:
    """How a text file is written, and what to do about octets that are no letters: a mark tells UTF-16."""
    if octets.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16", "surrogatepass"
    return "utf-8", "surrogateescape"


def _still_names_staff(part: Part, kept_from: Secrets) -> bool:
    """Say whether a reader of this file finds an address that is not to be seen in its octets: encoded, or as a sign."""
    kinds = _kinds(part)
    if not any(kind.startswith(("text/html", "message/")) for kind in kinds):
        return False
    texts, inner = _said(part)
    return any(map(kept_from.names_staff, texts)) or any(
        _still_names_staff(each, kept_from) for each in inner
    )


def _is_a_copy(part: Part, kept_from: Secrets, depth: int = 0) -> bool:
    """Say whether a file shows what only staff may see: a copy, saved as a page, as text, or as a mail in a mail."""
    is_text = b"\0" not in part.payload  # else tokens are not looked for: that takes a second for 10 MB
    if depth == _DEEPEST_COPY and _is_a_mail(part):
        return True  # nobody sends a reader that; whoever means to is told
    said, inner = _said(part)
    return any(
        kept_from.marker in solid(each) or (is_text and kept_from.token_address.search(each)) for each in said
    ) or any(_is_a_copy(each, kept_from, depth + 1) for each in inner)


def _said(part: Part) -> tuple[list[str], tuple[Part, ...]]:
    """The words a reader finds in a file, and the files in it if it is a mail."""
    text = _letters(part)
    said = [text, plain.from_html(text).text if _TAG.search(text) else ""]
    if not _is_a_mail(part):
        return said, ()
    mail = message.read(part.payload.removeprefix(BOM_UTF8))
    return [*said, mail.text, plain.from_html(mail.html).text if mail.html else ""], mail.attachments


def _is_a_mail(part: Part) -> bool:
    return "message/rfc822" in _kinds(part) or _FIELD.match(_letters(part)) is not None


def _letters(part: Part) -> str:
    """The text of its octets; without its zeros a letter of two (UTF-16, what Outlook saves) is one of one."""
    return part.payload.replace(b"\0", b"").decode("utf-8", "replace")


def _kinds(part: Part) -> frozenset[str]:
    """What a file says it is, and what its name says."""
    named = _NAMES.guess_type(part.filename or "", strict=False)[0]
    return frozenset({part.content_type, named} if named else {part.content_type})
