"""How the commands of a peer are read: how long their lines may be, and the addresses in them.

aiosmtpd asks the parser of mail headers for an address, which is slow and stumbles over crooked input.
"""

import re
from typing import Final, NamedTuple


class CommandSizes(dict[str, int]):
    """The longest line of each command; unlike aiosmtpd's table it does not grow with what strangers type."""

    def __missing__(self, command: str) -> int:
        return 512  # RFC 5321 4.5.3.1.4


# MAIL may also carry SIZE (RFC 1870), BODY (RFC 6152) and SMTPUTF8 (RFC 6531).
COMMAND_SIZES: Final = CommandSizes(MAIL=512 + 26 + 17 + 10)

# A path of RFC 5321 section 4.1.2 and the parameters after it, a little wider than the book: dots anywhere, no
# brackets, no domain.
ATOM: Final = r"""[^\s"(),:;<>@\[\\\]]+"""
MAILBOX: Final = rf"""(?:{ATOM}|"(?:[^"\\]|\\.)*")(?:@(?:{ATOM}|\[[\w.:-]+\]))?"""
PATH: Final = re.compile(rf"(?:<(?:@[^<>:\s]+:)?({MAILBOX})?>|({MAILBOX}))(?:\s+(.*))?")

# What posts say nearly always: no quotes, no source route, ASCII, an end in sight. Paths are also read by the above.
PLAIN_MAILBOX: Final = rb"<([\w!#$%&'*+/=?^`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,255})>"
PLAIN: Final = re.compile(
    rb"MAIL FROM:" + PLAIN_MAILBOX + rb"(?: SIZE=(\d{1,12}))?( BODY=(?:7BIT|8BITMIME))?\r\n"
    rb"|RCPT TO:" + PLAIN_MAILBOX + rb"\r\n"
    rb"|DATA\r\n",
    re.ASCII,
)


class PlainCommand(NamedTuple):
    """MAIL, RCPT or DATA in its plainest form."""

    sender: str  # of MAIL, else ""
    size: int  # as announced in MAIL, 0 when it is not
    is_extended: bool  # it has parameters, which are for those who said EHLO
    recipient: str  # of RCPT, else ""
    end: int  # where the next command begins


def plain(said: bytes, start: int) -> PlainCommand | None:
    """The plain command that begins there, if one does and is whole."""
    found = PLAIN.match(said, start)
    if found is None:
        return None
    sender, size, body, recipient = found.groups(b"")
    return PlainCommand(sender.decode(), int(size or 0), bool(size or body), recipient.decode(), found.end())


def path(argument: str) -> tuple[str | None, str | None]:
    """Read a path and what follows it; None for what is no address, "<>" for the null sender."""
    found = PATH.fullmatch(argument)
    address = found and (found[1] or found[2] or "<>")
    if found is None or not address or not address.isprintable():  # control characters, or not UTF-8
        return None, None
    return address, found[3] or ""
