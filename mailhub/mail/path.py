"""The way a mail came: its Received fields, and what is odd about them, its date and its addresses.

mail-parser reads these; it knows the many forms relays write. It gets the header only, and only when somebody asks:
reading a mail never waits for it. What it says is evidence for a person, never a reason to route or to trust.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message as Tree

import mailparser

from mailhub.mail.message import Message

_FIELDS = {"received", "date", "resent-date", "from", "to", "cc", "reply-to", "sender", "delivered-to"}
_MOST_FIELDS = 200
_MOST_CHARACTERS = 16 * 1024  # of one field


@dataclass(frozen=True, slots=True)
class Hop:
    """One relay, as the next one or it itself tells; anything but the last hop may be invented."""

    by: str  # who received
    from_: str  # from whom
    protocol: str  # "ESMTPS", "LMTP", …
    at: datetime | None  # aware UTC
    delay_seconds: int  # since the hop before


@dataclass(frozen=True, slots=True)
class Path:
    """Every hop, the first one first, and what is odd about the header."""

    hops: tuple[Hop, ...]
    oddities: tuple[str, ...]


def of(message: Message) -> Path:
    """Read the path of a mail. Never raises: what cannot be read is an oddity."""
    header = Tree()
    kept = [(name, value) for name, value in message.tree.raw_items() if name.lower() in _FIELDS]
    for name, value in kept[:_MOST_FIELDS]:
        header.set_raw(name, str(value)[:_MOST_CHARACTERS])
    try:
        parsed = mailparser.MailParser(header)
        hops = tuple(_hop(hop) for hop in parsed.received)
        found = (*parsed.address_header_defects, *parsed.received_header_defects, *parsed.date_header_defects)
        return Path(hops, tuple(f"{defect['header']}: {defect['reason']}" for defect in found))
    except Exception as error:  # noqa: BLE001 — the library lets AttributeError, TypeError and ValueError escape
        return Path((), (f"unreadable path ({type(error).__name__})",))


def _hop(hop: dict[str, object]) -> Hop:
    at = hop.get("date_utc")
    delay = hop.get("delay")
    return Hop(
        by=str(hop.get("by", "")),
        from_=str(hop.get("from", "")),
        protocol=str(hop.get("with", "")),
        at=datetime.fromisoformat(at).replace(tzinfo=UTC) if isinstance(at, str) and at else None,
        delay_seconds=int(delay) if isinstance(delay, (int, float)) else 0,
    )
