"""What a relay says, read from its octets: replies of one line or many (RFC 5321 section 4.2), always bounded."""

import re
from dataclasses import dataclass

from mailhub.mail import words

# RFC 5321 section 4.5.3.1.5 allows lines of 512 octets; refusals that hold a link and an explanation exceed it.
LONGEST_LINE = 2048
MOST_LINES = 64
TEXT_LENGTH = 500

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])([^\r\n]*))?")
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?: +|$)")


class GarbledError(ConnectionError):
    """What came over the connection is not SMTP: nothing more can be made of it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole reply."""

    code: int
    lines: tuple[str, ...]  # their texts

    @property
    def kind(self) -> int:
        """The first digit: 2 done, 3 go on, 4 not now, 5 never."""
        return self.code // 100

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code, if there is one (RFC 2034)."""
        found = _ENHANCED.match(self.lines[0])
        return found[1] if found else None

    @property
    def text(self) -> str:
        """The words of all lines as one, fit for a log or a letter."""
        said = " ".join(_ENHANCED.sub("", line, count=1) for line in self.lines)
        return words.one_line(said)[:TEXT_LENGTH].strip()


def take(heard: bytearray) -> Reply | None:
    """Take the first reply out of what was heard; None while its end has not come."""
    start, code = 0, b""
    texts: list[str] = []
    while True:
        end = heard.find(b"\n", start)
        if (end if end >= 0 else len(heard)) - start > LONGEST_LINE or len(texts) >= MOST_LINES:
            raise GarbledError("the relay talks without end")
        if end < 0:
            return None
        line = _LINE.fullmatch(heard[start:end].rstrip(b"\r"))
        # All lines of a reply bear one code (RFC 5321 section 4.2.1); when they do not, replies were mixed up.
        if line is None or (code and line[1] != code):
            raise GarbledError(
                f"the relay does not speak SMTP: {words.one_line(_text(heard[start:end]))[:80]!r}"
            )
        code, start = line[1], end + 1
        texts.append(_text(line[3] or b""))
        if line[2] != b"-":
            del heard[:start]
            return Reply(int(code), tuple(texts))


def _text(octets: bytes | bytearray) -> str:
    return octets.decode("utf-8", "replace")
