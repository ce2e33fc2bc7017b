"""The bytes after DATA: where they end, what they hold once unstuffed, and what in their form is refused."""

from io import IncrementalNewlineDecoder
from typing import Final

from mailhub.receive.limits import Gate
from mailhub.receive.replies import Reply

END_OF_BODY: Final = b"\r\n.\r\n"  # and nothing that looks like it. RFC 5321 section 4.1.1.4
LEADING_DOT: Final = END_OF_BODY[:3]


class Body:
    """A body while it comes in, in pieces cut anywhere.

    One that is refused is heard to its end all the same, and not kept: RFC 5321 section 4.2.5 has no answer before.
    """

    def __init__(self, gate: Gate, most: int) -> None:
        """`gate` counts what all bodies hold; `most` octets are heard of this one."""
        self.is_whole = False
        self.refusal: Reply | None = None
        self.octets = 0  # heard so far
        self._gate = gate
        self._most = most
        self._held = 0
        self._wire = bytearray(b"\r\n")  # the line end of DATA also opens the end of an empty body

    def hear(self, said: bytes) -> bytes:
        """Take in what is said, up to CRLF.CRLF and nothing else; return what follows that."""
        before = len(self._wire)
        self._wire += said
        end = self._wire.find(END_OF_BODY, max(0, before - len(END_OF_BODY) + 1))
        rest = b""
        if end >= 0:
            end += len(END_OF_BODY)
            rest = bytes(self._wire[end:])
            del self._wire[end:]
            self.is_whole = True
        self._hold(len(said) - len(rest))
        return rest

    def mail(self) -> bytes:
        """The mail that was said, once it is whole; nothing of one that is refused."""
        if self.refusal is not None:
            return b""
        begin, end = len(b"\r\n"), -len(b".\r\n")
        # Files, most of a large mail, hold no dot: what stands behind the last one need not be searched.
        last_dot = self._wire.rfind(b".", begin, end)
        if self._wire.find(LEADING_DOT, 0, last_dot + 1) < 0:
            return bytes(memoryview(self._wire)[begin:end])
        # A line's first dot goes: RFC 5321 section 4.5.2
        return bytes(self._wire[:end].replace(LEADING_DOT, b"\r\n")[begin:])

    def let_go(self) -> None:
        """Give back the memory it was granted."""
        self._gate.release_bytes(self._held)
        self._held = 0

    def _hold(self, count: int) -> None:
        """Set memory aside for one more piece, or refuse them all."""
        self.octets += count
        if self.refusal is None:
            if self.octets > self._most:
                self.refusal = Reply.TOO_BIG
            elif not self._gate.hold_bytes(count):
                self.refusal = Reply.NO_ROOM
            else:
                self._held += count
        if self.refusal is not None:
            del self._wire[: 1 - len(END_OF_BODY)]
            self.let_go()


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
