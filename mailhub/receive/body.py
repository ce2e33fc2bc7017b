"""The bytes after DATA: where they end, what they hold once unstuffed, and what in their form is refused."""

from io import IncrementalNewlineDecoder
from typing import Final

END_OF_BODY: Final = b"\r\n.\r\n"  # and nothing that looks like it. RFC 5321 section 4.1.1.4


def unstuffed(wire: bytes) -> bytes:
    """The mail in what was sent from the line end of DATA to the end of the body: a line's first dot goes.

    RFC 5321 section 4.5.2.
    """
    return wire[: -len(b".\r\n")].replace(b"\r\n.", b"\r\n")[len(b"\r\n") :]


def has_bare_newline(body: bytes) -> bool:
    """Is there a CR or LF that is not part of a CRLF? Servers disagree where such a mail ends (SMTP smuggling)."""
    # The decoder of text files notes which line ends it has seen: much quicker than to split, to replace or to count.
    ends = IncrementalNewlineDecoder(None, translate=False)
    ends.decode(str(body, "latin-1"), final=True)
    return ends.newlines not in {None, "\r\n"}


def hops(body: bytes) -> int:
    """How many servers have already passed this mail on, by its Received fields."""
    end = body.find(b"\r\n\r\n")
    header = body if end < 0 else body[:end]
    return (b"\r\n" + header.lower()).count(b"\r\nreceived:")
