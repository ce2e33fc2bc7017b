"""A letter of ours before it is bytes: who it goes to, what it says, what it answers."""

from dataclasses import dataclass

from mailhub.mail.address import Mailbox


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that travels with a letter."""

    filename: str | None
    content_type: str
    content: bytes
    content_id: str | None = None  # set for an image shown within the HTML body
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """One letter to one person. `key` makes it unique for ever: the same key is never sent twice."""

    key: str  # "ack:Q-2026-0143", "copy:<exchange>:<staff>"
    kind: str  # the template's name: "acknowledgement", "staff-copy", "answer"
    sender: Mailbox  # the From header
    recipient: Mailbox  # the only To, and the RCPT TO
    subject: str
    text: str
    html: str | None = None
    envelope_from: str = ""  # MAIL FROM; "" is the null sender, for automatic answers (RFC 3834 section 3.3)
    reply_to: str | None = None
    in_reply_to: str | None = None  # ids are without angle brackets
    references: tuple[str, ...] = ()
    automatic: str | None = None  # Auto-Submitted: "auto-replied", "auto-generated"; None: a person wrote
    headers: tuple[tuple[str, str], ...] = ()  # Thread-Topic, List-*: name and plain value
    enclosures: tuple[Enclosure, ...] = ()
    message_id: str | None = None  # without angle brackets; None: made from the key
    request_id: int | None = None  # the row this letter is about, for whoever looks it up later
    staff_id: int | None = None  # whose words these are: told when the letter cannot be delivered
