"""Bytes to Message: everything a mail says, decoded once, nothing lost and nothing ever raised."""

from dataclasses import dataclass
from datetime import datetime
from email.message import Message as Tree

from mailhub.mail.address import Mailbox


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of the MIME tree that is not the body, with its own bytes."""

    filename: str | None  # safe to show: decoded, last path component, no control characters, at most 255 bytes
    content_type: str  # lower case, without parameters
    payload: bytes  # decoded from its transfer encoding
    sha256: str  # hexadecimal digest of `payload`
    inline: bool  # shown within the body rather than beside it
    content_id: str | None  # without angle brackets

    @property
    def size(self) -> int:
        """Octets of the decoded payload."""
        return len(self.payload)


@dataclass(frozen=True, slots=True)
class Message:
    """One mail, read. Missing things are None or empty, broken things are named in `defects`."""

    raw: bytes
    message_id: str | None  # ids are without angle brackets
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    date: datetime | None  # aware UTC
    from_: tuple[Mailbox, ...]  # every mailbox of every From header
    reply_to: tuple[Mailbox, ...]
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    subject: str | None  # decoded, one line
    text: str  # best plain body; HTML turned into text when there is no plain one
    html: str | None  # the HTML body as its author sent it, decoded, never to be shown unclean
    attachments: tuple[Part, ...]
    headers: tuple[tuple[str, str], ...]  # all headers of the top level in order: name as written, decoded value, one line
    tree: Tree  # the compat32 tree of the standard library, for those who need a sub-part
    defects: tuple[str, ...]  # what was broken, in short words
    over_limits: bool  # too many parts, levels, headers or addresses: keep it, let a person look

    def header(self, name: str) -> str | None:
        """The first header of that name, in any letter case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def all_headers(self, name: str) -> tuple[str, ...]:
        """Every header of that name, in order."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)
